// Time-based anti-replay in the lab: members agree on the time, and a packet that was captured is refused once the window has passed.
//
//   h1 -- r1 --- core [captures, and sends again] --- r2 -- h2        r4 :: replay time window-size 3
//
//   h1   :: ping h2                      :: answered, ESP is 12 bytes longer than it would be
//   core :: an ESP packet again, 5 s on  :: r2 drops it (esp_time), logs and shows it; h2 does not see it
//   r4   :: crypto gdoi ks rekey         :: goes on

import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { readCapture, splitBranchPackets } from '../support/pcap.js';
import { capture } from '../support/tshark.js';

const edit = (router: Router, text: string) =>
  router === 'r4' ? substitute(text, /replay counter window-size 64/, 'replay time window-size 3') : text;

const sendAgain = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.sendto(bytes.fromhex(sys.argv[1]), (sys.argv[2], 0))
`;

t.test('replay time', async (t) => {
  const lab = await Lab.up({ edit, start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  const tap = await capture(lab, 'core', 'any', '-Q in esp');
  const ping = async () => (await lab.run('h1', ['ping', '-c', '2', '-i', '0.2', '-W', '2', '10.0.2.10'])).status === 0;
  await until('h2 to answer', ping);
  await tap.stop();
  const { esp } = splitBranchPackets(readCapture(tap.file));
  const sent = esp.find(({ source }) => source === '10.0.1.10');
  if (!sent) throw new Error('no ESP of h1 was captured');
  t.equal(sent.ip.length, 20 + 8 + 8 + 12 + 84 + 4 + 16, 'header, ESP, IV, pseudotime, inner packet, trailer, ICV');
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'gdoi'), /Anti-Replay\(Time Based\) : 3 sec interval/);
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'ipsec', 'sa'), /plaintext mtu 1434/);

  await lab.sh('h1', 'sleep 4');
  const inside = await capture(lab, 'h2', 'eth0', 'icmp');
  await lab.run('core', ['python3', '-c', sendAgain, sent.ip.toString('hex'), '10.0.2.10']);
  const shown = () => lab.groupwire('r2', 'show', 'crypto', 'gdoi', 'gm', 'replay');
  await until('r2 to show what it refused', async () =>
    /src=10\.0\.1\.10; my_pst=[\d.]+ secs; peer_pst=[\d.]+ secs; win=3 secs/.test(await shown()),
  );
  t.match(await shown(), /Input Error Packets : 1 /);
  await lab.logs('r2', /%GDOI-4-TIMEBASED_REPLAY_FAILED: An anti replay check has failed in group GDOI-GROUP/);
  t.match(await lab.sh('r2', 'curl -s http://127.0.0.1:9848/metrics'), /drops_total\{.*reason="esp_time".*\} 1/);
  await inside.stop();
  t.equal(readCapture(inside.file).length, 0, 'h2 did not see it');

  await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
  const rekeyed = async () => /Total received {8}: 1/.test(await lab.groupwire('r2', 'show', 'crypto', 'gdoi'));
  await until('the rekey', rekeyed);
  t.ok(await ping(), 'and the members still agree on the time');
  t.match(await shown(), /Time Sync Error : 0 /);
});
