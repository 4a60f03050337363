// GRE: what goes into a tunnel, what comes out, and what neither does. Packets of the other end are made here, byte by byte.
import t from 'tap';
import { TunnelWord } from '../../../dataplane/mem/tunnel-words.js';
import { sealByHand, textOf } from '../by-hand.js';
import { fixHeader, hex, type Ipv4Spec, ipv4, sumOf, udp, withTtl } from '../packets.js';
import { Router, type SaSpec, type TablesSpec, type TunnelSpec } from '../router.js';

const own = '172.16.1.2';
const peer = '172.16.3.2';

/** Port 0 inside, port 1 outside, port 2 the tunnel to 10.0.3.0/24. */
function tables(tunnel: Partial<TunnelSpec> = {}, more: Partial<TablesSpec> = {}): TablesSpec {
  return {
    ports: [
      { address: '10.0.1.1' },
      { address: own },
      { address: '192.168.13.1', mtu: 1476, tunnel: { source: own, destination: peer, ...tunnel } },
    ],
    acls: [],
    entries: [],
    sas: [],
    routes: [
      { prefix: '0.0.0.0/0', port: 1 },
      { prefix: '10.0.1.0/24', port: 0 },
      { prefix: '10.0.3.0/24', port: 2, via: '192.168.13.2' },
      { prefix: '192.168.13.0/30', port: 2 },
    ],
    locals: ['10.0.1.1', own, '192.168.13.1'],
    ...more,
  };
}

interface GreSpec extends Partial<Ipv4Spec> {
  key?: number;
  checksum?: boolean;
  sequence?: number;
  /** Bits that are set in the first word, beside those of the fields. */
  bits?: number;
  type?: number;
}

