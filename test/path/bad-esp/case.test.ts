// facts/bad-input.md 32-39: what hostile or broken ESP must come to.
import t, { type Test } from 'tap';
import { isCombined } from '../../../dataplane/proto/esp.js';
import { sealByHand, textOf, wrap } from '../by-hand.js';
import { branchPacket, fixHeader, hex, ipv4, udp } from '../packets.js';
import { memberTables, Router, type SaSpec, type TransformName, transforms } from '../router.js';

const sa: SaSpec = { spi: 0x4001, transform: 'aes-sha256' };
const inner = branchPacket(30);

function expectDrop(t: Test, packet: Uint8Array, reason: string, spec = sa): void {
  const router = new Router(memberTables(2, spec));
  const out = router.forward(1, packet);
  t.equal(out.flat().length, 0, `${reason}: nothing leaves`);
  t.match(router.counters(), { [`drop.${reason}`]: 1, 'path.dropped_packets': 1 }, reason);
  t.equal(router.imbalance(), null);
  t.equal(router.env.replay.length, 0, 'no window is made');
}

t.test('32: too short, or not whole blocks', (t) => {
  for (const transform of Object.keys(transforms) as TransformName[]) {
    const spec: SaSpec = { spi: 0x4002, transform };
    const whole = sealByHand(spec, { seq: 1, text: textOf(inner, 16) });
    const { ivLen, icvLen, align } = transforms[transform];
    const least = 8 + ivLen + icvLen;
    for (const length of [8, 9, least - 1, least, least + 1, least + align - 1]) {
      expectDrop(t, wrap(whole.subarray(20, 20 + length)), 'esp_truncated', spec);
    }
    for (const cut of [1, 2, 3]) expectDrop(t, wrap(whole.subarray(20, whole.length - cut)), 'esp_truncated', spec);
  }
  for (const length of [0, 1, 4, 7]) expectDrop(t, wrap(new Uint8Array(length)), 'esp_truncated');
  t.end();
});

t.test('30: a tag cut to 12, 8 or 4 bytes is no tag (NIST SP 800-38D App. C)', (t) => {
  for (const transform of Object.keys(transforms) as TransformName[]) {
    if (!isCombined(transforms[transform].cipher)) continue;
    const spec: SaSpec = { spi: 0x4003, transform };
    const whole = sealByHand(spec, { seq: 1, text: textOf(inner, 16) });
    for (const cut of [4, 8, 12]) expectDrop(t, wrap(whole.subarray(20, whole.length - cut)), 'esp_integrity', spec);
  }
  t.end();
});

t.test('33: padding and next header', (t) => {
  const seal = (text: Uint8Array) => sealByHand(sa, { seq: 1, text });
  const good = textOf(inner, 16);
  const change = (at: number, value: number) => {
    const text = good.slice();
    text[at < 0 ? text.length + at : at] = value;
    return seal(text);
  };
  expectDrop(t, change(-2, 255), 'esp_trailer'); // pad length > payload
  expectDrop(t, change(-2, good[good.length - 2] + 1), 'esp_trailer'); // pad bytes no longer 1, 2, 3
  expectDrop(t, change(-3, 99), 'esp_trailer');
  for (const next of [0, 6, 17, 41, 50, 51, 255]) expectDrop(t, seal(textOf(inner, 16, next)), 'esp_trailer');
  expectDrop(t, seal(textOf(inner, 16, 59)), 'esp_dummy');
  expectDrop(t, seal(Uint8Array.from({ length: 16 }, (_, i) => (i < 14 ? i + 1 : i === 14 ? 14 : 4))), 'esp_inner_header');
  t.end();
});

t.test('34: inner header', (t) => {
  const seal = (packet: Uint8Array) => sealByHand(sa, { seq: 1, text: textOf(packet, 16) });
  const change = (at: number, value: number) => {
    const packet = inner.slice();
    packet[at] = value;
    return seal(fixHeader(packet));
  };
  expectDrop(t, change(3, inner.length + 1), 'esp_inner_header'); // total length > decrypted length
  expectDrop(t, change(3, 19), 'esp_inner_header'); // < header
  expectDrop(t, change(0, 0x44), 'esp_inner_header'); // IHL 4
  expectDrop(t, change(0, 0x4f), 'esp_inner_header'); // IHL beyond the packet
  expectDrop(t, change(0, 0x65), 'esp_inner_header'); // version 6
  expectDrop(t, seal(inner.subarray(0, 12)), 'esp_inner_header');
  const wrong = inner.slice();
  wrong[10] ^= 1;
  expectDrop(t, seal(wrong), 'esp_inner_header'); // checksum
  t.end();
});

