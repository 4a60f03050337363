// Translation on bytes: there and back is the identity, checksums are what a full computation gives, errors follow what they quote.

import fc from 'fast-check';
import t from 'tap';
import { checksum } from '../../../../dataplane/proto/checksum.js';
import { End, isIcmpQuery, Quote, readQuote, rewriteEnd, rewriteQuote } from '../../../../dataplane/proto/nat.js';

const address = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const port = fc.nat(65535);
const payload = fc.uint8Array({ maxLength: 60 });

interface Made {
  bytes: Uint8Array;
  view: DataView;
  l4: number;
}

/** An IPv4 header before a transport part, with its checksum. */
function ipv4(protocol: number, src: number, dst: number, l4: Uint8Array, options = 0): Made {
  const header = 20 + options * 4;
  const bytes = new Uint8Array(header + l4.length);
  const view = new DataView(bytes.buffer);
  bytes.fill(1, 20, header); // no operation
  view.setUint16(0, 0x4000 | ((header / 4) << 8));
  view.setUint16(2, bytes.length);
  view.setUint16(4, 77);
  view.setUint16(8, 0x4000 | protocol);
  view.setInt32(12, src);
  view.setInt32(16, dst);
  view.setUint16(10, checksum(view, 0, header));
  bytes.set(l4, header);
  return { bytes, view, l4: header };
}

/** The checksum of a transport part with its pseudo header (RFC 9293 §3.1, RFC 768). */
function transportSum({ bytes, view, l4 }: Made): number {
  const length = bytes.length - l4;
  const all = new Uint8Array(12 + length);
  const whole = new DataView(all.buffer);
  whole.setInt32(0, view.getInt32(12));
  whole.setInt32(4, view.getInt32(16));
  whole.setUint16(8, view.getUint8(9));
  whole.setUint16(10, length);
  all.set(bytes.subarray(l4), 12);
  return checksum(whole, 0, all.length);
}

const sumAt: Record<number, number> = { 6: 16, 17: 6 };

function transport(protocol: number, src: number, dst: number, sport: number, dport: number, data: Uint8Array, options = 0): Made {
  const l4 = new Uint8Array((protocol === 6 ? 20 : 8) + data.length);
  const view = new DataView(l4.buffer);
  view.setUint16(0, sport);
  view.setUint16(2, dport);
  if (protocol === 17) view.setUint16(4, l4.length);
  l4.set(data, l4.length - data.length);
  const made = ipv4(protocol, src, dst, l4, options);
  const sum = transportSum(made);
  made.view.setUint16(made.l4 + sumAt[protocol], sum === 0 && protocol === 17 ? 0xffff : sum);
  return made;
}

function icmp(type: number, src: number, dst: number, rest: Uint8Array): Made {
  const l4 = new Uint8Array(4 + rest.length);
  l4[0] = type;
  l4.set(rest, 4);
  const made = ipv4(1, src, dst, l4);
  made.view.setUint16(made.l4 + 2, checksum(made.view, made.l4, l4.length));
  return made;
}

/** Both checksums are right: sums over bytes with a right checksum are 0. */
function isRight(made: Made): boolean {
  const protocol = made.view.getUint8(9);
  const header = checksum(made.view, 0, made.l4) === 0;
  return header && (protocol === 1 ? checksum(made.view, made.l4, made.bytes.length - made.l4) : transportSum(made)) === 0;
}

t.test('TCP and UDP: there and back', (t) => {
  const flows = fc.tuple(fc.constantFrom(6, 17), address, address, port, port, payload, fc.nat(3));
  fc.assert(
    fc.property(flows, address, port, fc.constantFrom(End.Source, End.Destination), ([protocol, ...flow], other, newPort, end) => {
      const made = transport(protocol, ...flow);
      const before = made.bytes.slice();
      const field = end === End.Source ? 12 : 16;
      const oldAddress = made.view.getInt32(field);
      const oldPort = made.view.getUint16(made.l4 + (end === End.Source ? 0 : 2));
      rewriteEnd(made.view, 0, made.l4, made.bytes.length, end, other, newPort);
      if (made.view.getInt32(field) !== other || made.view.getUint16(made.l4 + (end === End.Source ? 0 : 2)) !== newPort) return false;
      if (!isRight(made) || (protocol === 17 && made.view.getUint16(made.l4 + 6) === 0)) return false;
      rewriteEnd(made.view, 0, made.l4, made.bytes.length, end, oldAddress, oldPort);
      // The two zeros of one's complement are one number.
      for (const at of [10, made.l4 + sumAt[protocol]]) if (made.view.getUint16(at) === 0xffff) made.view.setUint16(at, 0);
      const expected = new DataView(before.buffer);
      for (const at of [10, made.l4 + sumAt[protocol]]) if (expected.getUint16(at) === 0xffff) expected.setUint16(at, 0);
      return Buffer.compare(made.bytes, before) === 0;
    }),
    { numRuns: 1000 },
  );
  t.end();
});

