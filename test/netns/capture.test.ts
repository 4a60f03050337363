// `monitor capture` beside tcpdump on both wires of r1: the file holds what they saw, byte for byte, and what r1 dropped with the reason.
//
//   h1 [tcpdump] -- FastEthernet0/1 r1 [in FROM-BRANCH, NAT, VPN] FastEthernet0/0 -- [tcpdump] core -- r2 -- h2,  core -- inet
//
//   h1 :: ping h2 (VPN), ping inet (PAT), a ping that does not fit, UDP that is denied :: each wire and direction: the same packets, TTL and checksums included
//   r1 :: inner                       :: what h1 sent to h2 and got from there, in the clear
//   r1 :: comments                    :: as many as `show drops` has, by reason
//   r1 :: export keys wireshark       :: tshark opens the ESP of the capture, and finds what `inner` has; refused where the configuration does not permit it
//   r1 :: debug platform packet-trace :: two pings to inet: in, translated as core has it, out
//   r1 :: a filter, limits, no space  :: only that; it ends by itself; a clear word

import { existsSync, readFileSync, statSync } from 'node:fs';
import t from 'tap';
import type { FollowedPacket } from '../../control/api/snapshot-packet-trace.js';
import { Lab, substitute } from '../support/lab.js';
import { mustAnswer } from '../support/losses.js';
import { runChecked, until } from '../support/netns.js';
import { readCapture, withoutHopFields } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { capture, decryptWithTshark } from '../support/tshark.js';

const list = `crypto key export wireshark
ip access-list extended FROM-BRANCH
 10 deny udp any any eq 9999
 20 permit ip any any
ip access-list extended ONLY-INET
 10 permit icmp any host 198.51.100.10
`;

