// Two judges that we did not write open what the members seal, and a foreign sender seals what a member opens. A case per transform:
//
//   h1 [capture: what it sent] -- r1 --- core [capture] --- r2 -- h2
//                                         |
//                                 scapy seals and sends from here
//
//   core :: tshark with r1's key log   :: exactly the packets h1 sent, byte for byte but TTL and header checksum; every ICV good
//   core :: scapy with r1's key log    :: the same
//   h2   :: packets that scapy sealed  :: arrive; sent again, they do not; with a foreign outer source they do not
//   h1 -> h2, h3 -> h1 :: numbered datagrams while r4 replaces the TEK :: none lost; the old one can be taken away (changeTek)

import type { Test } from 'tap';
import { Lab, substitute } from '../support/lab.js';
import { backlogDrops, tellLossesSince } from '../support/losses.js';
import { until } from '../support/netns.js';
import { sortedWithoutHopFields, withoutHopFields } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { decryptWithScapy, type ForeignPacket, readScapySas, sendSealed } from '../support/scapy.js';
import { Flow } from '../support/traffic.js';
import { capture, decryptWithTshark } from '../support/tshark.js';

const sendVaried = `
import random, socket
random.seed(1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(200):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, (n * 4) % 256)
    s.sendto(random.randbytes(n * 7 % 1390), ('10.0.2.10', 5000 + n))
`;

export const withTransform = (text: string, transform: string) =>
  substitute(text, /(transform-set TRANSFORM-SET) esp-.*/, `$1 ${transform}`);

/** A lab whose members log their keys. @param transform behind the transform set's name, e.g. `esp-aes esp-sha-hmac` */
export async function decryptLab(t: Test, transform: string): Promise<Lab> {
  // A rekey by hand takes as long as its repetitions: one, after ten seconds.
  const edit = (router: string, text: string) =>
    router === 'r4' ? substitute(withTransform(text, transform), /rekey retransmit 10 number \d+/, 'rekey retransmit 10 number 1') : text;
  const lab = await Lab.up({ keyLog: true, edit });
  t.teardown(() => lab.down());
  await lab.sh('h1', 'ip route replace default via 10.0.1.1 mtu lock 1400'); // h1 makes fragments that fit, so r1 need not cut them again
  await lab.sh('h1', 'ethtool -K eth0 tso off gso off tx off'); // so that the capture on h1 holds what leaves it, checksums included
  return lab;
}

/** What members seal and open with the TEK that they have. */
export async function checkWithForeignCrypto(t: Test, lab: Lab): Promise<void> {
  const sent = await capture(lab, 'h1', 'eth0', '-Q out ip');
  const crossing = await capture(lab, 'core', 'r1', '-Q in ip proto 50');
  await lab.sh('h1', `ping ${pings(10).join(' ')} -s 1300 10.0.2.10; ping ${pings(3).join(' ')} -M dont -s 3000 10.0.2.10`);
  await lab.run('h1', ['/usr/bin/python3', '-c', sendVaried]);
  const server = lab.spawn('h2', ['iperf3', '-s', '--forceflush', '-1']);
  t.teardown(() => server.stop('SIGKILL'));
  await server.says(/listening/);
  await lab.run('h1', ['iperf3', '-c', '10.0.2.10', '-n', '200K']);
  await sent.stop();
  await crossing.stop();

  const original = sortedWithoutHopFields(sent.file);
  const keys = lab.keyLogDirectory('r1');
  const byTshark = await decryptWithTshark(crossing.file, 'ip.src == 10.0.1.10', keys);
  t.ok(original.length > 200, `h1 sent enough to compare: ${original.length}`);
  t.equal(byTshark.length, original.length, 'packets that tshark decrypts');
  t.equal(countDifferences(byTshark.map(withoutHopFields).sort(), original), 0, 'packets that differ from what h1 sent, by tshark');
  const sas = readScapySas(keys);
  const byScapy = await decryptWithScapy(crossing.file, '10.0.1.10', sas);
  t.equal(countDifferences(byScapy.map(withoutHopFields).sort(), original), 0, 'packets that differ from what h1 sent, by scapy');

  await checkForeignSender(t, lab, sas[sas.length - 1]);
}

export function countDifferences(a: readonly string[], b: readonly string[]): number {
  return Math.abs(a.length - b.length) + a.filter((packet, i) => packet !== b[i]).length;
}

const receive = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 7777)); print('ready', flush=True)
while True:
    data, source = s.recvfrom(2048); print(source[0], data.decode(), flush=True)
