// Acceptance 4: the key server is away for longer than TEKs live. With fail-close traffic stops, nothing leaks, and all comes back by itself.
//
//   h1 -- r1 [fail-close, exception: ping of inet] --- core [capture] --- r2 [fail-close] -- h2        r4 :: stopped, started again
//
//   before    :: r1 closed until it is registered: no ping h1 -> h2, ping h1 -> inet passes
//   r4 gone   :: h1 -> h2 ends with the keys; core sees no packet between branches in the clear, at no time
//   no dataplane on r1 meanwhile :: kill -9: the kernel lets nothing out either, but the exception
//   r4 back   :: h1 -> h2 again, nobody touched r1 and r2

import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { readCapture, splitBranchPackets } from '../support/pcap.js';
import { capture } from '../support/tshark.js';

/** What passes has been translated before the crypto map sees it. */
const closed = `crypto map GETVPN-MAP gdoi fail-close
 match address PASS
 activate
ip access-list extended PASS
 deny icmp 172.16.0.0 0.0.255.255 host 198.51.100.10
interface`;

function edit(router: Router, text: string): string {
  if (router === 'r4') {
    return substitute(
      text,
      / set transform-set TRANSFORM-SET\n/,
      ' set transform-set TRANSFORM-SET\n set security-association lifetime seconds 20\n',
    );
  }
  return substitute(text, /interface/, closed);
}

t.test('fail-close', async (t) => {
  const lab = await Lab.up({ edit, start: ['r1', 'r2'], waitSeconds: 0 });
  t.teardown(() => lab.down());
  await lab.sh('inet', 'ip route add 10.0.0.0/16 via 198.51.100.1');
  await lab.sh('core', 'ip rule del pref 100');
  const tap = await capture(lab, 'core', 'any', '-Q in ip');
  const reaches = async (to: string) => (await lab.run('h1', ['ping', '-c', '1', '-W', '1', to])).status === 0;
  const drops = async () =>
    Number(/reason="fail_close"[^}]*} (\d+)/.exec(await lab.sh('r1', 'curl -s http://127.0.0.1:9848/metrics'))?.[1] ?? 0);
  const isClosed = async () =>
    /Interfaces closed now: FastEthernet0\/0/.test(await lab.groupwire('r1', 'show', 'crypto', 'map').catch(() => ''));

  await until('r1 to forward what is excepted', () => reaches('198.51.100.10'));
  t.ok(await isClosed(), 'closed before the first registration');
  t.notOk(await reaches('10.0.2.10'), 'nothing else passes');
  t.notOk((await lab.run('r1', ['ping', '-c', '1', '-W', '1', '172.16.1.1'])).status === 0, 'nor from the router itself');
  t.ok((await drops()) >= 2, 'counted');

  await lab.start('r4');
  await until('registration opens the way', () => reaches('10.0.2.10'), 60_000);
  t.notOk(await isClosed());
  t.ok((await lab.run('r1', ['ping', '-c', '1', '-W', '5', '172.16.1.1'])).status === 0, 'what the policy does not name passes');

  await lab.command('stop', 'r4');
  await until('the keys to expire', isClosed, 60_000);
  t.notOk(await reaches('10.0.2.10'), 'closed again');
  t.ok(await reaches('198.51.100.10'), 'but for the exception');
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'gdoi'), /Fail-Close Revert : Enabled/);

  const before = lab.pidOf('r1', 'dataplane');
  process.kill(lab.pidOf('r1', 'control'), 'SIGSTOP');
  process.kill(before, 'SIGKILL');
  await until('the TUNs to be gone', async () => (await lab.run('r1', ['ip', 'link', 'show', 'gw-eth0'])).status !== 0, 30_000, 5);
  t.match(await lab.sh('r1', 'ip rule'), /lookup 8498/, 'the guard stands');
  t.notOk(await reaches('10.0.2.10'));
  process.kill(lab.pidOf('r1', 'control'), 'SIGCONT');

  await lab.start('r4');
  await until('traffic to come back by itself', () => reaches('10.0.2.10'), 90_000);
  await tap.stop();
  const { esp, clear } = splitBranchPackets(readCapture(tap.file));
  t.equal(clear.length, 0, 'packets between branches in the clear');
  t.ok(esp.length >= 4, `ESP packets seen: ${esp.length}`);
});
