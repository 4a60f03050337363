// PAT on the whole path: port 0 inside 10.0.1.0/24, port 1 outside 172.16.1.2 with a group that encrypts 10.0/16 to 10.0/16; what the statement's
// route-map does not exempt leaves with 172.16.1.2. Every packet that comes out is checked with sums computed anew.

import t from 'tap';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { NatState } from '../../../dataplane/tables/layout.js';
import { hex, ip, ipv4, sumOf, udp } from '../packets.js';
import { Router } from '../router.js';
import { datagram, expectFlow, global, host, icmp, natTables, read, segment, server, summed } from './flows.js';

t.test('out and back: the same port where it is free, another where it is not, and the VPN as it was', (t) => {
  const router = new Router(natTables());
  expectFlow(t, router.forward(0, datagram(host, server, 5000, 53))[1][0], global, 5000, server, 53);
  expectFlow(t, router.forward(1, datagram(server, global, 53, 5000))[0][0], server, 53, host, 5000);
  const other = router.forward(0, datagram('10.0.1.11', server, 5000, 53))[1][0];
  const { src, ports } = read(t, other);
  t.equal(src, ip(global));
  t.not(ports[0], 5000);
  t.ok(ports[0] >= 1024, 'of the range of the inside port');
  expectFlow(t, router.forward(1, datagram(server, global, 53, ports[0]))[0][0], server, 53, '10.0.1.11', 5000);
  expectFlow(t, router.forward(0, datagram('10.0.1.11', '198.51.100.8', 5000, 53))[1][0], global, 5000, '198.51.100.8', 53);
  const vpn = router.forward(0, datagram(host, '10.0.2.10', 5000, 53))[1][0];
  t.equal(vpn[9], 50, 'ESP');
  t.equal(new DataView(vpn.buffer).getUint32(12), ip(host), 'with the host’s own address');
  router.nowMs += 20;
  router.pass();
  t.match(router.counters(), { 'nat.sessions': 3, 'nat.sessions_created': 3, 'nat.outbound_packets': 3, 'nat.inbound_packets': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('with a plain list the VPN breaks, as on IOS: translated first, the packet is none of the group’s', (t) => {
  const router = new Router(natTables({ nat: [{ rule: 0, permit: true, acl: 1, globalPort: 1 }] }));
  expectFlow(t, router.forward(0, datagram(host, '10.0.2.10', 5000, 53))[1][0], global, 5000, '10.0.2.10', 53);
  t.end();
});

t.test('a statement that says no leaves the packet to the next one', (t) => {
  const router = new Router(
    natTables({
      acls: [
        [{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }],
        [{ action: 'permit', src: '10.0.1.10/32', dst: 'any' }],
        [
          { action: 'deny', src: '10.0.1.12/32', dst: 'any' },
          { action: 'permit', src: 'any', dst: 'any' },
        ],
      ],
      nat: [
        { rule: 0, permit: false, acl: 1, globalPort: 0 },
        { rule: 0, permit: true, acl: null, outPort: 0, globalPort: 0 },
        { rule: 1, permit: true, acl: 2, outPort: 1, globalPort: 1 },
      ],
    }),
  );
  expectFlow(t, router.forward(0, datagram(host, server, 5000, 53))[1][0], global, 5000, server, 53);
  expectFlow(t, router.forward(0, datagram('10.0.1.12', server, 5000, 53))[1][0], '10.0.1.12', 5000, server, 53);
  t.end();
});

t.test('a UDP checksum of 0 stays 0', (t) => {
  const router = new Router(natTables());
  const out = router.forward(0, ipv4({ src: host, dst: server, payload: udp(5000, 53, 9) }))[1][0];
  t.strictSame([out[26], out[27]], [0, 0]);
  t.end();
});

t.test('TCP: 60 s until it is answered, a day when it is, 60 s after FIN or RST', (t) => {
  const router = new Router(natTables());
  const stateOf = (): number => router.env.nat.sessions.rows[6];
  router.forward(0, segment(host, server, 5000, 80, 2));
  t.equal(stateOf(), NatState.TcpSyn);
  router.forward(1, segment('198.51.100.8', global, 80, 5000, 0x12));
  t.equal(stateOf(), NatState.TcpSyn, 'somebody else’s answer is none');
  expectFlow(t, router.forward(1, segment(server, global, 80, 5000, 0x12))[0][0], server, 80, host, 5000);
  t.equal(stateOf(), NatState.TcpEstablished);
  router.nowMs += 7300_000;
  t.equal(router.forward(1, segment(server, global, 80, 5000, 0x10))[0].length, 1, 'quiet for 2 h and 2 minutes (RFC 5382 REQ-5)');
  router.forward(1, segment(server, global, 80, 5000, 4));
  t.equal(stateOf(), NatState.TcpFinRst);
  t.equal(router.forward(1, segment(server, global, 80, 5000, 0x10))[0].length, 1, 'a reset does not end it at once');
  router.nowMs += 61_000;
  t.equal(router.forward(1, segment(server, global, 80, 5000, 0x10))[0].length, 0, 'but a minute later');
  t.match(router.counters(), { 'nat.sessions_expired': 1 });
  t.end();
});

t.test('UDP: what comes from outside does not keep a session alive (RFC 4787 REQ-6)', (t) => {
  const router = new Router(natTables());
  router.forward(0, datagram(host, server, 5000, 5001));
  router.nowMs += 200_000;
  t.equal(router.forward(1, datagram(server, global, 5001, 5000))[0].length, 1);
  router.nowMs += 101_000;
  t.equal(router.forward(1, datagram(server, global, 5001, 5000))[0].length, 0);
  t.end();
});

t.test('echo requests by identifier; two hosts with one identifier are told apart', (t) => {
  const router = new Router(natTables());
  const data = Uint8Array.of(1, 2, 3, 4);
  const first = router.forward(0, icmp(host, server, 8, 0, 0x4d2_0001, data))[1][0];
  t.strictSame([read(t, first).src, new DataView(first.buffer).getUint16(24)], [ip(global), 0x4d2]);
  const second = router.forward(0, icmp('10.0.1.11', server, 8, 0, 0x4d2_0001, data))[1][0];
  const id = new DataView(second.buffer).getUint16(24);
  t.not(id, 0x4d2);
  const back = router.forward(1, icmp(server, global, 0, 0, id * 65536 + 1, data))[0][0];
  t.equal(read(t, back).dst, ip('10.0.1.11'));
  t.equal(new DataView(back.buffer).getUint16(24), 0x4d2);
  t.end();
});

t.test('an ICMP error from any router reaches the inside host and quotes what it sent (RFC 5508 REQ-3, REQ-4)', (t) => {
  const router = new Router(natTables());
  for (const sent of [datagram(host, server, 5000, 53), segment(host, server, 5000, 80, 2)]) {
    const out = router.forward(0, sent)[1][0];
    const error = router.forward(1, icmp('203.0.113.9', global, 3, 4, 1400, out.subarray(0, 28)))[0][0];
    t.equal(read(t, error).dst, ip(host));
    const quote = error.subarray(28);
    const wanted = sent.slice(0, 28);
    wanted[8] = out[8];
    wanted.set([quote[10], quote[11]], 10);
    if (sent[9] === 17) wanted.set([quote[26], quote[27]], 26);
    t.equal(hex(quote), hex(wanted));
    t.equal(sumOf(quote.subarray(0, 20)), 0, 'header checksum of the quote');
  }
  t.equal(router.forward(1, icmp('203.0.113.9', global, 3, 1, 0, datagram(global, server, 999, 53).subarray(0, 28)))[0].length, 0);
  t.match(router.counters(), { 'path.punted_packets': 1 }, 'about no session: for the router itself');
  t.end();
});

t.test(
  'our own errors: 3/4 about a translated packet goes to the inside host as it sent it; time exceeded to the outside names the global address',
  (t) => {
    const small = natTables({
      ports: [
        { address: '10.0.1.1', nat: NatSide.Inside, mtu: 1000 },
        { address: global, nat: NatSide.Outside, mtu: 1000 },
      ],
    });
    const router = new Router(small);
    const big = summed({ src: host, dst: server, df: true }, udp(5000, 53, 1100), 6);
    const error = router.forward(0, big)[0][0];
    t.strictSame(read(t, error).src, ip('10.0.1.1'));
    t.strictSame(read(t, error).dst, ip(host));
    t.strictSame([error[20], error[21], new DataView(error.buffer).getUint16(26)], [3, 4, 1000]);
    t.equal(new DataView(error.buffer).getUint32(28 + 12), ip(host), 'quotes the inside address');
    t.equal(new DataView(error.buffer).getUint16(28 + 20), 5000, 'and port');
    router.forward(0, datagram(host, server, 5000, 53));
    const tooBig = summed({ src: server, dst: global, df: true }, udp(53, 5000, 1100), 6);
    const outward = router.forward(1, tooBig)[1][0];
    t.strictSame(read(t, outward).src, ip(global));
    t.strictSame(read(t, outward).dst, ip(server));
    t.equal(new DataView(outward.buffer).getUint32(28 + 16), ip(global), 'quotes the global address');
    t.equal(new DataView(outward.buffer).getUint16(28 + 22), 5000);
    t.equal(router.imbalance(), null);
    t.end();
  },
);

t.test('no room: new flows are dropped and counted, those that are there go on', (t) => {
  const router = new Router(natTables({ natSessions: 2 }));
  router.forward(0, datagram(host, server, 5000, 53), datagram(host, server, 5001, 53));
  t.equal(router.forward(0, datagram(host, server, 5002, 53))[1].length, 0);
  t.equal(router.forward(0, datagram(host, server, 5000, 53))[1].length, 1);
  t.match(router.counters(), { 'drop.nat_full': 1 });
  const narrow = new Router(natTables());
  for (let i = 0; i < 510; i++) narrow.forward(0, datagram(`10.0.1.${10 + (i % 200)}`, server, 1 + (i % 500), 53));
  const before = narrow.counters()['nat.outbound_packets'];
  narrow.forward(0, datagram('10.0.1.250', server, 100, 53));
  t.match(narrow.counters(), { 'drop.nat_no_port': 1 }, 'ports 1 to 511 are all taken for this destination, 500 by the router’s IKE');
  t.equal(narrow.counters()['nat.outbound_packets'], before);
  t.equal(narrow.forward(0, datagram('10.0.1.250', '198.51.100.8', 100, 53))[1].length, 1, 'for another they are not');
  t.end();
});

t.test('the router’s own flows keep their address, and their port is nobody else’s', (t) => {
  const router = new Router(natTables());
  expectFlow(t, router.forward(1, datagram(global, server, 5000, 53))[1][0], global, 5000, server, 53);
  const { ports } = read(t, router.forward(0, datagram(host, server, 5000, 53))[1][0]);
  t.not(ports[0], 5000);
  t.equal(router.forward(1, datagram(server, global, 53, 5000))[0].length, 0, 'the answer is for the router');
  t.match(router.counters(), { 'path.punted_packets': 1 });
  t.end();
});

t.test('sessions end by themselves while packets pass, and at the operator’s word', (t) => {
  const router = new Router(natTables());
  for (let port = 5000; port < 5100; port++) router.forward(0, datagram(host, server, port, 53));
  router.nowMs += 61_000;
  router.pass();
  t.match(router.counters(), { 'nat.sessions_expired': 100 });
  t.equal(router.env.nat.sessions.length, 0);
  router.forward(0, datagram(host, server, 5000, 53));
  router.env.nat.sessions.clear();
  t.equal(router.forward(1, datagram(server, global, 53, 5000))[0].length, 0);
  t.end();
});

t.test('GRE and ESP of inside hosts: one for each peer, by addresses alone', (t) => {
  const router = new Router(natTables());
  for (const protocol of [47, 50]) {
    const packet = (src: string, dst: string) => ipv4({ src, dst, protocol, payload: Uint8Array.from({ length: 40 }, (_, i) => i + 1) });
    t.equal(new DataView(router.forward(0, packet(host, server))[1][0].buffer).getUint32(12), ip(global));
    const back = router.forward(1, packet(server, global))[0];
    t.strictSame([back.length, new DataView(back[0].buffer).getUint32(16)], [1, ip(host)]);
    t.equal(router.forward(0, packet('10.0.1.11', server))[1].length, 0, 'a second host to the same peer could not be told apart');
    t.equal(router.forward(0, packet('10.0.1.11', '198.51.100.8'))[1].length, 1);
  }
  t.match(router.counters(), { 'drop.nat_no_port': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('what names no flow and would be translated is dropped: its private address must not leave', (t) => {
  const router = new Router(natTables());
  const about = ipv4({ src: server, dst: host, payload: udp(53, 999, 9) });
  router.forward(0, icmp(host, server, 3, 3, 0, about.subarray(0, 28)));
  router.forward(0, icmp(host, server, 10, 0, 0, Uint8Array.of(1)));
  const cut = router.forward(0, ipv4({ src: host, dst: server, protocol: 6, payload: Uint8Array.of(1, 2, 3) }));
  t.equal(cut[1].length, 0);
  t.match(router.counters(), { 'drop.nat_no_flow': 3 });
  t.equal(router.forward(0, icmp(host, '10.0.2.10', 3, 3, 0, about.subarray(0, 28)))[1][0][9], 50, 'into the VPN it goes as ever');
  t.equal(router.imbalance(), null);
  t.end();
});
