import t from 'tap';
import { Day, usualDay } from './day.js';

t.test('x', async (t) => {
  const before = process.cpuUsage();
  const day = new Day({ ...usualDay, seed: 'a' });
  day.run();
  const { user, system } = process.cpuUsage(before);
  console.error(
    (user + system) / 1e6,
    day.traffic,
    day.probes,
    day.faults.slice(0, 10),
    day.faults.length,
    day.registrations.most,
    day.keyExchanges.most,
    day.senderSpaces.size,
    day.rekeys.accepted,
    Object.fromEntries(day.server.counts),
  );
  t.ok(true);
});
