import fc from 'fast-check';
import t from 'tap';
import {
  checkGre,
  Gre,
  GreFault,
  greHeaderLength,
  greKey,
  greSequence,
  isInSequence,
  isSumRight,
  takeCongestion,
  writeGre,
} from '../../../../dataplane/proto/gre.js';
import { fixHeader, ipv4, sumOf } from '../../../path/packets.js';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const fields = fc.subarray([Gre.Checksum as number, Gre.Key, Gre.Sequence]).map((bits) => bits.reduce((sum, bit) => sum | bit, 0));

t.test('what is written is read back, at any place and in front of any payload', (t) => {
  fc.assert(
    fc.property(
      fields,
      word,
      word,
      fc.nat(0xffff),
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(7),
      (flags, key, sequence, type, payload, at) => {
        const header = greHeaderLength(flags);
        const bytes = new Uint8Array(at + header + payload.length).fill(0xa5);
        bytes.set(payload, at + header);
        const view = new DataView(bytes.buffer);
        const length = header + payload.length;
        writeGre(view, at, flags, type, key, sequence, length);
        const isRead =
          checkGre(view, at, length) === header &&
          view.getUint16(at + Gre.Protocol) === type &&
          ((flags & Gre.Key) === 0 || greKey(view, at) === key) &&
          ((flags & Gre.Sequence) === 0 || greSequence(view, at) === sequence) &&
          isSumRight(view, at, length);
        // RFC 2784 §2.5, by the sum of the tests' own.
        const isSummed = (flags & Gre.Checksum) === 0 || sumOf(bytes.subarray(at)) === 0;
        const isKept = bytes.subarray(0, at).every((byte) => byte === 0xa5) && payload.every((byte, i) => bytes[at + header + i] === byte);
        return isRead && isSummed && isKept;
      },
    ),
  );
  t.end();
});

t.test('a flipped bit of what is summed is noticed', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 99 }), fc.nat(), fc.nat(7), (payload, place, bit) => {
      const bytes = new Uint8Array(8 + payload.length);
      bytes.set(payload, 8);
      const view = new DataView(bytes.buffer);
      writeGre(view, 0, Gre.Checksum, 0x800, 0, 0, bytes.length);
      bytes[4 + (place % (bytes.length - 4))] ^= 1 << bit;
      return !isSumRight(view, 0, bytes.length);
    }),
  );
  t.end();
});

t.test('any bytes: the header that is found lies within them', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
      const found = checkGre(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
      if (found > 0) return found <= bytes.length && found >= 4 && (bytes[1] & 7) === 0 && (bytes[0] & 0x4c) === 0;
      if (found === GreFault.Version) return (bytes[1] & 7) !== 0;
      if (found === GreFault.Flags) return (bytes[0] & 0x4c) !== 0;
      return bytes.length < 16;
    }),
  );
  t.end();
});

t.test('the window of sequence numbers, with big numbers', (t) => {
  fc.assert(
    fc.property(word, fc.oneof(word, fc.integer({ min: -3, max: 3 })), (last, ahead) => {
      // RFC 2890 §2.2: the last number that was taken, and the 2^31 - 1 before it.
      const behind = (BigInt.asUintN(32, BigInt(last)) - BigInt.asUintN(32, BigInt(last) + BigInt(ahead)) + (1n << 32n)) % (1n << 32n);
      return isInSequence((last + ahead) | 0, (last + 1) | 0) === behind > (1n << 31n) - 1n;
    }),
  );
  t.end();
});

t.test('the congestion mark: the inner header stays well-formed and changes in its ECN bits alone', (t) => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(255), fc.nat(0xffff), (inner, outer, id) => {
      const packet = ipv4({ src: '10.0.0.1', dst: '10.0.0.2', tos: inner, id });
      const before = packet.slice();
      const isTaken = takeCongestion(new DataView(packet.buffer), 0, outer);
      if (!isTaken) return (inner & 3) === 0 && (outer & 3) === 3;
      const ecn = packet[1] & 3;
      before[1] = (inner & 0xfc) | ecn;
      fixHeader(before);
      // Both forms of zero are right (RFC 1624 §3).
      const isSame = packet.every((byte, i) => byte === before[i] || i === 10 || i === 11) && sumOf(packet.subarray(0, 20)) === 0;
      const expected = (outer & 3) === 3 ? 3 : (outer & 3) === 1 && (inner & 3) === 2 ? 1 : inner & 3;
      return isSame && ecn === expected;
    }),
  );
  t.end();
});
