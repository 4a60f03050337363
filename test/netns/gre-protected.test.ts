// GRE between two members under `tunnel protection` (transport mode), with PAT and the group on the same routers: every ToS byte is on the ESP header, on
// the GRE header and on the inner one.
//
//   h1 [capture] -- r1 ==GRE in ESP between the routers== core [capture, opened by scapy] ==== r3 -- h3 [capture]        inet: h1 by PAT
//
//   h1 :: 256 datagrams to h3, one for each ToS byte :: core: ESP alone, from r1 to r3, its ToS that of GRE and that of the datagram
//   h3 :: the datagrams, unchanged but for two hops
//   h1 :: ping inet :: answered, from r1's address
//   r1 :: FastEthernet0/0 takes GRE in the clear from the core :: clear_must_be_encrypted

import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { readCapture, withoutHopFields } from '../support/pcap.js';
import { decryptWithScapy, readScapySas, runScapy } from '../support/scapy.js';
import { capture } from '../support/tshark.js';

function edit(router: Router, text: string): string {
  if (router !== 'r1' && router !== 'r3') return text;
  const [own, other] = router === 'r1' ? [1, 3] : [3, 1];
  const protection = `crypto isakmp key between-the-two address 172.16.${other}.2
crypto ipsec transform-set GRE esp-gcm 256
 mode transport
crypto ipsec profile GRE-PROFILE
 set transform-set GRE
 set pfs group14
interface Tunnel0
 ip address 192.168.13.${own} 255.255.255.248
 tunnel source FastEthernet0/0
 tunnel destination 172.16.${other}.2
 tunnel protection ipsec profile GRE-PROFILE
ip route 10.0.${other}.0 255.255.255.0 192.168.13.${other}
end`;
  return substitute(text, /end\s*$/, `${protection}\n`);
}

const sender = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for tos in range(256):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    s.sendto(bytes([tos]) * (tos * 5), ('10.0.3.10', 5000))
`;

t.test('all ToS bytes through a protected tunnel', async (t) => {
  const lab = await Lab.up({ keyLog: true, edit, start: ['r1', 'r3', 'r4'] });
  t.teardown(() => lab.down());
  await lab.sh('h1', 'ethtool -K eth0 tx off'); // so that the capture on h1 holds what leaves it, checksums included
  await until('an answer', async () => (await lab.run('h1', ['ping', '-c', '1', '-W', '2', '10.0.3.10'])).status === 0);
  const left = await capture(lab, 'h1', 'eth0', '-Q out ip and udp port 5000');
  const crossing = await capture(lab, 'core', 'r1', '-Q in ip');
  const came = await capture(lab, 'h3', 'eth0', '-Q in ip and udp port 5000');
  await lab.run('h1', ['python3', '-c', sender]);
  t.match(await lab.sh('h1', 'ping -n -c 2 -W 5 198.51.100.10'), / 2 received/, 'PAT beside it');
  await until('the last datagram', async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return readCapture(came.file).length >= 256;
  });
  for (const tap of [left, crossing, came]) await tap.stop();

  const sent = readCapture(left.file);
  t.strictSame(
    sent.map(({ tos }) => tos),
    Array.from({ length: 256 }, (_, tos) => tos),
  );
  const crossed = readCapture(crossing.file);
  const esp = crossed.filter(
    ({ source, destination, protocol }) => protocol === 50 && source === '172.16.1.2' && destination === '172.16.3.2',
  );
  const clear = crossed.filter(({ protocol, destination }) => protocol === 47 || destination.startsWith('10.'));
  t.strictSame(clear.length, 0, 'nothing of it in the clear');
  t.strictSame(
    esp.map(({ tos }) => tos),
    sent.map(({ tos }) => tos),
    'on the ESP header',
  );
  const opened = await decryptWithScapy(crossing.file, '172.16.1.2', readScapySas(lab.keyLogDirectory('r1')), true);
  t.ok(opened.every((gre) => gre[9] === 47 && gre.readUInt32BE(20) === 0x0800));
  t.strictSame(
    opened.map((gre) => gre[1]),
    sent.map(({ tos }) => tos),
    'on the GRE header',
  );
  const original = sent.map(({ ip }) => withoutHopFields(ip));
  const differ = (packets: Buffer[]) => packets.filter((packet, n) => withoutHopFields(packet) !== original[n]).length;
  t.equal(differ(opened.map((packet) => packet.subarray(24))), 0, 'inside');
  t.equal(differ(readCapture(came.file).map(({ ip }) => ip)), 0, 'and at the other host');
  t.ok(readCapture(came.file).every(({ ip }, n) => ip[8] === sent[n].ip[8] - 2));

  const inClear = "send(IP(src='172.16.3.2', dst='172.16.1.2')/GRE()/IP(src='10.0.3.10', dst='10.0.1.10')/UDP(dport=5000), verbose=0)";
  await runScapy(inClear, {}, { lab, node: 'core' });
  await until('GRE in the clear to be refused', async () =>
    /clear_must_be_encrypted[^\n]* 1$/m.test(await lab.sh('r1', 'curl -s http://127.0.0.1:9848/metrics')),
  );
  const shown = JSON.stringify(await lab.show('r1', 'crypto ipsec sa'));
  t.match(shown, /"interface":"Tunnel0","cryptoMap":"Tunnel0-head-0","localAddress":"172\.16\.1\.2"/);
  t.match(shown, /"mode":"transport"/);
});