t.test(
  'a wrong checksum stays wrong, one that was left out stays so, later fragments and other protocols have their addresses changed',
  (t) => {
    const wrong = transport(17, 1, 2, 3, 4, Uint8Array.of(1, 2, 3));
    wrong.view.setUint16(wrong.l4 + 6, wrong.view.getUint16(wrong.l4 + 6) ^ 0x100);
    rewriteEnd(wrong.view, 0, wrong.l4, wrong.bytes.length, End.Source, 99, 98);
    t.not(transportSum(wrong), 0);
    const none = transport(17, 1, 2, 3, 4, Uint8Array.of(1, 2, 3));
    none.view.setUint16(none.l4 + 6, 0);
    rewriteEnd(none.view, 0, none.l4, none.bytes.length, End.Destination, 99, 98);
    t.equal(none.view.getUint16(none.l4 + 6), 0);
    const gre = ipv4(
      47,
      1,
      2,
      Uint8Array.from({ length: 30 }, (_, i) => i),
    );
    const payloadBefore = gre.bytes.slice(20);
    rewriteEnd(gre.view, 0, 20, gre.bytes.length, End.Source, 7, 5);
    t.equal(gre.view.getInt32(12), 7);
    t.equal(checksum(gre.view, 0, 20), 0);
    t.same(gre.bytes.slice(20), payloadBefore);
    t.end();
  },
);

t.test('ICMP queries have an identifier, other messages none', (t) => {
  fc.assert(
    fc.property(fc.nat(255), address, address, fc.uint8Array({ minLength: 4, maxLength: 40 }), port, (type, src, dst, rest, id) => {
      const made = icmp(type, src, dst, rest);
      const before = made.view.getUint16(made.l4 + 4);
      rewriteEnd(made.view, 0, made.l4, made.bytes.length, End.Source, src ^ 0x55, id);
      return made.view.getUint16(made.l4 + 4) === (isIcmpQuery(type) ? id : before) && isRight(made);
    }),
  );
  t.end();
});

t.test('an error is right again after what it quotes was translated, wherever the quote ends', (t) => {
  const quoted = fc.oneof(
    fc.tuple(fc.constantFrom(6, 17), address, address, port, port, payload).map((flow) => transport(...flow)),
    fc.tuple(address, address, fc.uint8Array({ minLength: 4, maxLength: 40 })).map(([src, dst, rest]) => icmp(8, src, dst, rest)),
    fc.tuple(address, address, payload).map(([src, dst, rest]) => ipv4(50, src, dst, rest)),
  );
  fc.assert(
    fc.property(quoted, fc.nat(60), address, port, fc.constantFrom(End.Source, End.Destination), (original, cut, other, newPort, end) => {
      const kept = original.bytes.subarray(0, Math.max(20, original.bytes.length - cut));
      const rest = new Uint8Array(4 + kept.length);
      rest.set(kept, 4);
      const error = icmp(3, 5, 6, rest);
      const quote = new Int32Array(Quote.Words);
      const before = error.bytes.slice();
      if (!readQuote(error.view, error.l4, error.bytes.length, quote)) return Buffer.compare(before, error.bytes) === 0;
      if (quote[Quote.Src] !== original.view.getInt32(12) || quote[Quote.Dst] !== original.view.getInt32(16)) return false;
      rewriteQuote(error.view, error.l4, error.bytes.length, quote, end, other, newPort);
      const inner = new DataView(error.bytes.buffer, quote[Quote.At]);
      return isRight(error) && checksum(inner, 0, 20) === 0 && inner.getInt32(end === End.Source ? 12 : 16) === other;
    }),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('any bytes: nothing is read or written beyond the end', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 90 }), fc.nat(90), address, port, (bytes, length, other, newPort) => {
      const end = Math.min(20 + length, bytes.length);
      const room = new Uint8Array(bytes.length + 40).fill(0xee);
      room.set(bytes.subarray(0, end));
      const view = new DataView(room.buffer);
      const quote = new Int32Array(Quote.Words);
      if (readQuote(view, 20, end, quote)) rewriteQuote(view, 20, end, quote, End.Source, other, newPort);
      rewriteEnd(view, 0, 20, end, End.Destination, other, newPort);
      return room.subarray(end).every((byte) => byte === 0xee);
    }),
    { numRuns: 2000 },
  );
  t.end();
});
