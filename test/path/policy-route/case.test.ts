// Policy routing on the whole path: port 0 inside 10.0.1.0/24, port 1 the default way, port 2 another way whose crypto map encrypts 10.0/16 to 10.0/16.
// What has a hop leaves by that hop's own link. Header checksums of all that comes out are computed anew.

import t from 'tap';
import { HopKind, NatSide } from '../../../dataplane/mem/shared.js';
import { Cap } from '../../../dataplane/tables/layout.js';
import { summed } from '../nat/flows.js';
import { ip, ipv4, sumOf, udp } from '../packets.js';
import { type PolicySpec, Router, type SaSpec, type TablesSpec } from '../router.js';
import { Workers } from '../workers.js';

const sa: SaSpec = { spi: 0x7001, transform: 'gcm-256', sids: [1] };
const host = '10.0.1.10';
const server = '198.51.100.7';
/** Queues of the links to the hops: a router and the interface of port 2, a router of port 1, Null0, a router that is away. */
const [viaTwo, outTwo, viaOne, nowhere, away] = [0, 1, 2, 3, 4];

function tables(policies: PolicySpec[], more: Partial<TablesSpec> = {}): TablesSpec {
  return {
    ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2' }, { address: '172.16.2.2' }],
    acls: [
      [{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }],
      [
        { action: 'deny', src: '10.0.1.11/32', dst: 'any' },
        { action: 'permit', protocol: 17, src: '10.0.1.0/24', dst: 'any', dport: [53, 53] },
      ],
      [{ action: 'permit', src: 'any', dst: '203.0.113.0/24' }],
    ],
    entries: [{ port: 2, acl: 0, sa: 0 }],
    sas: [sa],
    routes: [
      { prefix: '0.0.0.0/0', port: 1, via: '172.16.1.1' },
      { prefix: '10.0.1.0/24', port: 0 },
      { prefix: '203.0.113.0/24', port: 2, via: '172.16.2.9' },
    ],
    locals: ['10.0.1.1', '172.16.1.2', '172.16.2.2'],
    policies,
    hops: [
      { kind: HopKind.NextHop, port: 2, address: '172.16.2.1' },
      { kind: HopKind.Interface, port: 2 },
      { kind: HopKind.NextHop, port: 1, address: '172.16.1.9' },
      { kind: HopKind.Null, port: -1 },
      { kind: HopKind.NextHop, port: -1, address: '172.16.3.1' },
    ],
    ...more,
  };
}

function datagram(more: Partial<Parameters<typeof ipv4>[0]> = {}, port = 53, size = 40): Uint8Array {
  return ipv4({ src: host, dst: server, payload: udp(5000, port, size), ...more });
}

/** Where packets left: `hop N` or `port N`. */
function ways(router: Router, ...packets: Uint8Array[]): string[] {
  return router.forward(0, ...packets).flatMap((queue, at) =>
    queue.map((packet) => {
      t.equal(sumOf(packet.subarray(0, (packet[0] & 15) * 4)), 0, 'header checksum');
      return at >= 2 * Cap.Ports ? `hop ${at - 2 * Cap.Ports}` : `port ${at}`;
    }),
  );
}

