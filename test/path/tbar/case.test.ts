// Time-based anti-replay: what is sealed says when, what is opened must be of now, within the window. MTU table: facts/mtu-and-nat.md, 12 bytes.
import t from 'tap';
import { sealByHand, textOf } from '../by-hand.js';
import { branchPacket, hex } from '../packets.js';
import { memberTables, Router, type SaSpec, type TransformName } from '../router.js';

const windowSeconds = 5;
const timed = (sa: Partial<SaSpec>, offset = 1_000_000): SaSpec => ({
  spi: 0x7001,
  transform: 'aes-sha1',
  time: { windowSeconds, offset },
  ...sa,
});

/** Header of proto/tbar.ts, written anew. */
function headed(inner: Uint8Array, ms: number, head = 0x04010000): Uint8Array {
  const out = new Uint8Array(12 + inner.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, head);
  view.setBigUint64(4, BigInt(ms));
  out.set(inner, 12);
  return out;
}

for (const transform of ['aes-sha1', 'gcm-256', '3des-sha1', 'null-sha1'] as const) {
  t.test(`${transform}: from one member to another, whose clock has another origin`, (t) => {
    const sender = new Router(memberTables(1, timed({ transform, sids: [1] })));
    const receiver = new Router(memberTables(2, timed({ transform, sids: [2] }, 999_500)));
    receiver.nowMs = sender.nowMs + 500; // the same pseudotime
    const sealed = sender.forward(0, branchPacket(100), branchPacket(101, { df: true }))[1];
    const opened = receiver.forward(1, ...sealed)[0];
    t.strictSame(opened.map(hex), [branchPacket(100), branchPacket(101, { df: true })].map(hex));
    t.match(sender.counters(), { 'group[0].time_sent': 2, 'group[0].sealed_packets': 2 });
    t.match(receiver.counters(), { 'group[0].time_accepted': 2, 'group[0].opened_packets': 2 });
    for (const router of [sender, receiver]) t.equal(router.imbalance(), null);
    t.end();
  });
}

t.test('the edges of the window, on both sides', (t) => {
  const sa = timed({});
  const receiver = new Router(memberTables(2, sa));
  const now = receiver.nowMs + 1_000_000;
  let seq = 1;
  const accepted = (ms: number, head?: number) =>
    receiver.forward(1, sealByHand(sa, { seq: seq++, text: textOf(headed(branchPacket(10), ms, head), 16, 253) }))[0].length === 1;
  t.ok(accepted(now));
  t.ok(accepted(now - 5000));
  t.notOk(accepted(now - 5001));
  t.ok(accepted(now + 5000));
  t.notOk(accepted(now + 5001));
  t.notOk(accepted(2 ** 53 - 1));
  t.notOk(accepted(2 ** 53 + 5), 'beyond what adds up exactly');
  t.notOk(accepted(now, 0x04020000), 'another version');
  t.notOk(accepted(now, 0x04010001), 'reserved bits');
  t.match(receiver.counters(), { 'drop.esp_time': 6, 'group[0].time_refused': 6, 'group[0].time_accepted': 3, 'sa[0].replay_drops': 6 });
  const told: unknown[] = [];
  receiver.env.events.drain(5000, (event) => told.push(event));
  t.strictSame(told, [{ kind: 'replay-time', spi: 0x7001, src: 0x0a00010a, dst: 0x0a00020a, count: 6, ownMs: now, peerMs: now - 5001 }]);
  t.equal(receiver.imbalance(), null);
  t.end();
});

t.test('a captured packet is of use for as long as the window', (t) => {
  const sender = new Router(memberTables(1, timed({})));
  const receiver = new Router(memberTables(2, timed({})));
  const [sealed] = sender.forward(0, branchPacket(10))[1];
  t.equal(receiver.forward(1, sealed)[0].length, 1);
  receiver.nowMs += 4000;
  t.equal(receiver.forward(1, sealed)[0].length, 1, 'within the window it passes again: that is what time alone can do');
  receiver.nowMs += 1001;
  t.equal(receiver.forward(1, sealed)[0].length, 0);
  t.equal(receiver.env.replay.length, 0, 'no window per sender');
  t.end();
});

t.test('with and without: neither takes the other for its own', (t) => {
  const plain: SaSpec = { spi: 0x7001, transform: 'aes-sha1' };
  const [withTime] = new Router(memberTables(1, timed({}))).forward(0, branchPacket(10))[1];
  const [without] = new Router(memberTables(1, plain)).forward(0, branchPacket(10))[1];
  const timedReceiver = new Router(memberTables(2, timed({})));
  t.equal(timedReceiver.forward(1, without)[0].length, 0);
  t.match(timedReceiver.counters(), { 'drop.esp_trailer': 1 });
  const plainReceiver = new Router(memberTables(2, plain));
  t.equal(plainReceiver.forward(1, withTime)[0].length, 0);
  t.match(plainReceiver.counters(), { 'drop.esp_trailer': 1 });
  const short = new Router(memberTables(2, timed({})));
  t.equal(
    short.forward(1, sealByHand(plain, { seq: 1, text: textOf(new Uint8Array(11), 16, 253) }))[0].length,
    0,
    'shorter than its header',
  );
  t.match(short.counters(), { 'drop.esp_time': 1 });
  t.end();
});

const largest: [TransformName, number][] = [
  ['aes-sha1', 1426],
  ['aes-sha256', 1426],
  ['3des-sha1', 1434],
  ['gcm-256', 1434],
  ['null-sha1', 1446],
];
for (const [transform, most] of largest) {
  t.test(`${transform}: ${most} bytes fit 1500, one more with DF does not`, (t) => {
    const router = new Router(memberTables(1, timed({ transform, sids: [1] })));
    const [sealed] = router.forward(0, branchPacket(most - 28, { df: true }))[1];
    t.ok(sealed.length <= 1500, `${sealed.length} bytes on the wire`);
    const [error] = router.forward(0, branchPacket(most + 1 - 28, { df: true }))[0];
    t.equal(new DataView(error.buffer).getUint16(26), most);
    t.end();
  });
}