/** A GRE packet as RFC 2784 and RFC 2890 draw it. */
function gre(inner: Uint8Array, spec: GreSpec = {}): Uint8Array {
  const { key, checksum, sequence, bits, type, ...outer } = spec;
  const fields: number[] = [];
  const word = (value: number) => fields.push(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  const flags = (checksum ? 0x8000 : 0) | (key === undefined ? 0 : 0x2000) | (sequence === undefined ? 0 : 0x1000) | (bits ?? 0);
  word(((flags << 16) | (type ?? 0x0800)) >>> 0);
  if (checksum) word(0);
  if (key !== undefined) word(key);
  if (sequence !== undefined) word(sequence);
  const payload = Uint8Array.from([...fields, ...inner]);
  if (checksum) new DataView(payload.buffer).setUint16(4, sumOf(payload));
  return ipv4({ src: peer, dst: own, protocol: 47, ttl: 250, payload, ...outer });
}

const out = (more: Partial<Ipv4Spec> = {}) => ipv4({ src: '10.0.1.10', dst: '10.0.3.10', payload: udp(1000, 2000, 40), ...more });
const back = (more: Partial<Ipv4Spec> = {}) => ipv4({ src: '10.0.3.10', dst: '10.0.1.10', payload: udp(2000, 1000, 40), ...more });

t.test('a packet into the tunnel and one out of it, with each of the eight sets of fields', (t) => {
  for (let set = 0; set < 8; set++) {
    const spec = { checksum: (set & 1) !== 0, key: set & 2 ? 0xdeadbeef : undefined };
    const sequence = (set & 4) !== 0;
    const router = new Router(tables({ ...spec, sequence }));
    for (let n = 0; n < 3; n++) {
      const wire = router.forward(0, out({ id: n }))[1];
      // The kernel has taken the inner hop; the outer packet leaves by a TUN, which takes one, and 255 cannot have one more.
      const expected = gre(out({ id: n }), { ...spec, sequence: sequence ? n : undefined, src: own, dst: peer, ttl: 255, id: n + 1 });
      t.strictSame(wire.map(hex), [hex(expected)], `set ${set}, out ${n}`);
      const inner = back({ id: n });
      const came = router.forward(1, gre(inner, { ...spec, sequence: sequence ? n : undefined }))[0];
      t.strictSame(came.map(hex), [hex(inner)], `set ${set}, back ${n}: the hop that it owes is taken by the kernel`);
    }
    const bytes = out().length;
    const header = 24 + (set & 1 ? 4 : 0) + (set & 2 ? 4 : 0) + (set & 4 ? 4 : 0);
    t.strictSame(router.counters(), {
      'path.received_packets': 6,
      'path.sent_packets': 6,
      'port[0].received_packets': 3,
      'port[0].received_bytes': 3 * bytes,
      'port[0].sent_packets': 3,
      'port[0].sent_bytes': 3 * bytes,
      'port[1].received_packets': 3,
      'port[1].received_bytes': 3 * (bytes + header),
      'port[1].sent_packets': 3,
      'port[1].sent_bytes': 3 * (bytes + header),
      'port[2].received_packets': 3,
      'port[2].received_bytes': 3 * bytes,
      'port[2].sent_packets': 3,
      'port[2].sent_bytes': 3 * bytes,
    });
    t.equal(router.imbalance(), null);
  }
  t.end();
});

t.test('all 256 ToS bytes are copied to the outer header; tunnel tos sets the DSCP and leaves ECN', (t) => {
  const router = new Router(tables());
  const fixed = new Router(tables({ tos: 0xb8 }));
  for (let tos = 0; tos < 256; tos++) {
    t.equal(router.forward(0, out({ tos }))[1][0][1], tos);
    const [wire] = fixed.forward(0, out({ tos }))[1];
    t.equal(wire[1], 0xb8 | (tos & 3));
    t.equal(hex(wire.subarray(24)), hex(out({ tos })), 'the inner one stays');
  }
  t.end();
});

t.test('ECN on the way out of the tunnel (RFC 6040 figure 4)', (t) => {
  const router = new Router(tables());
  const [notEct, ect1, ect0, ce] = [0, 1, 2, 3];
  const cases: [inner: number, outer: number, result: number | null][] = [
    [notEct, notEct, notEct],
    [notEct, ect0, notEct],
    [notEct, ect1, notEct],
    [notEct, ce, null],
    [ect0, notEct, ect0],
    [ect0, ect0, ect0],
    [ect0, ect1, ect1],
    [ect0, ce, ce],
    [ect1, notEct, ect1],
    [ect1, ect0, ect1],
    [ect1, ect1, ect1],
    [ect1, ce, ce],
    [ce, notEct, ce],
    [ce, ect0, ce],
    [ce, ect1, ce],
    [ce, ce, ce],
  ];
  for (const [inner, outer, result] of cases) {
    const [came] = router.forward(1, gre(back({ tos: 0xb8 | inner }), { tos: outer }))[0];
    const expected = result === null ? undefined : hex(back({ tos: 0xb8 | result }));
    t.equal(came && hex(came), expected, `${inner} inside, ${outer} outside`);
  }
  t.equal(router.counters()['drop.gre_congestion'], 1);
  t.end();
});

t.test('DF of the outer header, and what is too long for the tunnel', (t) => {
  const long = out({ payload: udp(1, 2, 1472), df: true });
  const plain = new Router(tables());
  t.equal(plain.forward(0, out({ df: true }))[1][0][6] & 0x40, 0, 'not set');
  const copied = new Router(tables({ copyDf: true }));
  t.equal(copied.forward(0, out({ df: true }))[1][0][6] & 0x40, 0x40, 'path-mtu-discovery copies it');
  t.equal(copied.forward(0, out({ df: false }))[1][0][6] & 0x40, 0);
  const [error] = plain.forward(0, long)[0];
  t.equal(error[20], 3);
  t.equal(error[21], 4);
  t.equal((error[26] << 8) | error[27], 1476, 'ICMP says what fits into the tunnel');
  t.match(plain.counters(), { 'drop.mtu_exceeded': 1 });
  const pieces = plain.forward(0, out({ payload: udp(1, 2, 1472) }))[1];
  t.equal(pieces.length, 2, 'without DF it is cut before it goes in');
  t.ok(pieces.every((piece) => piece.length <= 1500 && piece[9] === 47 && (piece[6] & 0x3f) === 0));
  t.equal(plain.imbalance(), null);
  t.end();
});

t.test('hops: the inner TTL is this router’s to lower, the outer one is configured', (t) => {
  const router = new Router(tables({ ttl: 17 }));
  const [wire] = router.forward(0, out({ ttl: 1 }))[1];
  t.equal(wire[8], 18, 'one more for the kernel behind the TUN');
  t.equal(wire[24 + 8], 1, 'the kernel had taken the hop before the packet came to us');
  t.equal(router.forward(1, gre(back({ ttl: 1 })))[0].length, 0);
  t.match(router.counters(), { 'drop.ttl_expired': 1, 'path.made_packets': 1 });
  const twoTunnels = tables();
  twoTunnels.ports.push({ address: '192.168.14.1', mtu: 1476, tunnel: { source: own, destination: '172.16.4.2' } });
  twoTunnels.routes.push({ prefix: '10.0.4.0/24', port: 3 });
  const hub = new Router(twoTunnels);
  const [next] = hub.forward(1, gre(ipv4({ src: '10.0.3.10', dst: '10.0.4.10', ttl: 9 })))[1];
  t.equal(
    hex(next.subarray(24)),
    hex(ipv4({ src: '10.0.3.10', dst: '10.0.4.10', ttl: 8 })),
    'from tunnel to tunnel it is paid at the second',
  );
  t.end();
});

t.test('a header that is not as it should be (bad-input 46)', (t) => {
  const inner = back();
  const long = gre(inner, { checksum: true, key: 7 });
  const bad: [what: string, packet: Uint8Array, drop: string][] = [
    ['version 1', gre(inner, { key: 7, bits: 1 }), 'gre_version'],
    ['version 7', gre(inner, { key: 7, bits: 7 }), 'gre_version'],
    ['routing present', gre(inner, { key: 7, bits: 0x4000 }), 'gre_flags'],
    ['strict source route', gre(inner, { key: 7, bits: 0x0800 }), 'gre_flags'],
    ['a reserved bit', gre(inner, { key: 7, bits: 0x0400 }), 'gre_flags'],
    ['another key', gre(inner, { key: 8 }), 'gre_key'],
    ['no key', gre(inner), 'gre_key'],
    ['checksum', Uint8Array.from(gre(inner, { key: 7, checksum: true }), (byte, i) => (i === 60 ? byte ^ 1 : byte)), 'gre_checksum'],
    ['Ethernet inside', gre(inner, { key: 7, type: 0x6558 }), 'gre_protocol'],
    ['IPv6 inside', gre(inner, { key: 7, type: 0x86dd }), 'gre_protocol'],
    ['protocol 0, which is a keepalive without its own header', gre(inner, { key: 7, type: 0 }), 'gre_protocol'],
    [
      'an inner header that is none',
      gre(
        inner.map((byte, i) => (i === 0 ? 0x46 : byte)),
        { key: 7 },
      ),
      'ip_header_checksum',
    ],
    ['nothing inside', gre(new Uint8Array(0), { key: 7 }), 'ip_malformed'],
    ['our own address inside', gre(back({ src: '10.0.1.1' }), { key: 7 }), 'ip_martian'],
    ['multicast as source', gre(back({ src: '224.0.0.5' }), { key: 7 }), 'ip_martian'],
    ...[20, 22, 23, 24, 27, 28, 31].map((length): [string, Uint8Array, string] => {
      const cut = long.slice(0, length);
      new DataView(cut.buffer).setUint16(2, length);
      return [`${length} bytes in all`, fixHeader(cut), 'gre_malformed'];
    }),
  ];
  const router = new Router(tables({ key: 7, checksum: true }));
  for (const [what, packet, drop] of bad) {
    const before = router.counters();
    t.equal(router.forward(1, packet).flat().length, 0, what);
    const after = router.counters();
    const dropped = ['path.dropped_packets', `drop.${drop}`].map((name) => after[name] - (before[name] ?? 0));
    t.strictSame(dropped, [1, 1], `${what}: ${drop}`);
  }
  t.equal(router.imbalance(), null);
  const lenient = new Router(tables({ key: 7, checksum: true, sequence: true }));
  t.equal(
    lenient.forward(1, gre(inner, { key: 7 }), gre(inner, { key: 7, bits: 0x03f8 }))[0].length,
    2,
    'no checksum, no number, bits to be ignored',
  );
  t.end();
});

t.test('sequence numbers (RFC 2890 §2.2)', (t) => {
  const router = new Router(tables({ sequence: true }));
  const taken = (...numbers: number[]) => router.forward(1, ...numbers.map((sequence) => gre(back(), { sequence })))[0].length;
  t.equal(taken(0, 1, 2), 3);
  t.equal(taken(2, 1, 0), 0, 'seen, and below');
  t.equal(taken(100), 1, 'a gap is taken');
  t.equal(taken(99, 100, 0xffffffff), 0);
  t.equal(taken(101 + 2 ** 31), 0, 'the last of the 2^31 - 1 below');
  t.equal(taken(100 + 2 ** 31), 1, 'and the one behind it');
  t.equal(taken(0xfffffff0, 5), 2, 'round the end');
  t.match(router.counters(), { 'drop.gre_sequence': 7 });
  t.equal(taken(1), 0);
  router.nowMs += 11_000;
  t.equal(taken(1), 1, 'after eleven quiet seconds the other end counts as started anew');
  t.equal(taken(1), 0);
  t.equal(
    new Router(tables()).forward(1, gre(back(), { sequence: 9 }), gre(back(), { sequence: 3 }))[0].length,
    2,
    'not without sequence-datagrams',
  );
  t.end();
});

t.test('tunnels between the same ends are told apart by their keys', (t) => {
  const spec = tables({ key: 1 });
  spec.ports.push({ address: '192.168.14.1', tunnel: { source: own, destination: peer, key: 2 } });
  spec.ports.push({ address: '192.168.15.1', tunnel: { source: own, destination: peer } });
  const router = new Router(spec);
  router.forward(1, gre(back(), { key: 1 }), gre(back(), { key: 2 }), gre(back(), { key: 2 }), gre(back()), gre(back(), { key: 3 }));
  t.match(router.counters(), {
    'port[2].received_packets': 1,
    'port[3].received_packets': 2,
    'port[4].received_packets': 1,
    'drop.gre_key': 1,
  });
  t.end();
});

t.test('GRE of no tunnel is the host’s, or goes its way', (t) => {
  const router = new Router(tables());
  const foreign = gre(back(), { src: '198.51.100.1' });
  t.strictSame(router.forward(1, foreign)[1].map(hex), [hex(withTtl(foreign, 251))], 'to our address: the kernel may know it');
  const transit = gre(back(), { dst: '10.0.1.10' });
  t.strictSame(router.forward(1, transit)[0].map(hex), [hex(withTtl(transit, 251))]);
  t.match(router.counters(), { 'path.punted_packets': 1, 'path.sent_packets': 1 });
  t.end();
});

t.test('what the kernel and programs send into the netdev leaves by the tunnel, what is for them comes out of it', (t) => {
  const router = new Router(tables());
  const hello = ipv4({ src: '192.168.13.1', dst: '224.0.0.5', protocol: 89, ttl: 1 });
  t.strictSame(
    router.forward(2, hello)[1].map((packet) => hex(packet.subarray(24))),
    [hex(hello)],
    'multicast, TTL 1, no route needed',
  );
  const program = ipv4({ src: '192.168.13.1', dst: '203.0.113.1' });
  t.strictSame(
    router.forward(2, program)[1].map((packet) => hex(packet.subarray(24))),
    [hex(program)],
    'whatever the routes say',
  );
  const theirs = ipv4({ src: '192.168.13.2', dst: '224.0.0.5', protocol: 89, ttl: 1 });
  t.strictSame(router.forward(1, gre(theirs))[2].map(hex), [hex(theirs)]);
  const unicast = ipv4({ src: '192.168.13.2', dst: '192.168.13.1', protocol: 89, ttl: 1 });
  t.strictSame(router.forward(1, gre(unicast))[2].map(hex), [hex(unicast)]);
  t.match(router.counters(), { 'port[2].sent_packets': 2, 'port[2].received_packets': 2, 'path.punted_packets': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a keepalive of the other end is sent back', (t) => {
  const router = new Router(tables());
  const answer = ipv4({ src: own, dst: peer, protocol: 47, ttl: 255, payload: Uint8Array.of(0, 0, 0, 0) });
  t.strictSame(router.forward(1, gre(answer))[1].map(hex), [hex(answer)]);
  const keyed = new Router(tables({ key: 9 }));
  const inner = ipv4({ src: own, dst: peer, protocol: 47, ttl: 255, payload: Uint8Array.of(0x20, 0, 0, 0, 0, 0, 0, 9) });
  t.strictSame(keyed.forward(1, gre(inner, { key: 9 }))[1].map(hex), [hex(inner)]);
  // What only looks like one is a packet with our own address as source.
  for (const [what, fake] of [
    ['to somebody else', ipv4({ src: own, dst: '203.0.113.1', protocol: 47, payload: Uint8Array.of(0, 0, 0, 0) })],
    ['another protocol', ipv4({ src: own, dst: peer, protocol: 17, payload: Uint8Array.of(0, 0, 0, 0) })],
    ['a payload', ipv4({ src: own, dst: peer, protocol: 47, payload: Uint8Array.of(0, 0, 8, 0, 1, 2) })],
    ['from another address of ours', ipv4({ src: '10.0.1.1', dst: peer, protocol: 47, payload: Uint8Array.of(0, 0, 0, 0) })],
  ] as const) {
    t.equal(router.forward(1, gre(fake)).flat().length, 0, what);
  }
  t.match(router.counters(), { 'drop.ip_martian': 4 });
  t.end();
});

t.test(
  'keepalives of our own: sent in time whether the tunnel is up or not, noted when they come back, and unknown where none are sent',
  (t) => {
    for (const set of [0, 7]) {
      const fields = { checksum: set !== 0, key: set === 0 ? undefined : 5 };
      const spec = tables({ ...fields, sequence: set !== 0, keepalive: 10 });
      spec.ports[2].up = false;
      const router = new Router(spec);
      router.pass();
      const [first, ...more] = router.take()[1];
      t.equal(more.length, 0);
      // What the other end makes of it: the inner packet, by routing alone.
      const header = 24 + (set === 0 ? 0 : 12);
      const inner = first.slice(header);
      const back = set === 0 ? Uint8Array.of(0, 0, 0, 0) : Uint8Array.of(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5);
      if (set !== 0) new DataView(back.buffer).setUint16(4, sumOf(back));
      const twin = ipv4({ src: peer, dst: own, protocol: 47, ttl: 255, tos: 0xc0, id: (inner[4] << 8) | inner[5], payload: back });
      t.equal(hex(inner), hex(twin));
      const wrapped = gre(twin, { ...fields, sequence: set === 0 ? undefined : 0, src: own, dst: peer, ttl: 255, tos: 0xc0, id: 2 });
      t.equal(hex(first), hex(wrapped));
      router.nowMs += 9_000;
      router.pass();
      t.equal(router.take()[1].length, 0);
      router.nowMs += 1_000;
      router.pass();
      t.equal(router.take()[1].length, 1);
      t.equal(router.forward(1, inner).flat().length, 0);
      t.match(router.counters(), { 'drop.gre_keepalive': 1, 'path.made_packets': 2 });
      t.equal(router.env.tunnelWords[2 * TunnelWord.Count + TunnelWord.KeepaliveSeconds], 11, 'the second of the clock');
      t.equal(router.imbalance(), null);
      const other = new Router(tables(fields));
      t.equal(other.forward(1, inner).flat().length, 0);
      t.match(other.counters(), { 'drop.gre_protocol': 1 });
    }
    t.end();
  },
);

t.test('a tunnel whose packets lead into itself, or into another again and again, ends in a counter', (t) => {
  const itself = tables(
    {},
    {
      routes: [
        { prefix: '0.0.0.0/0', port: 2 },
        { prefix: '10.0.1.0/24', port: 0 },
      ],
    },
  );
  const router = new Router(itself);
  t.equal(router.forward(0, out()).flat().length, 0);
  t.match(router.counters(), { 'drop.nesting_too_deep': 1 });
  t.equal(router.imbalance(), null);
  const deep = new Router(tables());
  let onion = back();
  for (let i = 0; i < 5; i++) onion = gre(onion);
  t.equal(deep.forward(1, onion).flat().length, 0);
  t.match(deep.counters(), { 'drop.nesting_too_deep': 1, 'port[2].received_packets': 4 });
  t.end();
});

t.test('a tunnel that is down carries nothing, either way', (t) => {
  const spec = tables();
  spec.ports[2].up = false;
  const router = new Router(spec);
  t.equal(
    router.forward(0, out()).flat().length + router.forward(1, gre(back())).flat().length + router.forward(2, out()).flat().length,
    0,
  );
  t.match(router.counters(), { 'drop.port_down': 3 });
  t.end();
});

t.test('GRE under the crypto map of the outside: sealed on the way out, refused in the clear on the way in', (t) => {
  const sa: SaSpec = { spi: 0xa001, transform: 'null-sha1', window: 64 };
  const secure = tables(
    {},
    { acls: [[{ action: 'permit', protocol: 47, src: 'any', dst: 'any' }]], entries: [{ port: 1, acl: 0, sa: 0 }], sas: [sa] },
  );
  const router = new Router(secure);
  const tos = 46 << 2;
  const [wire] = router.forward(0, out({ tos }))[1];
  t.equal(wire[9], 50);
  t.equal(wire[1], tos, 'the ToS byte once more');
  const inner = hex(wire.subarray(28, 28 + 24 + out().length));
  t.equal(inner.slice(48), hex(out({ tos })), 'GRE inside ESP');
  t.equal(router.forward(1, gre(back()))[0].length, 0);
  t.match(router.counters(), { 'drop.clear_must_be_encrypted': 1 });
  const sealed = sealByHand(sa, { seq: 77, text: textOf(gre(back()), 4), src: peer, dst: own });
  t.strictSame(router.forward(1, sealed)[0].map(hex), [hex(back())]);
  t.equal(router.imbalance(), null);
  t.end();
});