const speak = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(5): s.sendto(b'x' * n, ('10.0.2.10', 9999))
for n in range(7): s.sendto(b'y' * (n * 190), ('10.0.2.10', 7000 + n))
`;

interface DropTable {
  reasons: { name: string; interfaces: Record<string, number> }[];
}

t.test('monitor capture', async (t) => {
  const edit = (router: string, text: string) =>
    router === 'r1'
      ? substitute(
          substitute(text, / ip nat inside\n/, ' ip access-group FROM-BRANCH in\n ip nat inside\n'),
          /ip access-list extended NAT\n/,
          `${list}ip access-list extended NAT\n`,
        )
      : text;
  const lab = await Lab.up({ edit, start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  await lab.sh('h1', 'ethtool -K eth0 tso off gso off tx off'); // so that tcpdump on h1 sees checksums
  await lab.sh('h1', 'ping -c 1 -W 5 10.0.2.10 && ping -c 1 -W 5 198.51.100.10'); // everybody is known to everybody

  const file = `${lab.directory}/c.pcapng`;
  const exec = (line: string) => lab.groupwire('r1', 'exec', line);
  const before = (await lab.show('r1', 'drops')) as DropTable;
  const wires = {
    'FastEthernet0/1 1': await capture(lab, 'h1', 'eth0', '-Q out ip'),
    'FastEthernet0/1 2': await capture(lab, 'h1', 'eth0', '-Q in ip'),
    'FastEthernet0/0 1': await capture(lab, 'core', 'r1', '-Q out ip and not port 848'),
    'FastEthernet0/0 2': await capture(lab, 'core', 'r1', '-Q in ip and not port 848'),
  };
  t.equal(await exec(`monitor capture C interface both export ${file}`), 'Started capture point : C\n');
  await lab.sh('h1', `ping ${pings(5).join(' ')} -s 900 10.0.2.10; ping ${pings(4).join(' ')} 198.51.100.10`);
  await lab.run('h1', ['python3', '-c', speak]);
  await lab.run('h1', ['ping', '-c', '1', '-W', '1', '-M', 'do', '-s', '1472', '10.0.2.10']);
  await mustAnswer(lab, 'h1', '10.0.2.10');
  for (const wire of Object.values(wires)) await wire.stop();
  t.match(await exec('monitor capture C stop'), /^Stopped capture point : C\n\d+ packets, \d+ bytes in /);

  /** Packets of the file that a display filter takes. */
  const packets = async (filter: string): Promise<Buffer[]> => {
    const part = `${lab.directory}/part.pcap`;
    await runChecked(['tshark', '-n', '-r', file, '-Y', `(${filter}) && !(udp.port == 848)`, '-F', 'pcap', '-w', part]);
    return readCapture(part).map(({ ip }) => ip);
  };
  const sorted = (list: readonly Buffer[]) => list.map((ip) => ip.toString('hex')).sort();
  for (const [place, wire] of Object.entries(wires)) {
    const [name, direction] = place.split(' ');
    const isWire = `frame.interface_name == "${name}" && frame.packet_flags_direction == ${direction}`;
    // What was dropped on its way out never was on the wire.
    const mine = await packets(direction === '1' ? isWire : `${isWire} && !frame.comment`);
    const seen = readCapture(wire.file).map(({ ip }) => ip);
    t.ok(seen.length >= 10, `${place}: tcpdump saw ${seen.length}`);
    t.strictSame(sorted(mine), sorted(seen), `${place}: byte for byte`);
  }
  const inside = async (filter: string, of: readonly Buffer[], what: string) => {
    const mine = (await packets(`frame.interface_name == "FastEthernet0/0 inner" && ${filter}`)).map(withoutHopFields).sort();
    t.ok(mine.length >= 6, `${what}: ${mine.length}`);
    t.strictSame(mine, of.map(withoutHopFields).sort(), what);
  };
  const toH2 = await packets(
    'frame.interface_name == "FastEthernet0/1" && frame.packet_flags_direction == 1 && ip.dst == 10.0.2.10 && !frame.comment',
  );
  const fromH2 = await packets('frame.interface_name == "FastEthernet0/1" && frame.packet_flags_direction == 2 && ip.src == 10.0.2.10');
  await inside('frame.packet_flags_direction == 2', toH2, 'sealed');
  await inside('frame.packet_flags_direction == 1', fromH2, 'opened');

  const after = (await lab.show('r1', 'drops')) as DropTable;
  const count = (table: DropTable, name: string) =>
    table.reasons.find((reason) => reason.name === name)?.interfaces['FastEthernet0/1'] ?? 0;
  for (const [name, filter, least] of [
    ['acl_in', 'udp.dstport == 9999', 5],
    ['mtu_exceeded', 'ip.len == 1500', 1],
  ] as const) {
    t.equal((await packets(`frame.comment contains "dropped: ${name}" && ${filter}`)).length, least, name);
    t.equal(count(after, name) - count(before, name), least, `${name} in show drops`);
  }

  const { captures } = (await lab.show('r1', 'monitor capture')) as {
    captures: { packets: number; bytes: number; lost: number; dropped: number }[];
  };
  t.match(await runChecked(['capinfos', '-T', '-r', '-c', file]), `\t${captures[0].packets}\n`, 'capinfos counts as many');
  t.match(captures, [{ bytes: statSync(file).size, lost: 0, dropped: 6 }]);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.match(
    await lab.groupwire('r1', 'show', 'monitor', 'capture', 'C'),
    /^Status Information for Capture C\n[\s\S]* Status : Inactive \(stopped\)\n/,
  );
  await lab.logs('r1', /%BUFCAP-6-DISABLE: Capture Point C disabled\./);

  const keys = `${lab.directory}/keys`;
  t.match(
    await lab.groupwire('r1', 'export', 'keys', 'wireshark', keys),
    /^Keys of \d+ IPsec SAs and \d+ ISAKMP SAs are in .*: whoever reads it can read the traffic\n/,
  );
  t.equal(statSync(keys).mode & 0o777, 0o700);
  const outer = 'frame.interface_name == "FastEthernet0/0" && ip.addr == 10.0.2.10';
  const opened = (await decryptWithTshark(file, outer, keys)).map(withoutHopFields).sort();
  t.strictSame(
    opened,
    (await packets('frame.interface_name == "FastEthernet0/0 inner"')).map(withoutHopFields).sort(),
    'tshark finds what r1 says was inside',
  );
  const tables = ['esp_sa', 'ikev1_decryption_table'].map((name) => `${keys}/${name}`);
  for (const table of tables) t.equal(statSync(table).mode & 0o777, 0o600);
  const secrets = tables.flatMap((table) => readFileSync(table, 'utf8').match(/[0-9a-f]{32,}/g) ?? []);
  t.ok(secrets.length >= 2, 'there are keys');
  await lab.logs('r1', /%CRYPTO-4-KEY_EXPORT: the keys of \d+ IPsec SAs and \d+ ISAKMP SAs were exported to /);
  const said = `${lab.log('r1')}${JSON.stringify(await lab.show('r1', 'tech-support'))}`;
  t.notOk(
    secrets.some((secret) => said.toLowerCase().includes(secret)),
    'and none of them is told',
  );
  await t.rejects(
    lab.groupwire('r2', 'export', 'keys', 'wireshark', `${keys}2`),
    /the configuration does not say crypto key export wireshark/,
  );
  t.notOk(existsSync(`${keys}2`));

  t.equal(
    await exec('debug platform packet-trace packet 2 access-list ONLY-INET'),
    'The next 2 packets that access list ONLY-INET permits are traced\n',
  );
  const translated = await capture(lab, 'core', 'r1', '-Q in icmp and dst host 198.51.100.10');
  await lab.sh('h1', `ping -c 1 -W 5 10.0.2.10; ping ${pings(4).join(' ')} 198.51.100.10`);
  await translated.stop();
  const traced = (await lab.show('r1', 'platform packet-trace summary')) as { packetTrace: { packets: FollowedPacket[] } };
  const [left] = readCapture(translated.file);
  t.match(
    traced.packetTrace.packets,
    [1, 2].map(() => ({
      input: 'FastEthernet0/1',
      output: 'FastEthernet0/0',
      state: 'FWD',
      steps: [
        { type: 'INPUT' },
        { type: 'NAT', information: [`source 10.0.1.10 became ${left.source}`] },
        { type: 'OUTPUT', packet: { ttl: left.ip[8], bytes: left.ip.length } },
      ],
    })),
  );
  t.equal(traced.packetTrace.packets.length, 2);
  t.match(
    await lab.groupwire('r1', 'show', 'platform', 'packet-trace', 'packet', '1'),
    /^Packet: 1\nSummary\n {2}Input {5}: FastEthernet0\/1\n/,
  );
  await exec('undebug platform packet-trace');

  await t.rejects(exec(`monitor capture D interface outer export ${file}`), /it exists, and nothing is written over/);
  await exec(`monitor capture D interface fa0/1 filter ONLY-INET packets 4 export ${lab.directory}/d.pcapng`);
  await lab.sh('h1', `ping ${pings(2).join(' ')} 10.0.2.10; ping ${pings(5).join(' ')} 198.51.100.10`);
  const ended = async () =>
    ((await lab.show('r1', 'monitor capture D')) as { captures: { ended: string | null; packets: number }[] }).captures;
  await until('the capture to end', async () => (await ended())[0].ended !== null).catch(() => undefined);
  t.match(await ended(), [{ ended: 'as many packets as it may have', packets: 4 }]);
  const rows = await runChecked(['tshark', '-n', '-r', `${lab.directory}/d.pcapng`, '-T', 'fields', '-e', 'ip.dst']);
  t.equal(rows, '198.51.100.10\n'.repeat(4), 'what the filter permits, and no more than it may have');
});
