// What may join and what may not, one rule a row: three datagrams of a flow, the second of which is odd. The properties say that nothing
// is broken by gathering; here it is said that gathering happens.

import t from 'tap';
import { Coalesce, planMessages } from '../../../../dataplane/native/twin-gro.js';
import { buildBatch, type Step, type Twist, udpDatagram } from '../../../property/dataplane/native/streams.js';

function plan(datagrams: readonly Uint8Array[], coalesce: number = Coalesce.Tcp | Coalesce.Udp) {
  const lengths = Int32Array.from(datagrams, ({ length }) => length);
  const offsets = new Int32Array(datagrams.length);
  for (let i = 1; i < offsets.length; i++) offsets[i] = offsets[i - 1] + lengths[i - 1];
  return planMessages(new Uint8Array(Buffer.concat(datagrams)), offsets, lengths, datagrams.length, coalesce);
}

function messagesOf(datagrams: readonly Uint8Array[], coalesce?: number): string {
  return plan(datagrams, coalesce).messageOf.join('');
}

const usual = (flow: number, twist: Twist = '', delta = 0): Step => ({ flow, twist, delta });

// Flows 0 and 2 are TCP, 1 and 3 UDP; 0 and 1 have DF set.
for (const [flow, twist, expected, why] of [
  [0, '', '000', 'the same stream'],
  [0, 'psh', '001', 'PSH joins and ends'],
  [0, 'fin', '001', 'FIN joins and ends'],
  [0, 'ack', '011', 'another acknowledgement'],
  [0, 'window', '011', 'another window'],
  [0, 'options', '011', 'other options'],
  [0, 'tos', '011', 'another ToS'],
  [0, 'ttl', '011', 'another TTL'],
  [0, 'df', '011', 'another DF'],
  [0, 'ece', '012', 'other flags: back again it is a third'],
  [0, 'gap', '011', 'a gap in the sequence'],
  [0, 'id', '000', 'Identification with DF means nothing'],
  [2, 'id', '011', 'Identification without DF must be consecutive'],
  [0, 'syn', '012', 'SYN'],
  [0, 'rst', '012', 'RST'],
  [0, 'urg', '012', 'URG'],
  [0, 'cwr', '012', 'CWR'],
  [0, 'urgent', '012', 'another urgent pointer'],
  [0, 'empty', '012', 'a pure acknowledgement goes alone and ends what was'],
  [0, 'ip-sum', '012', 'wrong header checksum'],
  [0, 'sum', '012', 'wrong TCP checksum'],
  [0, 'fragment', '012', 'a fragment closes what is between its hosts'],
  [0, 'more-fragments', '012', 'a first fragment too'],
  [0, 'ip-options', '012', 'IPv4 options'],
  [0, 'reserved', '012', 'the reserved bit'],
  [0, 'trailing', '012', 'bytes behind the datagram'],
  [0, 'total', '012', "a total length that is not the datagram's"],
  [0, 'data-offset', '012', 'a data offset beyond the end'],
  [0, 'icmp', '012', 'ICMP is of no flow; behind it the stream has a gap'],
  [1, '', '000', 'UDP of one size'],
  [1, 'ttl', '011', 'UDP: another TTL'],
  [1, 'tos', '011', 'UDP: another ToS'],
  [1, 'df', '011', 'UDP: another DF'],
  [1, 'id', '000', 'UDP: Identification with DF'],
  [3, 'id', '011', 'UDP: Identification without DF'],
  [1, 'sum', '012', 'wrong UDP checksum'],
  [1, 'no-sum', '012', 'no UDP checksum'],
  [1, 'empty', '012', 'UDP without data'],
  [1, 'udp-length', '012', "a UDP length that is not the datagram's"],
] as const) {
  t.test(`flow ${flow} ${twist}: ${why}`, async (t) => {
    t.equal(messagesOf(buildBatch([usual(flow), usual(flow, twist), usual(flow)])), expected);
  });
}

