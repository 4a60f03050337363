// Links beside the TUN: which packet takes which, who takes the hop from the TTL, and what only the kernel would have refused.

import t from 'tap';
import { LinkKind } from '../../../dataplane/mem/links.js';
import { Cap, CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { branchPacket, hex, ip, ipv4, udp, withTtl } from '../packets.js';
import { memberTables, Router, type SaSpec, type TablesSpec } from '../router.js';

const sa: SaSpec = { spi: 0x1001, transform: 'gcm-256' };
const fast = (port: number) => Cap.Ports + port;
const gateway = '02aabbccddee021122334455';

/** Port 0 inside, port 1 outside behind the gateway 172.16.m.1. */
function tables(member: 1 | 2, inside: LinkKind | undefined, outside: LinkKind | undefined, more: Partial<TablesSpec> = {}): TablesSpec {
  return memberTables(
    member,
    { ...sa, sids: [member] },
    {
      ports: [
        { address: `10.0.${member}.1`, link: inside },
        { address: `172.16.${member}.2`, link: outside },
      ],
      routes: [
        { prefix: '0.0.0.0/0', port: 1, via: `172.16.${member}.1` },
        { prefix: `10.0.${member}.0/24`, port: 0 },
      ],
      neighbours: [
        { port: 1, address: `172.16.${member}.1`, header: gateway },
        { port: 0, address: `10.0.${member}.10`, header: '02000000000a020000000001' },
      ],
      ...more,
    },
  );
}

const clear = ipv4({ src: '10.0.1.10', dst: '198.51.100.10', payload: udp(1, 2, 40), ttl: 62 });

t.test('raw: what is sealed takes it, what is clear goes by the TUN', (t) => {
  const router = new Router(tables(1, undefined, LinkKind.Raw));
  const out = router.forward(0, branchPacket(100), clear);
  t.equal(out[fast(1)].length, 1, 'sealed');
  t.equal(out[fast(1)][0][9], 50, 'ESP');
  t.strictSame(out[1].map(hex), [hex(withTtl(clear, 63))], 'clear, with the TTL that the kernel takes again');
  t.match(router.counters(), { 'port[1].sent_packets': 2, 'path.sent_packets': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('Ethernet: a known next hop gets its header; an unknown one is left to the TUN', (t) => {
  const router = new Router(tables(1, LinkKind.Packet, LinkKind.Xdp));
  const out = router.forward(fast(0), clear, branchPacket(100));
  t.equal(out[1].length, 0);
  t.equal(hex(out[fast(1)][0]), `${gateway}0800${hex(withTtl(clear, 61))}`, 'one hop, taken here');
  t.equal(hex(out[fast(1)][1].subarray(0, 14)), `${gateway}0800`);
  t.equal(out[fast(1)][1][14 + 8], 64, "the outer header's own TTL");
  const unknown = new Router(tables(1, LinkKind.Packet, LinkKind.Xdp, { neighbours: [] }));
  const left = unknown.forward(fast(0), clear, branchPacket(100));
  t.equal(left[fast(1)].length, 0);
  t.equal(hex(left[1][0]), hex(clear), 'the kernel takes the hop that is still owed');
  t.equal(left[1][1][9], 50);
  t.equal(unknown.imbalance(), null);
  t.end();
});

for (const [name, inside, outside] of [
  ['TUN in, TUN out', undefined, undefined],
  ['packet in, xdp out', LinkKind.Packet, LinkKind.Xdp],
  ['TUN in, raw out', undefined, LinkKind.Raw],
] as const) {
  t.test(`each member is one hop for what is encrypted: ${name}`, (t) => {
    const one = new Router(tables(1, inside, outside));
    const two = new Router(tables(2, inside, outside));
    // A TUN gets what the kernel has decremented; any other link what was on the wire.
    const onWire = branchPacket(100, { ttl: 64 });
    const sealed = one.forward(inside === undefined ? 0 : fast(0), inside === undefined ? withTtl(onWire, 63) : onWire);
    const esp = sealed[outside === undefined ? 1 : fast(1)].map((packet) => packet.subarray(outside === LinkKind.Xdp ? 14 : 0));
    t.equal(esp.length, 1, 'sealed');
    const opened = two.forward(outside === undefined ? 1 : fast(1), ...esp);
    // By the TUN the kernel takes the hop; by the Ethernet link we did.
    if (inside === undefined) t.strictSame(opened[0].map(hex), [hex(withTtl(onWire, 63))]);
    else t.strictSame(opened[fast(0)].map(hex), [`02000000000a0200000000010800${hex(withTtl(onWire, 62))}`]);
    t.end();
  });
}

t.test('a TTL that is used up: time exceeded from us where no kernel routed it', (t) => {
  const router = new Router(tables(1, LinkKind.Packet, LinkKind.Xdp));
  const last = ipv4({ src: '10.0.1.10', dst: '198.51.100.10', payload: udp(1, 2, 40), ttl: 1 });
  const out = router.forward(fast(0), last);
  const error = out[fast(0)][0].subarray(14);
  t.strictSame([error[9], error[20], error[21]], [1, 11, 0], 'ICMP time exceeded in transit');
  t.equal(new DataView(error.buffer, error.byteOffset).getUint32(12), ip('10.0.1.1'));
  t.equal(hex(error.subarray(28)), hex(last), 'quotes the packet');
  t.equal(error[8], 64, 'a datagram of our own owes no hop');
  t.match(router.counters(), { 'drop.ttl_expired': 1, 'path.made_packets': 1, 'path.sent_packets': 1 });
  t.equal(router.imbalance(), null);
  // From a TUN the kernel has looked: TTL 1 there was 2 on the wire.
  t.equal(new Router(tables(1, undefined, LinkKind.Xdp)).forward(0, last)[fast(1)].length, 1);
  t.end();
});

t.test('past the kernel nobody may come with one of our addresses', (t) => {
  const router = new Router(tables(1, LinkKind.Packet, LinkKind.Xdp));
  const spoofed = ipv4({ src: '10.0.1.1', dst: '198.51.100.10' });
  t.strictSame(
    router.forward(fast(0), spoofed).map((queue) => queue.length),
    router.outputs.map(() => 0),
  );
  t.match(router.counters(), { 'drop.ip_martian': 1 });
  t.equal(router.forward(0, spoofed)[fast(1)].length, 1, 'on a TUN it is a program of this host');
  t.end();
});

t.test('what is for the host goes back by the TUN, as it came', (t) => {
  const router = new Router(tables(1, LinkKind.Packet, LinkKind.Xdp));
  const own = ipv4({ src: '10.0.1.10', dst: '10.0.1.1', ttl: 64 });
  t.strictSame(router.forward(fast(0), own)[0].map(hex), [hex(own)]);
  t.match(router.counters(), { 'path.punted_packets': 1 });
  t.end();
});

t.test('ESP in UDP: by the TUN, where that makes superpackets and the faster link does not', (t) => {
  const sent = (link: LinkKind, joinsUdp: boolean, peerPort: number, sizes = [100, 100]) => {
    const ends = { local: '172.16.1.2', peer: '172.16.2.2', peerPort, transform: 'gcm-256' as const };
    const acls = [[{ action: 'permit' as const, src: '10.0.1.0/24', dst: '10.0.2.0/24' }]];
    const router = new Router({
      ...tables(1, undefined, link),
      acls,
      entries: [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: 7 }],
      sas: [{ ...ends, spi: 7, keySeed: 1, acl: 0, sids: [0], sidBits: 8, flags: SaFlag.Outbound | SaFlag.Pairwise }],
      ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2', link, joinsUdp }],
      locals: ['10.0.1.1', '172.16.1.2'],
    });
    const out = router.forward(0, ...sizes.map((size) => branchPacket(size)));
    t.equal(router.imbalance(), null);
    return [out[1].length, out[fast(1)].length];
  };
  for (const link of [LinkKind.Xdp, LinkKind.Raw]) {
    t.same(sent(link, true, 4500), [2, 0], `${link}: by the TUN`);
    t.same(sent(link, false, 4500), [0, 2], `${link}: a kernel without superpackets of UDP`);
    t.same(sent(link, true, 0), [0, 2], `${link}: ESP itself`);
    t.same(sent(link, true, 4500, [100]), [0, 1], `${link}: one alone`);
    t.same(sent(link, true, 4500, [100, 200, 300, 300, 400]), [0, 5], `${link}: hardly two of a length`);
    t.same(sent(link, true, 4500, [1000, 1000, 1000, 60, 1000, 1000]), [6, 0], `${link}: runs`);
  }
  t.same(sent(LinkKind.Packet, true, 4500), [0, 2], 'a packet socket makes them too');
  t.end();
});