`;

async function checkForeignSender(t: Test, lab: Lab, sa: ReturnType<typeof readScapySas>[number]): Promise<void> {
  const sink = lab.spawn('h2', ['/usr/bin/python3', '-c', receive]);
  t.teardown(() => sink.stop('SIGKILL'));
  await sink.says(/ready/);
  const packet = (sequence: number, payload: string): ForeignPacket => ({
    source: '10.0.1.77',
    destination: '10.0.2.10',
    port: 7777,
    payload,
    sequence,
    // Sender ID 0xfedcba (24 bits): no member has it, so this sender has a replay window of its own.
    ...(sa.crypt_algo === 'AES-GCM' ? { iv: `fedcba${sequence.toString(16).padStart(10, '0')}` } : {}),
  });
  const core = { lab, node: 'core' } as const;
  const good = [1, 2, 5, 4, 3].map((sequence) => packet(sequence, `first-${sequence}`));
  await sendSealed(core, sa, good);
  await until('scapy-sealed packets at h2', () => (sink.stdout.match(/10\.0\.1\.77 first-/g) ?? []).length >= good.length, 20_000).catch(
    () => undefined,
  );
  for (const sequence of [1, 2, 3, 4, 5])
    t.match(sink.stdout, `10.0.1.77 first-${sequence}\n`, `packet ${sequence} sealed by scapy arrives`);

  const replayed = [1, 2, 5, 4, 3].map((sequence) => packet(sequence, `again-${sequence}`));
  const spoofed = { ...packet(6, 'spoofed-6'), outerSource: '10.0.1.78' };
  // The last one is good: when it has arrived, so would have the others.
  await sendSealed(core, sa, [...replayed, spoofed, packet(7, 'last-7')]);
  await until('the last packet at h2', () => /last-7/.test(sink.stdout), 20_000).catch(() => undefined);
  t.match(sink.stdout, '10.0.1.77 last-7\n', 'a fresh sequence number after replays arrives');
  t.notMatch(sink.stdout, /again-/, 'a replayed sequence number does not arrive');
  t.notMatch(sink.stdout, /spoofed-/, 'an outer source that is not the inner one does not arrive');
}

export const members = ['r1', 'r2', 'r3'] as const;
type MemberName = (typeof members)[number];

interface Member {
  succeededRegistrations: number;
  teks: { spi: number; sending: boolean }[];
}

export async function memberOf(lab: Lab, router: MemberName): Promise<Member> {
  return ((await lab.show(router, 'crypto gdoi gm')) as { gdoiMembers: Member[] }).gdoiMembers[0];
}

/** TEKs of a member, the one it sends with first. */
export async function teksOf(lab: Lab, router: MemberName): Promise<number[]> {
  const { teks } = await memberOf(lab, router);
  return teks.toSorted((a, b) => Number(b.sending) - Number(a.sending)).map(({ spi }) => spi);
}

/** r4's policy of now in force at all members, the TEK before taken away. @param old TEK that is to go */
export async function replaceTek(lab: Lab, old: number): Promise<void> {
  await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey replace-now');
  await until('the old TEK to be gone', async () => {
    for (const router of members) if ((await teksOf(lab, router)).includes(old)) return false;
    return true;
  });
}

/** A change of the TEK under traffic, with the ordinary change-over; then one at once. */
export async function changeTek(t: Test, lab: Lab): Promise<void> {
  const backlog = backlogDrops();
  const flows = [await Flow.start(lab, 'h1', 'h2', 120, 6001), await Flow.start(lab, 'h3', 'h1', 60, 6002, 0xb8)];
  const [old] = await teksOf(lab, 'r1');
  await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
  const changed = async () => {
    for (const router of members) if ((await teksOf(lab, router))[0] === old) return false;
    return true;
  };
  await until('all members to send with the new TEK', changed, 60_000, 200);
  await lab.sh('h1', 'sleep 1'); // and some more that is sealed with it
  for (const flow of flows) {
    const report = await flow.stop();
    t.ok(report.sent > 300, `enough was sent to mean something: ${report.sent}`);
    const seen = report.lost.length === 0 ? '' : await tellLossesSince(lab, backlog);
    t.same(report.lost, [], `datagrams lost of ${report.sent}${seen}`);
    t.equal(report.doubled, 0, 'datagrams that arrived twice');
  }
  for (const router of members)
    t.equal((await memberOf(lab, router)).succeededRegistrations, 1, `${router} was renewed by a push, not by registering again`);
  await replaceTek(lab, old);
  // What control shows is in force at the dataplanes a moment later.
  await until('an answer under the new TEK', async () => (await lab.run('h1', ['ping', '-c', '1', '-W', '1', '10.0.2.10'])).status === 0);
  t.equal((await lab.run('h1', ['ping', ...pings(3), '10.0.2.10'])).status, 0, 'traffic without the old TEK');
}
