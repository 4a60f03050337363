import t from 'tap';
import { branchPacket, hex, ipv4, sumOf, udp, withTtl } from '../packets.js';
import { memberTables, Router, type SaSpec } from '../router.js';

/** Puts fragments together by their offsets, naively. @returns payload, and whether the last was there */
function reassemble(fragments: Uint8Array[]): { payload: Uint8Array; complete: boolean } {
  const parts: [number, Uint8Array][] = [];
  let complete = false;
  for (const fragment of fragments) {
    const view = new DataView(fragment.buffer, fragment.byteOffset);
    const header = (fragment[0] & 15) * 4;
    if (sumOf(fragment.subarray(0, header)) !== 0) throw new Error('checksum');
    if (view.getUint16(2) !== fragment.length) throw new Error('length');
    parts.push([(view.getUint16(6) & 0x1fff) * 8, fragment.subarray(header)]);
    if ((view.getUint16(6) & 0x2000) === 0) complete = true;
  }
  parts.sort(([a], [b]) => a - b);
  const length = parts.reduce((sum, [, part]) => sum + part.length, 0);
  const payload = new Uint8Array(length);
  let at = parts[0][0];
  const first = at;
  for (const [offset, part] of parts) {
    if (offset !== at) throw new Error(`hole or overlap at ${at}`);
    payload.set(part, offset - first);
    at += part.length;
  }
  return { payload, complete };
}

t.test('cut before encryption, each fragment sealed by itself, whole again at the far host', (t) => {
  const sa: SaSpec = { spi: 0x7001, transform: 'aes-sha256' };
  const sender = new Router(memberTables(1, sa));
  const receiver = new Router(memberTables(2, sa));
  const packet = branchPacket(1700, { id: 0x77, ttl: 60 });
  const sealed = sender.forward(0, packet)[1];
  t.equal(sealed.length, 2);
  t.ok(
    sealed.every((esp) => esp[9] === 50 && esp.length <= 1500),
    'every piece is ESP and fits',
  );
  const outerIds = sealed.map((esp) => new DataView(esp.buffer).getUint16(4));
  t.not(outerIds[0], outerIds[1], 'outer datagrams have identifications of their own');
  t.ok(
    sealed.every((esp) => (new DataView(esp.buffer).getUint16(6) & 0x3fff) === 0),
    'the outer datagrams are no fragments',
  );
  const out = receiver.forward(1, ...sealed)[0];
  t.ok(out.every((piece) => piece[8] === 60 && new DataView(piece.buffer).getUint16(4) === 0x77));
  const whole = reassemble(out);
  t.equal(hex(whole.payload), hex(packet.subarray(20)));
  t.equal(whole.complete, true);
  t.match(sender.counters(), { 'path.received_packets': 1, 'path.made_packets': 1, 'path.sent_packets': 2, 'sa[0].sealed_packets': 2 });
  t.equal(sender.imbalance() ?? receiver.imbalance(), null);
  t.end();
});

t.test('in the clear, with options: the first carries all, the others those that are to be copied', (t) => {
  const router = new Router(memberTables(1, null, { ports: [{}, { mtu: 200 }] }));
  const options = Uint8Array.from([7, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0, 0]); // record route (not copied), router alert (copied)
  const packet = ipv4({ src: '10.0.1.10', dst: '198.51.100.1', payload: udp(1, 2, 1000), options, ttl: 9 });
  const out = router.forward(0, packet)[1];
  t.ok(out.every((piece) => piece.length <= 200 && piece[8] === 10));
  t.strictSame(
    out.map((piece) => hex(piece.subarray(20, (piece[0] & 15) * 4))),
    [hex(options), ...out.slice(1).map(() => '94040000')],
  );
  t.equal(hex(reassemble(out).payload), hex(packet.subarray(32)));
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a fragment is cut into fragments at its own place', (t) => {
  const router = new Router(memberTables(1, null, { ports: [{}, { mtu: 300 }] }));
  const middle = ipv4({ src: '10.0.1.10', dst: '198.51.100.1', payload: new Uint8Array(800).fill(7), mf: true, fragmentOffset: 1600 });
  const last = ipv4({ src: '10.0.1.10', dst: '198.51.100.1', payload: new Uint8Array(801).fill(8), fragmentOffset: 2400 });
  const pieces = router.forward(0, middle)[1];
  t.equal(reassemble(pieces).complete, false, 'more fragments follow');
  t.equal(new DataView(pieces[0].buffer).getUint16(6), 0x2000 | 200);
  const whole = reassemble([...pieces, ...router.forward(0, last)[1]]);
  t.equal(whole.complete, true);
  t.equal(whole.payload.length, 1601);
  t.end();
});

t.test('every size across the limit comes out whole', (t) => {
  for (const mtu of [68, 69, 75, 76, 77, 100, 576]) {
    const router = new Router(memberTables(1, null, { ports: [{}, { mtu }] }));
    for (let size = 0; size < 400; size += size < 150 ? 1 : 13) {
      const packet = ipv4({ src: '10.0.1.10', dst: '198.51.100.1', payload: udp(1, 2, size) });
      const out = router.forward(0, packet)[1];
      if (packet.length <= mtu) {
        if (hex(out[0]) !== hex(withTtl(packet, 64))) t.fail(`size ${size}, mtu ${mtu}: changed`);
        continue;
      }
      const whole = reassemble(out);
      const fits = out.every((piece) => piece.length <= mtu);
      const least = Math.ceil((packet.length - 20) / (mtu - 20));
      if (!fits || !whole.complete || hex(whole.payload) !== hex(packet.subarray(20)) || out.length < least || out.length > least + 1) {
        t.fail(`size ${size}, mtu ${mtu}: ${out.map((piece) => piece.length)}`);
      }
    }
    t.equal(router.imbalance(), null, `mtu ${mtu}`);
  }
  t.end();
});

t.test('no slot for the fragments: the packet is dropped whole', (t) => {
  const router = new Router(memberTables(1, null, { ports: [{}, { mtu: 300 }] }));
  const taken = [];
  while (router.env.slots.freeCount > 2) taken.push(router.env.slots.allocate());
  const out = router.forward(0, ipv4({ src: '10.0.1.10', dst: '198.51.100.1', payload: udp(1, 2, 1000) }));
  t.equal(out[1].length, 0);
  t.match(router.counters(), { 'drop.no_slot': 1, 'path.dropped_packets': 1 });
  t.notOk('path.made_packets' in router.counters());
  t.equal(router.env.slots.freeCount, 2);
  t.end();
});
