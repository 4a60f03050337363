// Acceptance 7: a (TEK, IV) pair of AES-GCM is never used twice, whatever restarts (RFC 6054: sender IDs keep the senders apart).
//
//   h1 -- r1 --\
//   h2 -- r2 --- core [capture: SPI and IV of every ESP packet] --- r4
//   h3 -- r3 --/
//
//   r1 :: kill -9 dataplane · r2 :: kill -9 control · r3 :: stop, start · r4 :: rekey, stop, start, rekey
//   core :: (SPI, IV)   :: all different; so are the sender IDs of different members

import t from 'tap';
import { Lab } from '../support/lab.js';
import { until } from '../support/netns.js';
import { readCapture, splitBranchPackets } from '../support/pcap.js';
import { capture } from '../support/tshark.js';

const routes = [
  ['h1', '10.0.2.10'],
  ['h2', '10.0.3.10'],
  ['h3', '10.0.1.10'],
] as const;

t.test('IVs over rekeys and restarts', async (t) => {
  const lab = await Lab.up();
  t.teardown(() => lab.down());
  const tap = await capture(lab, 'core', 'any', '-Q in ip proto 50');
  const traffic = async () => {
    for (const [from, to] of routes) {
      const reachable = async () => (await lab.run(from, ['ping', '-c', '40', '-i', '0.005', '-W', '1', to])).status === 0;
      await until(`${from} to reach ${to}`, reachable);
    }
  };
  await traffic();
  process.kill(lab.pidOf('r1', 'dataplane'), 'SIGKILL');
  process.kill(lab.pidOf('r2', 'control'), 'SIGKILL');
  await lab.command('stop', 'r3');
  await lab.command('start', 'r3');
  await traffic();
  await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
  await traffic();
  process.kill(lab.pidOf('r1', 'dataplane'), 'SIGKILL');
  await lab.command('stop', 'r4');
  await lab.command('start', 'r4');
  await traffic();
  await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
  process.kill(lab.pidOf('r1', 'control'), 'SIGKILL');
  await traffic();
  await tap.stop();

  const { esp } = splitBranchPackets(readCapture(tap.file));
  const seen = new Map<string, number>();
  const spis = new Set<string>();
  const owners = new Map<string, Set<string>>();
  for (const { ip, source } of esp) {
    const spi = ip.toString('hex', 20, 24);
    const iv = ip.toString('hex', 28, 36);
    spis.add(spi);
    seen.set(`${spi} ${iv}`, (seen.get(`${spi} ${iv}`) ?? 0) + 1);
    const owner = `${spi} sender ID ${iv.slice(0, 6)}`;
    owners.set(owner, (owners.get(owner) ?? new Set()).add(source));
  }
  t.ok(esp.length > 1000, `enough packets: ${esp.length}`);
  t.ok(spis.size >= 1, `TEKs seen: ${spis.size}`);
  t.same([...seen].filter(([, count]) => count > 1).slice(0, 5), [], '(SPI, IV) pairs used more than once');
  t.same(
    [...owners].filter(([, sources]) => sources.size > 1).map(([owner, sources]) => `${owner}: ${[...sources].join(' ')}`),
    [],
    'sender IDs that two members used',
  );
});
