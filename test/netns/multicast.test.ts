// A multicast stream from h1 reaches h2 and h3, encrypted under the group's TEK, its outer destination the group.
//
//   h1 -- r1 --- core [smcroute, capture] --- r2 -- h2        h1 :: numbered datagrams to 239.1.1.1
//                       \-------------------- r3 -- h3        h2, h3 :: each of them, once
//
//   core :: 10.0.1.10 -> 239.1.1.1 :: ESP, decrypted by nobody here; nothing to the group in the clear

import { writeFileSync } from 'node:fs';
import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { readCapture } from '../support/pcap.js';
import { capture } from '../support/tshark.js';

const group = '239.1.1.1';

function edit(router: Router, text: string): string {
  if (router === 'r4')
    return substitute(
      text,
      /( permit ip 10\.0\.0\.0 0\.0\.255\.255 10\.0\.0\.0 0\.0\.255\.255)/,
      '$1\n permit ip 10.0.0.0 0.0.255.255 239.0.0.0 0.255.255.255',
    );
  const joined = substitute(text, / crypto map GETVPN-MAP\n/, ` crypto map GETVPN-MAP\n ip igmp static-group ${group}\n`);
  return substitute(joined, / description branch \d\n/, ` ip igmp static-group ${group}\n`).replace(
    'interface FastEthernet0/0',
    'ip multicast-routing\ninterface FastEthernet0/0',
  );
}

const receiver = `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 5000))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('${group}') + socket.inet_aton(sys.argv[1]))
print('ready', flush=True)
while True: print(struct.unpack('!I', s.recv(2000)[:4])[0], flush=True)
`;
const sender = `
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
for n in range(500):
    s.sendto(struct.pack('!I', n) + b'x' * (n * 2), ('${group}', 5000)); time.sleep(0.002)
`;

t.test('a stream to a group', async (t) => {
  const lab = await Lab.up({ edit });
  t.teardown(() => lab.down());
  const configuration = `${lab.directory}/smcroute.conf`;
  writeFileSync(
    configuration,
    `phyint r1 enable\nphyint r2 enable\nphyint r3 enable\nmroute from r1 source 10.0.1.10 group ${group} to r2 r3\n`,
  );
  lab.spawn('core', [
    'smcrouted',
    '-n',
    '-N',
    '-f',
    configuration,
    '-P',
    `${lab.directory}/smcroute.pid`,
    '-u',
    `${lab.directory}/smcroute.sock`,
  ]);
  await until('the multicast route', async () => (await lab.sh('core', 'ip mroute show')).includes(group));
  const sinks = ['h2', 'h3'].map((host, n) => lab.spawn(host as 'h2', ['python3', '-c', receiver, `10.0.${n + 2}.10`]));
  for (const sink of sinks) await sink.says(/ready/);
  const tap = await capture(lab, 'core', 'any', '-Q in ip and not igmp');
  await lab.run('h1', ['python3', '-c', sender]);
  for (const sink of sinks) await until('the last datagram', () => /^499$/m.test(sink.stdout));
  await tap.stop();
  for (const sink of sinks) {
    const numbers = sink.stdout
      .split('\n')
      .slice(1)
      .filter((line) => line !== '')
      .map(Number);
    t.strictSame(
      numbers,
      Array.from({ length: 500 }, (_, n) => n),
      'each datagram, once and in order',
    );
  }
  const seen = readCapture(tap.file).filter(({ destination }) => destination.startsWith('239.'));
  t.equal(seen.length, 500);
  t.ok(
    seen.every(({ protocol, source, destination }) => protocol === 50 && source === '10.0.1.10' && destination === group),
    'only ESP, from the host to the group',
  );
  t.equal(new Set(seen.map(({ ip }) => ip.readUInt32BE(20))).size, 1, 'under one TEK');
  t.match(await lab.sh('r2', 'curl -s http://127.0.0.1:9848/metrics'), /group_opened_packets_total\{.*\} 500/);
});