t.test('what the list permits goes to the next hop, what it denies or does not name is routed', (t) => {
  const router = new Router(tables([{ port: 0, acls: [1], nextHops: [viaTwo] }]));
  t.strictSame(ways(router, datagram(), datagram({ src: '10.0.1.11' }), datagram({}, 54)), ['port 1', 'port 1', 'hop 0']);
  t.strictSame(router.counters(), {
    'path.received_packets': 3,
    'path.sent_packets': 3,
    'policy[0].matched_packets': 1,
    'policy[0].matched_bytes': 68,
    'port[0].received_packets': 3,
    'port[0].received_bytes': 3 * 68,
    'port[1].sent_packets': 2,
    'port[1].sent_bytes': 2 * 68,
    'port[2].sent_packets': 1,
    'port[2].sent_bytes': 68,
  });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('several lists: one is enough; length too; a list that is not there matches nothing; no list matches all', (t) => {
  const router = new Router(
    tables([
      { port: 0, acls: [-1], nextHops: [viaOne] },
      { port: 0, acls: [1, 2], length: [60, 100], nextHops: [viaTwo] },
      { port: 0, length: [500, 1500], interfaces: [outTwo] },
    ]),
  );
  t.strictSame(ways(router, datagram()), ['hop 0']);
  t.strictSame(ways(router, datagram({ src: '10.0.1.11', dst: '203.0.113.5' })), ['hop 0'], 'denied by one list, permitted by the other');
  t.strictSame(ways(router, datagram({ src: '10.0.1.11' })), ['port 1']);
  t.strictSame(ways(router, datagram({}, 53, 10)), ['port 1'], '38 bytes');
  t.strictSame(ways(router, datagram({}, 99, 600)), ['hop 1']);
  t.match(router.counters(), { 'policy[1].matched_packets': 2, 'policy[2].matched_packets': 1, 'policy[2].matched_bytes': 628 });
  t.end();
});

t.test('the first hop that can be reached; none: the route; a port that is down is no way', (t) => {
  const router = new Router(tables([{ port: 0, nextHops: [away, viaOne, viaTwo], interfaces: [outTwo] }]));
  t.strictSame(ways(router, datagram()), ['hop 2']);
  router.adopt(tables([{ port: 0, nextHops: [away], interfaces: [outTwo] }]));
  t.strictSame(ways(router, datagram()), ['hop 1'], 'then the interface');
  router.adopt(
    tables([{ port: 0, nextHops: [viaTwo], df: 1 }], { ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2' }, { up: false }] }),
  );
  t.strictSame(ways(router, datagram()), ['port 1']);
  t.match(router.counters(), { 'policy[0].matched_packets': 1 }, 'counted all the same');
  t.end();
});

t.test('deny: routed as ever, and what entries before it set is not done', (t) => {
  const router = new Router(
    tables([
      { port: 0, acls: [2], next: 1, tos: [0x03, 184] },
      { port: 0, permit: false, acls: [2] },
      { port: 0, nextHops: [viaTwo] },
    ]),
  );
  const out = router.forward(0, datagram({ dst: '203.0.113.5' }));
  t.equal(out[2].length, 1, 'by its own route');
  t.equal(out[2][0][1], 0, 'ToS as it was');
  t.strictSame(ways(router, datagram()), ['hop 0']);
  t.end();
});

t.test('continue: sets add up, of equal kinds the last; an end without a decision is a permit', (t) => {
  const router = new Router(
    tables([
      { port: 0, next: 1, nextHops: [viaOne], tos: [0x1f, 0xa0], df: 1 },
      { port: 0, acls: [1], next: 2, nextHops: [viaTwo] },
      { port: 0, acls: [2], interfaces: [outTwo], tos: [0xe1, 0x08] },
    ]),
  );
  const dns = router.forward(0, datagram({ tos: 0x1d }))[2 * Cap.Ports + viaTwo][0];
  t.strictSame([dns[1], dns[6]], [0xbd, 0x40], 'precedence 5, the rest of the octet as it was; DF');
  const other = router.forward(0, datagram({}, 99))[2 * Cap.Ports + viaOne][0];
  t.equal(other[1], 0xa0);
  const both = router.forward(0, datagram({ dst: '203.0.113.5', tos: 0xff }))[2 * Cap.Ports + viaTwo][0];
  t.equal(both[1], 0xa0 | 0x09, 'both parts of the octet, ECN as it was');
  t.equal(sumOf(both.subarray(0, 20)), 0);
  t.match(router.counters(), { 'policy[0].matched_packets': 3, 'policy[1].matched_packets': 2, 'policy[2].matched_packets': 1 });
  t.end();
});

t.test('default next hop: for what has no route of its own; a default route is none', (t) => {
  const router = new Router(tables([{ port: 0, defaults: [viaTwo] }]));
  t.strictSame(ways(router, datagram()), ['hop 0']);
  t.strictSame(ways(router, datagram({ dst: '203.0.113.5' })), ['port 2']);
  router.adopt(tables([{ port: 0, defaults: [viaTwo] }], { routes: [{ prefix: '10.0.1.0/24', port: 0 }] }));
  t.strictSame(ways(router, datagram()), ['hop 0'], 'no route at all');
  t.end();
});

t.test('marks alone: rewritten, then routed; DF cleared lets it be cut', (t) => {
  const ports = [{ address: '10.0.1.1' }, { address: '172.16.1.2', mtu: 300 }, { address: '172.16.2.2' }];
  const router = new Router(tables([{ port: 0, tos: [0x03, 184], df: 0 }], { ports }));
  const pieces = router.forward(0, datagram({ df: true, tos: 1 }, 53, 400))[1];
  t.equal(pieces.length, 2);
  for (const piece of pieces) t.strictSame([piece[1], sumOf(piece.subarray(0, 20))], [185, 0]);
  t.end();
});

t.test('Null0 drops; for the host itself there is no policy', (t) => {
  const router = new Router(
    tables([
      { port: 0, acls: [2], interfaces: [nowhere] },
      { port: 0, nextHops: [viaTwo] },
    ]),
  );
  t.strictSame(ways(router, datagram({ dst: '203.0.113.5' })), []);
  t.strictSame(ways(router, datagram({ dst: '172.16.1.2' })), ['port 0'], 'punted');
  t.match(router.counters(), { 'drop.policy_null': 1, 'path.punted_packets': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('it leaves by the interface whose crypto map it then meets, and NAT is asked for that interface', (t) => {
  const policy = [{ port: 0, nextHops: [viaTwo] }];
  const router = new Router(tables(policy));
  const sealed = router.forward(0, datagram({ dst: '10.0.2.10' }))[2 * Cap.Ports + viaTwo][0];
  t.strictSame([sealed[9], new DataView(sealed.buffer).getUint32(12)], [50, ip(host)], 'ESP with its own addresses');
  const nat = new Router(
    tables(policy, {
      ports: [
        { address: '10.0.1.1', nat: NatSide.Inside },
        { address: '172.16.1.2', nat: NatSide.Outside },
        { address: '172.16.2.2', nat: NatSide.Outside },
      ],
      nat: [
        { rule: 0, permit: true, acl: null, outPort: 1, globalPort: 1 },
        { rule: 1, permit: true, acl: null, outPort: 2, globalPort: 2 },
      ],
    }),
  );
  const out = nat.forward(0, datagram())[2 * Cap.Ports + viaTwo][0];
  t.equal(new DataView(out.buffer).getUint32(12), ip('172.16.2.2'));
  const back = nat.forward(2, ipv4({ src: server, dst: '172.16.2.2', payload: udp(53, 5000, 9) }))[0][0];
  t.equal(new DataView(back.buffer).getUint32(16), ip(host));
  t.end();
});

t.test("the host's own packets have the local policy, and only that", (t) => {
  const router = new Router(
    tables([
      { port: 0, nextHops: [viaTwo] },
      { port: Cap.Ports, acls: [2], nextHops: [viaOne] },
    ]),
  );
  const own = (dst: string) => ipv4({ src: '10.0.1.1', dst, payload: udp(5000, 53, 9) });
  t.strictSame(ways(router, own('203.0.113.5'), own(server)), ['port 1', 'hop 2']);
  t.match(router.counters(), { 'policy[1].matched_packets': 1 });
  t.equal(router.counters()['policy[0].matched_packets'], undefined);
  t.end();
});

t.test('two workers: each routes by policy what it has, NAT and the crypto map of the other way included, and hits add up', (t) => {
  const policy: PolicySpec[] = [{ port: 0, acls: [1], nextHops: [viaTwo] }];
  const nat = {
    ports: [
      { address: '10.0.1.1', nat: NatSide.Inside },
      { address: '172.16.1.2', nat: NatSide.Outside },
      { address: '172.16.2.2', nat: NatSide.Outside },
    ],
    acls: [...tables([]).acls, [{ action: 'permit' as const, src: '10.0.1.0/24', dst: '198.51.100.0/24' }]],
    nat: [{ rule: 0, permit: true, acl: 3, globalPort: 2 }],
  };
  const workers = new Workers(2, tables(policy, nat));
  const hop = 2 * Cap.Ports + viaTwo;
  for (let i = 0; i < 16; i++) {
    const source = `10.0.1.${20 + i}`;
    workers.all[i & 1].inputs[0].push(datagram({ src: source, dst: i < 8 ? server : '10.0.9.9' }));
    const out = workers.run(hop).flat();
    t.equal(out.length, 1, `flow ${i} leaves by the hop`);
    t.equal(sumOf(out[0].subarray(0, 20)), 0);
    const view = new DataView(out[0].buffer, out[0].byteOffset);
    if (i >= 8) {
      t.equal(view.getUint8(9), 50, 'between the sites: encrypted');
      continue;
    }
    t.equal(view.getUint32(12), ip('172.16.2.2'), 'translated to the address of the way that it takes');
    const answer = summedAnswer(view.getUint16(20));
    workers.all[(i >> 1) & 1].inputs[2].push(answer);
    const back = workers.run(0).flat();
    t.equal(back.length, 1);
    t.equal(new DataView(back[0].buffer, back[0].byteOffset).getUint32(16), ip(source));
  }
  t.equal(
    workers.all.reduce((sum, router) => sum + (router.counters()['policy[0].matched_packets'] ?? 0), 0),
    16,
  );
  t.equal(workers.imbalance(), null);
  t.end();
});

function summedAnswer(port: number): Uint8Array {
  return summed({ src: server, dst: '172.16.2.2' }, udp(53, port, 9), 6);
}
