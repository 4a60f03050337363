// Several SAs with deny entries in one group, and how a network moves to the VPN: receive-only, then encrypted, without a packet lost.
//
//   h1 -- r1 --- core [capture] --- r2 -- h2        h1 <-> h2 all the time; r4: sa receive-only at first
//
//   sa ipsec 1 :: tcp, AES-CBC, ssh denied   sa ipsec 2 :: the rest of 10.0/16, AES-GCM
//   receive-only  :: core sees everything in the clear; r1 passive (exec) encrypts, and is understood
//   no receive-only, rekey :: core sees two SPIs, and tcp port 22 in the clear

import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { type CapturedPacket, readCapture, splitBranchPackets } from '../support/pcap.js';
import { Flow } from '../support/traffic.js';
import { capture } from '../support/tshark.js';

const echoServer = `
import socket, sys
s = socket.create_server(('0.0.0.0', int(sys.argv[1]))); print('ready', flush=True)
while True:
    c, _ = s.accept()
    try: c.sendall(c.recv(100)); c.close()
    except OSError: pass
`;
const echoClient = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5); s.sendall(b'hello'); print(s.recv(100).decode(), end='')
`;

function edit(router: Router, text: string): string {
  if (router !== 'r4') return text;
  const profiles = substitute(
    text,
    /crypto ipsec profile/,
    'crypto ipsec transform-set CBC esp-aes 256 esp-sha256-hmac\ncrypto ipsec profile CBC-PROFILE\n set transform-set CBC\ncrypto ipsec profile',
  );
  const first = `sa ipsec 1
   profile CBC-PROFILE
   match address ipv4 TCP-ACL
  sa receive-only
  sa ipsec 2`;
  const acl = `ip access-list extended TCP-ACL
 deny tcp any any eq 22
 deny tcp any eq 22 any
 permit tcp 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255
ip access-list extended CRYPTO-ACL
 deny tcp any any`;
  return substitute(substitute(profiles, /sa ipsec 1/, first), /ip access-list extended CRYPTO-ACL/, acl);
}

t.test('two SAs, receive-only first', async (t) => {
  const lab = await Lab.up({ edit, start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  const flows = [await Flow.start(lab, 'h1', 'h2', 100, 6001), await Flow.start(lab, 'h2', 'h1', 100, 6002)];
  for (const port of [22, 80]) await lab.spawn('h2', ['python3', '-c', echoServer, String(port)]).says(/ready/);
  const echo = async (port: number) => (await lab.run('h1', ['python3', '-c', echoClient, '10.0.2.10', String(port)])).stdout === 'hello';
  const during = async (what: () => Promise<void>): Promise<{ esp: CapturedPacket[]; clear: CapturedPacket[] }> => {
    const tap = await capture(lab, 'core', 'any', '-Q in ip');
    await what();
    await tap.cut();
    return splitBranchPackets(readCapture(tap.file));
  };
  const talk = async () => {
    for (const port of [22, 80]) await until(`an echo from port ${port}`, () => echo(port));
    await lab.sh('h1', 'sleep 1');
  };

  const receiveOnly = await during(talk);
  t.equal(receiveOnly.esp.length, 0, 'receive-only: nothing is encrypted');
  t.ok(receiveOnly.clear.length > 100);
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'gdoi'), /IPSec SA Direction {7}: Inbound Only/);
  t.match(await lab.groupwire('r4', 'show', 'crypto', 'gdoi', 'ks'), /IPSec SA Direction {7}: Inbound Only/);

  await lab.groupwire('r1', 'exec', 'crypto gdoi gm group GDOI-GROUP ipsec direction inbound optional');
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'gdoi'), /IPSec SA Direction {7}: Inbound Optional/);
  await lab.sh('h1', 'sleep 1');
  const passive = await during(talk);
  t.strictSame([...new Set(passive.esp.map(({ source }) => source))], ['10.0.1.10'], 'r1 encrypts');
  t.ok(
    passive.clear.some(({ source }) => source === '10.0.2.10'),
    'r2 does not, and is heard',
  );
  await lab.groupwire('r1', 'exec', 'crypto gdoi gm ipsec direction both');

  lab.configure('r4', (text) => substitute(text, / {2}sa receive-only\n/, ''));
  lab.reload('r4');
  await until('r4 to know', async () => /IPSec SA Direction {7}: Both/.test(await lab.groupwire('r4', 'show', 'crypto', 'gdoi', 'ks')));
  await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
  const sends = async (router: Router) => /IPSec SA Direction {7}: Both/.test(await lab.groupwire(router, 'show', 'crypto', 'gdoi', 'gm'));
  await until('the members to send with the new keys', async () => (await sends('r1')) && (await sends('r2')), 60_000);
  await lab.sh('h1', 'sleep 1');
  const both = await during(talk);
  const spis = new Set(both.esp.map(({ ip }) => ip.readUInt32BE(20)));
  t.equal(spis.size, 2, 'one SPI for each SA');
  t.ok(both.clear.length > 0);
  t.ok(
    both.clear.every(({ ip, protocol }) => protocol === 6 && [ip.readUInt16BE(20), ip.readUInt16BE(22)].includes(22)),
    'only what the first SA denies is in the clear',
  );
  for (const flow of flows) {
    const report = await flow.stop();
    t.ok(report.sent > 500);
    t.strictSame(report.lost, [], `datagrams lost of ${report.sent}`);
  }
});
