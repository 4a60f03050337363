// Cutting at its edges: virtio headers that ask for what cannot be, each a hair beyond one that can, and checksums that come to zero.

import t from 'tap';
import { frameHasNext, frameNext, frameStart, makeFrame } from '../../../../dataplane/native/twin-gso.js';
import { fixHeader } from '../../../path/packets.js';
import { tcpDatagram, text, udpDatagram, virtioFrame } from '../../../property/dataplane/native/streams.js';
import { toHex } from './both.js';

function cut(bytes: Uint8Array, maxLength = 65535): string[] {
  const frame = makeFrame(bytes);
  const cuts: string[] = [];
  frameStart(frame, bytes.length - 10);
  while (frameHasNext(frame) && cuts.length < 100) {
    const to = new Uint8Array(maxLength);
    cuts.push(toHex(to.subarray(0, frameNext(frame, to, 0, maxLength))));
  }
  return cuts;
}

const common = { flags: 0x10, ipOptions: false, tcpOptions: false, df: false, id: 5, seq: 9, payload: 1000, gsoSize: 400 };
const tcp = () => virtioFrame({ ...common, tcp: true });
const udp = () => virtioFrame({ ...common, tcp: false });

t.test('what can be cut is cut', async (t) => {
  t.equal(cut(tcp()).length, 3);
  t.equal(cut(udp()).length, 3);
  const finished = tcp().fill(0, 0, 1);
  t.equal(cut(finished).length, 3, 'whether or not the checksum was left to the device');
});

// Bytes 0..9 are the virtio header, 10..29 the IPv4 header, then TCP or UDP.
for (const [why, make, at, ...values] of [
  ['segments of 0 bytes', tcp, 4, 0, 0],
  ['TCP that says UDP', tcp, 1, 5],
  ['UDP that says TCP', udp, 1, 1],
  ['UDP fragmentation', udp, 1, 3],
  ['IPv6', tcp, 1, 4],
  ['IPv6 in a frame of IPv4', tcp, 10, 0x65],
  ['an IPv4 header of 16 bytes', tcp, 10, 0x44],
  ['a total length beyond the frame', tcp, 12, 0x04, 0x11],
  ['a total length that ends in the TCP header', tcp, 12, 0, 39],
  ['a total length that ends in the UDP header', udp, 12, 0, 27],
  ['a fragment', tcp, 16, 0x20],
  ['a later fragment', tcp, 16, 0x00, 0x01],
  ['a TCP header of 16 bytes', tcp, 42, 0x40],
  ['checksum from elsewhere', tcp, 6, 21],
  ['checksum to elsewhere', tcp, 8, 6],
] as const) {
  t.test(`as it came, once: ${why}`, async (t) => {
    const frame = make();
    frame.set(values, at);
    t.strictSame(cut(frame), [toHex(frame.subarray(10))]);
  });
}

t.test('a TCP header beyond the total length is no superpacket, one that fills it is cut once', async (t) => {
  const frame = tcp();
  frame.set([0, 79], 12);
  frame[42] = 0xf0;
  t.strictSame(cut(frame), [toHex(frame.subarray(10))]);
  frame.set([0, 80], 12);
  const [only, ...more] = cut(frame);
  t.equal(only.length, 160);
  t.equal(more.length, 0);
});

t.test('a checksum anywhere in the frame, to its last two bytes', async (t) => {
  const frame = Uint8Array.of(1, 0, 0, 0, 0, 0, 4, 0, 2, 0, ...[0x45, 1, 2, 3, 4, 5, 0, 7]);
  t.strictSame(cut(frame), ['45010203' + '0405' + 'fbf3']); // ~(0405 + 0007)
  frame[8] = 3;
  t.strictSame(cut(frame), [toHex(frame.subarray(10))], 'one byte beyond');
  frame.set([0xff, 0xff], 6);
  t.strictSame(cut(frame), [toHex(frame.subarray(10))], 'far beyond');
});

t.test('a sum of zero is written as 0xffff where 0 means no checksum', async (t) => {
  const ip = { src: '10.1.0.1', dst: '10.2.0.1' };
  for (const build of [
    (data: Uint8Array) => udpDatagram({ ip, sport: 1, dport: 2, data }),
    (data: Uint8Array) => tcpDatagram({ ip, sport: 1, dport: 2, seq: 3, data }),
  ]) {
    const udp = build(new Uint8Array(0))[9] === 17;
    const at = udp ? 26 : 36;
    const data = text(1, 40);
    data.fill(0, 0, 2);
    const sum = build(data).slice(at, at + 2);
    data.set(sum);
    const wanted = build(data);
    t.strictSame([...wanted.subarray(at, at + 2)], udp ? [255, 255] : [0, 0], 'the word that brings the sum to zero');
    // The segment twice in one superpacket: the first is `wanted` but for the sequence number of TCP, which is the first's own.
    const whole = build(Uint8Array.of(...data, ...data));
    const [first] = cut(Uint8Array.of(1, udp ? 5 : 1, 0, 0, 40, 0, 20, 0, udp ? 6 : 16, 0, ...whole));
    t.equal(first, toHex(wanted));
  }
});

t.test('longer than its slot: reported as one byte more, the next follows', async (t) => {
  const lengths = cut(tcp(), 439).map((bytes) => bytes.length / 2);
  t.strictSame(lengths, [439, 439, 240]);
  const frame = makeFrame(tcp());
  frameStart(frame, frame.bytes.length - 10);
  t.equal(frameNext(frame, new Uint8Array(30), 0, 30), 31, 'even its headers');
  t.equal(frameNext(frame, new Uint8Array(440), 0, 440), 440);
});

t.test('a datagram that is finished is not touched', async (t) => {
  const datagram = fixHeader(udpDatagram({ ip: { src: '10.1.0.1', dst: '10.2.0.1' }, sport: 1, dport: 2, data: text(1, 50) }));
  datagram[50] ^= 1;
  t.strictSame(cut(Uint8Array.of(0, 0, 9, 9, 9, 9, 9, 9, 9, 9, ...datagram)), [toHex(datagram)]);
});
