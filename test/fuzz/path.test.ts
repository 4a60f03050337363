import fc from 'fast-check';
import t from 'tap';
import { ivOf, sealByHand, textOf } from '../path/by-hand.js';
import { branchPacket, fixHeader, ipv4 } from '../path/packets.js';
import { fuzz, natSeeds } from './path.js';

const sa = { spi: 0xf001, transform: 'gcm-128' as const };
const seeds = [
  branchPacket(20),
  branchPacket(1400, { df: true }),
  ipv4({
    src: '10.0.2.10',
    dst: '10.0.1.10',
    payload: new Uint8Array(1600),
    options: Uint8Array.of(0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0),
  }),
  sealByHand(sa, { seq: 1, text: textOf(branchPacket(5), 4), iv: ivOf(2, 2) }),
];

t.test('mutated packets', (t) => {
  let sequence = 2;
  const mutation = fc.array(fc.tuple(fc.nat(1700), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(fc.nat(4), mutation, fc.nat(1), fc.boolean(), fc.nat(1700), (pick, changes, port, fix, cut) => {
      // Seed 4 is mutated before it is sealed, so that the mutation arrives behind a good ICV.
      const packet = pick < 4 ? seeds[pick].slice() : branchPacket(40);
      for (const [at, value] of changes) packet[at % packet.length] = value;
      if (fix && (packet[0] & 15) * 4 <= packet.length) fixHeader(packet);
      const seq = sequence++;
      const sent =
        pick < 4 ? packet.subarray(0, cut > 200 ? packet.length : cut) : sealByHand(sa, { seq, text: textOf(packet, 4), iv: ivOf(2, seq) });
      fuzz(Uint8Array.of(port, ...sent));
    }),
    { numRuns: 4000 },
  );
  t.pass();
  t.end();
});

t.test('mutated packets of translated flows', (t) => {
  const mutation = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 3 });
  fc.assert(
    fc.property(fc.nat(natSeeds.length - 1), mutation, fc.boolean(), fc.nat(80), (pick, changes, fix, cut) => {
      const packet = natSeeds[pick].slice(1);
      for (const [at, value] of changes) packet[at % packet.length] = value;
      if (fix && (packet[0] & 15) * 4 <= packet.length) fixHeader(packet);
      fuzz(Uint8Array.of(natSeeds[pick][0], ...packet.subarray(0, cut > 60 ? packet.length : cut)));
    }),
    { numRuns: 3000 },
  );
  t.pass();
  t.end();
});

t.test('noise', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2500, size: 'max' }), (bytes) => fuzz(bytes)),
    { numRuns: 1000 },
  );
  t.pass();
  t.end();
});
