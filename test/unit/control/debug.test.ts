import t from 'tap';
import { emptyConfig } from '../../../control/config/empty.js';
import { type ExecCommand, parseExec } from '../../../control/config/exec.js';
import { Debug, placedCounters } from '../../../control/debug.js';
import { gdoiCounters } from '../../../control/gdoi/counters.js';

function select(line: string) {
  const command = parseExec(line) as Extract<ExecCommand, { kind: 'debug' }>;
  if (!('kind' in command)) throw new Error(`${line}: ${JSON.stringify(command)}`);
  return command;
}

function openDebug() {
  const lines: string[] = [];
  const debug = new Debug(
    (text) => lines.push(text),
    (counter) => gdoiCounters.find(({ name }) => name === counter)?.help,
  );
  const exec = (line: string) => {
    const { selection, on } = select(line);
    if (selection) debug.set(selection, on);
    else debug.clear();
  };
  return { debug, lines, exec };
}

t.test('every counter of GDOI has its place', (t) => {
  t.strictSame([...placedCounters].filter((name) => name.startsWith('gdoi_')).sort(), gdoiCounters.map(({ name }) => name).sort());
  t.end();
});

t.test('the lines', (t) => {
  t.match(select('debug crypto gdoi'), { on: true, selection: { roles: ['gm', 'ks'], features: { length: 5 }, level: 'event' } });
  t.match(select('debug crypto gdoi all-features error'), { selection: { roles: ['gm', 'ks'], level: 'error' } });
  t.match(select('deb cry gdoi ks rekey detail'), { selection: { roles: ['ks'], features: ['rekey'], level: 'detail' } });
  t.match(select('debug crypto gkm gm registration all-levels'), {
    selection: { roles: ['gm'], features: ['registration'], level: 'packet' },
  });
  t.match(select('debug crypto gdoi registration terse'), {
    selection: { roles: ['gm', 'ks'], features: ['registration'], level: 'terse' },
  });
  t.match(select('no debug crypto gdoi ks'), { on: false, selection: { roles: ['ks'] } });
  t.match(select('undebug all'), { on: false, selection: null });
  t.match(select('u all'), { on: false, selection: null });
  t.match(select('no debug all'), { on: false, selection: null });
  for (const line of [
    'debug',
    'debug all',
    'debug crypto',
    'debug crypto gdoi ks loud',
    'debug crypto gdoi event rekey',
    'debug crypto gdoi event',
  ])
    t.ok('error' in parseExec(line), line);
  t.end();
});

t.test('levels include those in front of them; features and roles choose', (t) => {
  const { debug, lines, exec } = openDebug();
  debug.counted('gdoi_rekeys_sent', undefined);
  t.strictSame(lines, [], 'off at first');
  exec('debug crypto gdoi ks rekey event');
  debug.counted('gdoi_rekeys_sent', undefined);
  debug.counted('gdoi_acks_rejected', 'HASH is wrong');
  debug.counted('gdoi_pull_served', undefined);
  debug.counted('gdoi_rekeys_received', undefined);
  t.strictSame(lines, [
    'KS:REKEY:EVENT: Rekeys begun as a key server, one for all members',
    'KS:REKEY:ERROR: Rekey acknowledgements that are malformed, unproven or from a stranger: HASH is wrong',
  ]);
  exec('debug crypto gdoi ks rekey error');
  debug.counted('gdoi_rekeys_sent', undefined);
  t.equal(lines.length, 2);
  t.strictSame(debug.describe(), ['GDOI KS rekey debugging is on, level error']);
  exec('undebug all');
  debug.counted('gdoi_acks_rejected', undefined);
  t.equal(lines.length, 2);
  t.strictSame(debug.describe(), []);
  t.end();
});

t.test('packets: ends, exchange and cookies; short ones are nothing', (t) => {
  const { debug, lines, exec } = openDebug();
  exec('debug crypto gdoi gm registration packet');
  const config = emptyConfig();
  config.gdoiGroups.set('G', { line: 1, name: 'G', identity: null, serverAddresses: [0xac100402], passive: false, server: null });
  const bytes = Uint8Array.from({ length: 40 }, (_, n) => n);
  bytes[18] = 32;
  const ends = { local: { address: 0xac100102, port: 848 }, remote: { address: 0xac100402, port: 848 } };
  debug.datagram('sent', { ...ends, bytes }, config);
  debug.datagram('received', { ...ends, bytes: bytes.subarray(0, 27) }, config);
  bytes[18] = 33;
  debug.datagram('received', { ...ends, bytes }, config);
  t.strictSame(lines, [
    'GM:REGISTRATION:PACKET: sent GROUPKEY-PULL to 172.16.4.2:848, local 172.16.1.2, 40 bytes, cookies 0001020304050607 08090a0b0c0d0e0f, message ID 14151617',
  ]);
  t.end();
});
