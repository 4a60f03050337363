// A GRE tunnel between two members of the lab: sends a datagram with each ToS byte through it, and compares what h1 sent, what crossed the core, and what
// h3 got.

import type { Test } from 'tap';
import type { Lab } from '../support/lab.js';
import { until } from '../support/netns.js';
import { readCapture, withoutHopFields } from '../support/pcap.js';
import { decryptWithScapy, readScapySas, runScapy } from '../support/scapy.js';
import { capture } from '../support/tshark.js';

const sender = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for tos in range(256):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    s.sendto(bytes([tos]) * (tos * 5), ('10.0.3.10', 5000))
`;

/** @param transport ESP has GRE without an outer header of its own */
export async function checkEveryTos(t: Test, lab: Lab, transport: boolean): Promise<void> {
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
  const opened = await decryptWithScapy(crossing.file, '172.16.1.2', readScapySas(lab.keyLogDirectory('r1')), transport);
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
}