t.test('traffic flow padding behind the inner packet is cut off (RFC 4303 §2.7)', (t) => {
  const padded = new Uint8Array(inner.length + 40);
  padded.set(inner);
  const router = new Router(memberTables(2, sa));
  t.strictSame(router.forward(1, sealByHand(sa, { seq: 1, text: textOf(padded, 16) }))[0].map(hex), [hex(inner)]);
  t.end();
});

t.test('36: inner packet outside the policy', (t) => {
  const outside = ipv4({ src: '192.0.2.1', dst: '10.0.2.10', payload: udp(1, 2, 10) });
  expectDrop(t, sealByHand(sa, { seq: 1, text: textOf(outside, 16), src: '192.0.2.1' }), 'esp_policy');
  t.end();
});

t.test('37: unknown SPI', (t) => {
  const packet = sealByHand(sa, { seq: 1, text: textOf(inner, 16), spi: 0x9999 });
  expectDrop(t, packet, 'esp_unknown_spi'); // on the crypto map port
  expectDrop(t, sealByHand(sa, { seq: 1, text: textOf(inner, 16), spi: 0 }), 'esp_unknown_spi');
  const router = new Router(memberTables(2, sa));
  const transit = sealByHand(sa, { seq: 1, text: textOf(inner, 16), spi: 0x9999, src: '10.0.2.10', dst: '198.51.100.1' });
  t.equal(router.forward(0, transit)[1].length, 1, "on another port it is somebody else's tunnel");
  const toUs = sealByHand(sa, { seq: 1, text: textOf(inner, 16), spi: 0x9999, src: '10.0.2.10', dst: '10.0.2.1' });
  t.equal(router.forward(0, toUs).flat().length, 0);
  t.match(router.counters(), { 'drop.esp_unknown_spi': 1 });
  const fromUs = sealByHand(sa, { seq: 1, text: textOf(inner, 16), spi: 0x9999, src: '172.16.2.2', dst: '198.51.100.1' });
  t.equal(router.forward(1, fromUs)[1].length, 1, 'ESP of a program of this host passes');
  t.end();
});

t.test('38: outer and inner addresses differ', (t) => {
  const text = textOf(inner, 16);
  expectDrop(t, sealByHand(sa, { seq: 1, text, src: '10.0.1.11' }), 'esp_header_not_preserved');
  expectDrop(t, sealByHand(sa, { seq: 1, text, dst: '10.0.2.11' }), 'esp_header_not_preserved');
  expectDrop(t, sealByHand(sa, { seq: 1, text, dst: '239.1.1.1' }), 'esp_header_not_preserved');
  t.end();
});

t.test('39: ESP as IP fragments that cannot be (those that can: path/reassembly)', (t) => {
  const text = textOf(inner, 16);
  expectDrop(t, sealByHand(sa, { seq: 1, text, fragment: 0x1fff }), 'ip_malformed'); // beyond 65,535
  t.end();
});

t.test('every single bit flip of a sealed packet is refused', (t) => {
  for (const transform of Object.keys(transforms) as TransformName[]) {
    const spec: SaSpec = { spi: 0x4003, transform };
    const router = new Router(memberTables(2, spec));
    const packet = sealByHand(spec, { seq: 3, text: textOf(branchPacket(1), 16) });
    let passed = 0;
    for (let bit = 20 * 8; bit < packet.length * 8; bit++) {
      const flipped = packet.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      passed += router.forward(1, flipped).flat().length;
    }
    t.equal(passed, 0, transform);
    t.equal(router.forward(1, packet)[0].length, 1, 'and the original still passes');
    const seen = router.counters();
    t.equal((seen['drop.esp_unknown_spi'] ?? 0) + (seen['drop.esp_integrity'] ?? 0), (packet.length - 20) * 8, 'by SPI or ICV');
    t.equal(router.imbalance(), null);
  }
  t.end();
});

t.test('a packet under the wrong key', (t) => {
  expectDrop(t, sealByHand({ ...sa, keySeed: 7 }, { seq: 1, text: textOf(inner, 16) }), 'esp_integrity');
  t.end();
});
