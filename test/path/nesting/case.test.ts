import t from 'tap';
import { sealByHand, textOf } from '../by-hand.js';
import { branchPacket, hex } from '../packets.js';
import { memberTables, Router, type SaSpec } from '../router.js';

const sa: SaSpec = { spi: 0x8001, transform: 'aes-sha1', window: 64 };

/** A branch packet sealed `depth` times, one in the other, with sequence numbers of its own. */
function onion(depth: number): Uint8Array {
  let packet = branchPacket(10);
  for (let i = 0; i < depth; i++) packet = sealByHand(sa, { seq: i + 1, text: textOf(packet, 16) });
  return packet;
}

t.test('ESP in ESP is opened in the turns of one pass, four times at most', (t) => {
  for (let depth = 1; depth <= 4; depth++) {
    const router = new Router(memberTables(2, sa));
    t.strictSame(router.forward(1, onion(depth))[0].map(hex), [hex(branchPacket(10))], `${depth} deep`);
    t.match(router.counters(), { 'sa[0].opened_packets': depth, 'path.sent_packets': 1 });
  }
  const router = new Router(memberTables(2, sa));
  t.equal(router.forward(1, onion(5)).flat().length, 0);
  t.match(router.counters(), { 'drop.nesting_too_deep': 1, 'sa[0].opened_packets': 4 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test("inside one of our tunnels ESP of an unknown SPI is the hosts' own", (t) => {
  const router = new Router(memberTables(2, sa));
  const theirs = sealByHand(sa, { seq: 1, text: textOf(branchPacket(10), 16), spi: 0x123456 });
  t.strictSame(router.forward(1, sealByHand(sa, { seq: 1, text: textOf(theirs, 16) }))[0].map(hex), [hex(theirs)]);
  t.end();
});