t.test('sizes: a shorter one joins and ends, a longer one opens anew', async (t) => {
  for (const flow of [2, 3]) {
    t.equal(messagesOf(buildBatch([usual(flow), usual(flow, '', -1), usual(flow), usual(flow)])), '0011');
    t.equal(
      messagesOf(buildBatch([usual(flow), usual(flow, '', 1), usual(flow), usual(flow)])),
      '0112',
      'of a longer one the usual is the end',
    );
  }
});

t.test('a UDP datagram whose checksum is none, though it would be right', async (t) => {
  const header = { src: '10.1.0.1', dst: '10.2.0.1', df: true };
  const build = (word: number, checksum: boolean) =>
    udpDatagram({ ip: header, sport: 1, dport: 2, data: Uint8Array.of(word >> 8, word & 255, 3, 4), checksum });
  const plain = build(0, true);
  // The word that makes the sum what it is without errors, so that only the rule of RFC 768 tells the two apart.
  const word = (plain[26] << 8) | plain[27];
  t.equal(messagesOf([build(word, true), build(word, true)]), '00');
  t.equal(messagesOf([build(word, false), build(word, false)]), '01');
});

t.test('Identification and sequence number go on behind their largest value', async (t) => {
  for (const flow of [0, 2, 3]) t.same(new Set(messagesOf(buildBatch(Array.from({ length: 30 }, () => usual(flow))))), new Set('0'));
});

t.test('TCP and UDP with the same ports, and ports that differ in one byte', async (t) => {
  t.equal(messagesOf(buildBatch([0, 1, 6, 14, 0, 1, 6, 14].map((flow) => usual(flow)))), '01230123');
});

t.test('a first segment with PSH goes alone', async (t) => {
  t.equal(messagesOf(buildBatch([usual(0, 'psh'), usual(0), usual(0)])), '011');
});

t.test('kinds that the receiver does not take', async (t) => {
  const mixed = buildBatch([usual(0), usual(1), usual(0), usual(1)]);
  t.equal(messagesOf(mixed), '0101');
  t.equal(messagesOf(mixed, Coalesce.Tcp), '0102');
  t.equal(messagesOf(mixed, Coalesce.Udp), '0121');
  t.equal(messagesOf(mixed, Coalesce.Nothing), '0123');
});

t.test('limits: 65,535 bytes, 64 UDP datagrams, 16 flows at once', async (t) => {
  const full = (flow: number, count: number) => plan(buildBatch(Array.from({ length: count }, () => usual(flow)))).messageOf;
  t.equal(full(8, 60).indexOf(1), 45, 'TCP: 40 + 12 + 45 * 1448 bytes fit');
  t.equal(full(1, 130).lastIndexOf(0), 63);
  t.equal(full(1, 130).lastIndexOf(1), 127);
  const rounds = (flows: number) => {
    const round = Array.from({ length: flows }, (_, flow) => usual(flow));
    return plan(buildBatch([...round, ...round])).messages.length;
  };
  t.equal(rounds(16), 16);
  t.ok(rounds(17) > 17, 'the seventeenth takes the place of another');
});

t.test('the virtio header of a superpacket, and of what goes alone', async (t) => {
  const { messages } = plan(buildBatch([usual(0), usual(1), usual(0), usual(0, 'psh'), usual(6)]));
  const fields = messages.map(([header]) => [header[0], header[1], ...new Uint16Array(header.slice(2).buffer)]);
  t.strictSame(fields, [
    [1, 1, 52, 100, 20, 16],
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0],
  ]);
  t.strictSame(
    messages.map((message) => message.map(({ length }) => length)),
    [
      [10, 152, 100, 100],
      [10, 128],
      [10, 89],
    ],
  );
  const first = messages[0][1];
  t.equal((first[2] << 8) | first[3], 352, 'total length');
  t.equal(first[33], 0x18, 'PSH of the last');
});
