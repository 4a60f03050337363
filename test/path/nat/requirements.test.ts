// What the RFCs ask of a NAT, a test for each requirement that no other file has: their names are those of the table in dataplane/README.md.

import t from 'tap';
import { PathCount } from '../../../dataplane/counters/declare.js';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { NatRow, NatState } from '../../../dataplane/tables/layout.js';
import { tablesOf } from '../nat-rules/configured.js';
import { fixHeader, hex, ip, ipv4, sumOf, udp } from '../packets.js';
import { Router } from '../router.js';
import { datagram, expectFlow, global, host, icmp, natTables, read, segment, server } from './flows.js';

const other = '198.51.100.8';
const [Fin, Syn, Rst, Ack] = [1, 2, 4, 16];

function stateOf(router: Router, row = 0): number {
  return router.env.nat.sessions.rows[row * NatRow.Words + NatRow.State];
}

t.test('RFC 4787 REQ-3: no overloading: two hosts never share a port towards one destination; REQ-4: ranges of IOS', (t) => {
  const router = new Router(natTables());
  for (const [wanted, low, high] of [
    [80, 1, 511],
    [600, 512, 1023],
    [40000, 1024, 65535],
  ]) {
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const { ports } = read(t, router.forward(0, datagram(`10.0.1.${10 + i}`, server, wanted, 53))[1][0]);
      t.ok(ports[0] >= low && ports[0] <= high, `${ports[0]} is in the range of ${wanted}`);
      seen.add(ports[0]);
    }
    t.equal(seen.size, 40);
    t.ok(seen.has(wanted), 'the first keeps its port');
  }
  t.end();
});

t.test('RFC 4787 REQ-5: UDP lives 300 s, DNS 60 s; REQ-6: what the inside sends keeps it alive', (t) => {
  for (const [port, seconds] of [
    [5001, 300],
    [53, 60],
  ]) {
    const router = new Router(natTables());
    router.forward(0, datagram(host, server, 5000, port));
    router.nowMs += (seconds - 1) * 1000;
    t.equal(router.forward(1, datagram(server, global, port, 5000))[0].length, 1, 'alive');
    router.forward(0, datagram(host, server, 5000, port));
    router.nowMs += (seconds - 1) * 1000;
    t.equal(router.forward(1, datagram(server, global, port, 5000))[0].length, 1, 'refreshed from inside');
    router.nowMs += 1000;
    t.equal(router.forward(1, datagram(server, global, port, 5000))[0].length, 0, 'over');
  }
  t.end();
});

t.test('RFC 4787 REQ-8, RFC 5382 REQ-3: filtering by address and port', (t) => {
  const router = new Router(natTables());
  router.forward(0, datagram(host, server, 5000, 5001), segment(host, server, 5000, 80, Syn));
  const strangers = [
    datagram(other, global, 5001, 5000),
    datagram(server, global, 5002, 5000),
    datagram(server, global, 5001, 5003),
    segment(other, global, 80, 5000, Syn | Ack),
    segment(server, global, 81, 5000, Syn | Ack),
  ];
  t.equal(router.forward(1, ...strangers)[0].length, 0);
  t.equal(router.env.counters.path[PathCount.Punted], strangers.length, 'they are for the router itself');
  t.equal(router.forward(1, datagram(server, global, 5001, 5000))[0].length, 1);
  t.end();
});

t.test(
  'RFC 4787 REQ-9, RFC 5508 REQ-7: no hairpin to PAT’s ports: our address from inside is the router (hosts with a way in: nat-rules/hairpin)',
  (t) => {
    const router = new Router(natTables());
    router.forward(0, datagram(host, server, 5000, 5001));
    router.forward(
      0,
      datagram('10.0.1.11', global, 6000, 5000),
      segment(host, global, 5000, 5000, Syn),
      icmp(host, global, 8, 0, 0x10001, new Uint8Array(8)),
    );
    t.match(router.counters(), { 'path.punted_packets': 3, 'nat.sessions_created': 1 });
    t.end();
  },
);

t.test('loops are impossible: whatever addresses a packet has, it leaves once at the most, and the pass ends', (t) => {
  const addresses = [host, '10.0.1.11', '10.0.1.1', global, server, '10.0.2.10'];
  const forwards = `access-list 1 permit 10.0.1.0 0.0.0.255
ip nat inside source list 1 interface eth1 overload
ip nat inside source static udp ${host} 5000 interface eth1 5000
ip nat inside source static tcp 10.0.1.11 5000 interface eth1 5000
ip nat inside source static ${host} 10.0.2.10`;
  for (const router of [new Router(natTables()), new Router(tablesOf(forwards))]) {
    router.forward(0, datagram(host, server, 5000, 5000), segment(host, server, 5000, 5000, Syn));
    for (const port of [0, 1])
      for (const src of addresses)
        for (const dst of addresses)
          for (const make of [
            () => datagram(src, dst, 5000, 5000),
            () => segment(src, dst, 5000, 5000, Ack),
            () => icmp(src, dst, 8, 0, 0x13880001, new Uint8Array(4)),
            () => icmp(src, dst, 3, 3, 0, datagram(dst, src, 5000, 5000).subarray(0, 28)),
            () => ipv4({ src, dst, protocol: 47, payload: new Uint8Array(12) }),
          ]) {
            const before = router.env.counters.path[PathCount.Made];
            const out = router.forward(port, make()).flat();
            const made = router.env.counters.path[PathCount.Made] - before;
            t.ok(out.length <= 1 + made && made <= 1, `${src} to ${dst} by ${port}: ${out.length} left`);
            t.equal(router.imbalance(), null);
          }
  }
  t.end();
});

t.test('RFC 4787 REQ-11, RFC 5382 REQ-7: deterministic: two routers choose alike, also where ports are taken', (t) => {
  const [one, another] = [new Router(natTables()), new Router(natTables())];
  for (let i = 0; i < 300; i++) {
    const sent = () => datagram(`10.0.1.${10 + (i % 60)}`, server, 500 + (i % 7), 53);
    t.equal(hex(one.forward(0, sent())[1][0] ?? new Uint8Array(0)), hex(another.forward(0, sent())[1][0] ?? new Uint8Array(0)));
  }
  t.end();
});

t.test('RFC 4787 REQ-12, RFC 5382 REQ-9, RFC 5508 REQ-6: ICMP errors neither end nor refresh a session, nor change its state', (t) => {
  const router = new Router(natTables());
  const flows: [Uint8Array, Uint8Array][] = [
    [datagram(host, server, 5000, 5001), datagram(server, global, 5001, 5000)],
    [segment(host, server, 5000, 80, Syn), segment(server, global, 80, 5000, Syn | Ack)],
    [icmp(host, server, 8, 0, 0x10001, new Uint8Array(4)), icmp(server, global, 0, 0, 0x10001, new Uint8Array(4))],
  ];
  const left = flows.map(([sent]) => router.forward(0, sent)[1][0]);
  router.nowMs += 10_000;
  const { rows } = router.env.nat.sessions;
  const before = [0, 1, 2].map((row) => [...rows.subarray(row * NatRow.Words, (row + 1) * NatRow.Words)]);
  for (const about of left)
    for (const [type, code] of [
      [3, 0],
      [3, 1],
      [3, 2],
      [3, 3],
      [3, 4],
      [3, 13],
      [4, 0],
      [11, 0],
      [12, 0],
    ])
      t.equal(router.forward(1, icmp('203.0.113.9', global, type, code, 0, about.subarray(0, 28)))[0].length, 1);
  const after = [0, 1, 2].map((row) => [...rows.subarray(row * NatRow.Words, (row + 1) * NatRow.Words)]);
  t.strictSame(after, before);
  for (const [, answer] of flows) t.equal(router.forward(1, answer.slice())[0].length, 1);
  t.end();
});

t.test('RFC 5382 REQ-2: simultaneous open, once our SYN has passed', (t) => {
  const router = new Router(natTables());
  router.forward(0, segment(host, server, 5000, 5000, Syn));
  expectFlow(t, router.forward(1, segment(server, global, 5000, 5000, Syn))[0][0], server, 5000, host, 5000);
  expectFlow(t, router.forward(0, segment(host, server, 5000, 5000, Syn | Ack))[1][0], global, 5000, server, 5000);
  t.equal(stateOf(router), NatState.TcpSyn);
  router.forward(1, segment(server, global, 5000, 5000, Syn | Ack));
  t.equal(stateOf(router), NatState.TcpEstablished);
  t.end();
});

t.test('RFC 5382 REQ-4: an unsolicited SYN is the router’s own, and makes no session', (t) => {
  const router = new Router(natTables());
  t.equal(router.forward(1, segment(server, global, 80, 5000, Syn)).flat().length, 1);
  t.match(router.counters(), { 'path.punted_packets': 1 });
  t.equal(router.env.nat.sessions.length, 0);
  t.end();
});

t.test(
  'RFC 5382 REQ-5: an established connection lives longer than 2 h 4 min; a RST, of whichever side, gives it a minute, and a new SYN its life back',
  (t) => {
    for (const side of [0, 1]) {
      const router = new Router(natTables());
      const open = () => {
        router.forward(0, segment(host, server, 5000, 80, Syn));
        router.forward(1, segment(server, global, 80, 5000, Syn | Ack));
      };
      open();
      t.equal(stateOf(router), NatState.TcpEstablished);
      router.nowMs += (2 * 3600 + 4 * 60 + 1) * 1000;
      t.equal(router.forward(1, segment(server, global, 80, 5000, Ack))[0].length, 1);
      router.forward(side, side === 0 ? segment(host, server, 5000, 80, Rst) : segment(server, global, 80, 5000, Rst));
      router.nowMs += 59_000;
      t.equal(router.forward(1, segment(server, global, 80, 5000, Ack))[0].length, 1, 'not at once');
      open();
      t.equal(stateOf(router), NatState.TcpEstablished);
      router.forward(0, segment(host, server, 5000, 80, Fin | Ack));
      t.equal(stateOf(router), NatState.TcpFinRst);
    }
    t.end();
  },
);

t.test('RFC 5508 REQ-1, REQ-2: replies of the host that was asked, by identifier, for 60 s; every query type', (t) => {
  for (const [type, reply] of [
    [8, 0],
    [13, 14],
    [15, 16],
    [17, 18],
  ]) {
    const router = new Router(natTables());
    router.forward(0, icmp(host, server, type, 0, 0x70001, new Uint8Array(12)));
    t.equal(router.forward(1, icmp(other, global, reply, 0, 0x70001, new Uint8Array(12)))[0].length, 0, 'of another');
    router.nowMs += 59_000;
    t.equal(router.forward(1, icmp(server, global, reply, 0, 0x70001, new Uint8Array(12)))[0].length, 1);
    router.nowMs += 1000;
    t.equal(router.forward(1, icmp(server, global, reply, 0, 0x70001, new Uint8Array(12)))[0].length, 0, 'no refresh from outside');
  }
  t.end();
});

/** An error from outside about what left, and what becomes of it. */
function sendError(router: Router, quote: Uint8Array, change?: (error: Uint8Array) => void): Uint8Array[] {
  const error = icmp('203.0.113.9', global, 3, 3, 0, quote);
  change?.(error);
  return router.forward(1, error)[0];
}

t.test(
  'RFC 5508 REQ-3: errors whose checksum, or whose quoted header’s, is wrong are not passed on; options are traversed; transport sums are not judged',
  (t) => {
    const router = new Router(natTables());
    const out = router.forward(0, datagram(host, server, 5000, 53))[1][0];
    t.equal(sendError(router, out, (error) => error.set([0x12, 0x34], 22)).length, 0, 'ICMP checksum');
    const wrongHeader = out.slice();
    wrongHeader[10] ^= 0xff;
    t.equal(sendError(router, wrongHeader).length, 0, 'checksum of the quoted header');
    const wrongTransport = out.slice();
    wrongTransport[26] ^= 0xff;
    t.equal(sendError(router, wrongTransport).length, 1, 'transport checksum');
    const withOptions = router.forward(0, datagram(host, server, 5001, 53, { options: Uint8Array.of(1, 1, 1, 0) }))[1][0];
    const translated = sendError(router, withOptions)[0];
    const quote = translated.subarray(28);
    t.equal(new DataView(quote.buffer, quote.byteOffset).getUint16(24), 5001);
    t.equal(sumOf(quote.subarray(0, 24)), 0);
    t.equal(router.imbalance(), null);
    t.end();
  },
);

t.test(
  'bad input 42: what errors may quote: nothing, too little, a later fragment, another error, GRE, ESP, IPIP; redirects are ignored',
  (t) => {
    const router = new Router(natTables());
    const out = router.forward(0, datagram(host, server, 5000, 53))[1][0];
    for (let length = 0; length < 24; length++) t.equal(sendError(router, out.subarray(0, length)).length, 0, `${length} bytes`);
    for (const length of [24, 27, 28, 33]) t.equal(sendError(router, out.subarray(0, length)).length, 1, `${length} bytes tell the ports`);
    const short = out.slice();
    short[0] = 0x44;
    t.equal(sendError(router, short).length, 0, 'a header shorter than any');
    const long = out.slice();
    long[0] = 0x4f;
    t.equal(sendError(router, long).length, 0, 'a header longer than the quote');
    const six = out.slice();
    six[0] = 0x65;
    t.equal(sendError(router, six).length, 0, 'IPv6');
    t.equal(sendError(router, ipv4({ src: global, dst: server, fragmentOffset: 8, payload: out.slice(20) })).length, 0, 'a later fragment');
    t.equal(
      sendError(router, ipv4({ src: global, dst: server, protocol: 1, payload: Uint8Array.of(3, 3, 0, 0, 0, 0, 0, 0, ...out) })).length,
      0,
      'an error',
    );
    for (const protocol of [47, 50, 4]) {
      t.equal(
        sendError(router, ipv4({ src: global, dst: server, protocol, payload: new Uint8Array(12) })).length,
        0,
        `${protocol} of no session`,
      );
      const left = router.forward(0, ipv4({ src: host, dst: server, protocol, payload: new Uint8Array(12) }))[1][0];
      const [error] = sendError(router, left);
      t.equal(read(t, error).dst, ip(host));
      t.equal(new DataView(error.buffer).getUint32(40), ip(host), 'the quote names the inside host');
      t.equal(sumOf(error.subarray(28, 48)), 0);
    }
    t.equal(
      router.forward(1, icmp('172.16.1.1', global, 5, 1, ip('172.16.1.9') | 0, out))[0].length,
      0,
      'a redirect is not for the inside',
    );
    t.equal(
      router.forward(1, icmp('203.0.113.9', global, 3, 3, 0, out).slice(0, 20 + 8)).flat().length,
      0,
      'an error cut short is no datagram',
    );
    t.equal(router.imbalance(), null);
    t.end();
  },
);

t.test(
  'bad input 43: forged "fragmentation needed": MTU 0, below 68, above the present one, of no flow: passed on to who can judge it, or not at all',
  (t) => {
    const router = new Router(natTables());
    const out = router.forward(0, datagram(host, server, 5000, 53))[1][0];
    for (const mtu of [0, 20, 67, 9000, 65535]) {
      const [error] = router.forward(1, icmp('203.0.113.9', global, 3, 4, mtu, out.subarray(0, 28)))[0];
      t.equal(
        new DataView(error.buffer).getUint16(26),
        mtu,
        'the host’s kernel knows its own minimum (the path MTU of ours is none of a host’s words)',
      );
      t.equal(router.forward(0, datagram(host, server, 5000, 53))[1].length, 1, 'nothing here has changed');
    }
    const before = router.env.counters.path[PathCount.Punted];
    const forged = datagram(global, server, 5001, 53).subarray(0, 28);
    t.equal(router.forward(1, icmp('203.0.113.9', global, 3, 4, 68, forged))[0].length, 0, 'of no flow');
    t.equal(router.env.counters.path[PathCount.Punted], before + 1);
    const private_ = datagram(host, server, 5000, 53).subarray(0, 28);
    t.equal(router.forward(1, icmp('203.0.113.9', global, 3, 4, 68, private_))[0].length, 0, 'that quotes an inside address');
    t.equal(
      router.forward(1, icmp('203.0.113.9', global, 3, 4, 68, datagram(global, other, 5000, 53).subarray(0, 28)))[0].length,
      0,
      'of another peer',
    );
    t.end();
  },
);

t.test('RFC 5508 REQ-5: errors from inside: to the outside with the global address, outer and quoted; of no session: dropped', (t) => {
  const router = new Router(natTables());
  router.forward(0, datagram(host, server, 5000, 53));
  const [back] = router.forward(1, datagram(server, global, 53, 5000))[0];
  for (const from of [host, '10.0.1.77']) {
    const error = router.forward(0, icmp(from, server, 3, 3, 0, back.subarray(0, 28)))[1][0];
    t.strictSame([read(t, error).src, read(t, error).dst], [ip(global), ip(server)]);
    t.equal(new DataView(error.buffer).getUint32(44), ip(global));
    t.equal(sumOf(error.subarray(28, 48)), 0);
  }
  t.equal(router.forward(0, icmp(host, server, 3, 3, 0, datagram(server, host, 99, 98).subarray(0, 28)))[1].length, 0);
  t.match(router.counters(), { 'drop.nat_no_flow': 1 }, 'its private address does not leave');
  t.end();
});

t.test('RFC 5508 REQ-8: without room the sender is told 3/13, and existing sessions go on', (t) => {
  const router = new Router(natTables({ natSessions: 1 }));
  router.forward(0, datagram(host, server, 5000, 53));
  const [error] = router.forward(0, datagram(host, server, 5001, 53))[0];
  t.strictSame([error[20], error[21]], [3, 13]);
  t.strictSame([read(t, error).src, read(t, error).dst], [ip('10.0.1.1'), ip(host)]);
  t.equal(new DataView(error.buffer).getUint16(48), 5001, 'about its own packet');
  t.equal(router.forward(0, datagram(host, server, 5000, 53))[1].length, 1);
  const told: string[] = [];
  router.env.events.drain(1, (event) => told.push(event.kind === 'log' ? `${event.mnemonic}: ${event.text}` : ''));
  router.env.events.drain(2, (event) => told.push(event.kind));
  t.equal(told.length, 1);
  t.match(told[0], /^MAX_ENTRIES: .*first 10\.0\.1\.10 to 198\.51\.100\.7; 1 packets/);
  for (let i = 0; i < 500; i++) router.forward(0, datagram(host, server, 6000 + i, 53));
  router.env.events.drain(29_000, () => t.fail('too early'));
  router.env.events.drain(31_000, (event) => told.push(event.kind === 'log' ? event.text : ''));
  t.match(told[1], /500 packets/);
  t.match(router.counters(), { 'drop.nat_full': 501 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('RFC 5508 REQ-11: other ICMP types are of no flow: dropped on their way out, the router’s own on their way in', (t) => {
  const router = new Router(natTables());
  for (const type of [5, 9, 10, 30, 40, 255]) {
    t.equal(router.forward(0, icmp(host, server, type, 0, 0, new Uint8Array(28)))[1].length, 0);
    t.equal(router.forward(1, icmp(server, global, type, 0, 0, new Uint8Array(28)))[0].length, 0);
  }
  t.match(router.counters(), { 'drop.nat_no_flow': 6 });
  t.end();
});

t.test('bad input 45: lengths and flags of transport headers that lie', (t) => {
  const router = new Router(natTables());
  const lie = (packet: Uint8Array, at: number, ...values: number[]) => {
    packet.set(values, 20 + at);
    return packet;
  };
  const refused = [
    lie(datagram(host, server, 5000, 53), 4, 0, 0),
    lie(datagram(host, server, 5000, 53), 4, 0, 7),
    lie(datagram(host, server, 5000, 53), 4, 0xff, 0xff),
    ipv4({ src: host, dst: server, payload: new Uint8Array(7) }),
    ipv4({ src: host, dst: server, protocol: 6, payload: new Uint8Array(19) }),
    lie(segment(host, server, 5000, 80, Syn), 12, 0x40),
    lie(segment(host, server, 5000, 80, Syn), 12, 0xf0),
    ipv4({ src: host, dst: server, protocol: 1, payload: Uint8Array.of(8, 0, 0, 0) }),
  ];
  t.equal(router.forward(0, ...refused.map((packet) => packet.slice()))[1].length, 0);
  t.match(router.counters(), { 'drop.nat_no_flow': refused.length });
  t.equal(router.env.nat.sessions.length, 0);
  for (const flags of [0, Syn | Fin, Syn | Rst, 0xff])
    t.equal(router.forward(0, segment(host, server, 5100 + flags, 80, flags))[1].length, 1, 'flags are the end host’s');
  t.equal(router.forward(0, ipv4({ src: host, dst: server, payload: udp(5300, 53, 0) }))[1].length, 1, 'UDP without data');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('bad input 45: one host takes 64,512 ports: it gets no more towards that destination; others go on, and elsewhere it may', (t) => {
  const router = new Router(natTables());
  const made = (sport: number, from = host, to = server) => router.forward(0, datagram(from, to, sport, 53))[1].length;
  let got = 0;
  for (let port = 1024; port <= 65535; port++) got += made(port);
  t.equal(got, 64511, 'all but 4500, which is for the router’s IKE');
  t.equal(made(5000, '10.0.1.11'), 0, 'none is left in this range');
  t.equal(made(600, '10.0.1.11'), 1, 'another range has some');
  t.equal(made(5000, '10.0.1.11', other), 1, 'and another destination all');
  t.equal(made(5000), 1, 'what is there goes on');
  t.match(router.counters(), { 'drop.nat_no_port': 2 });
  t.end();
});

t.test('bad input 45: payloads that look like FTP, H.323, SIP pass as they are (CVE-2017-12231)', (t) => {
  const router = new Router(natTables());
  for (const [port, text] of [
    [21, 'PORT 10,0,1,10,19,137\r\n'],
    [1720, '\x03\x00\x00\x04'],
    [5060, 'INVITE sip:a@10.0.1.10 SIP/2.0\r\n'],
  ] as const) {
    const out = router.forward(0, ipv4({ src: host, dst: server, payload: udp(5000, port, new TextEncoder().encode(text)) }))[1][0];
    t.equal(new TextDecoder().decode(out.subarray(28)), text);
  }
  t.end();
});

t.test('decrypted traffic never enters NAT where it must not: to a host with sessions, from one, and in transit', (t) => {
  const tables = natTables();
  const [here, there] = [
    new Router(tables),
    new Router({
      ...tables,
      nat: [],
      ports: [{ address: '10.0.2.1' }, { address: '172.16.2.2' }],
      locals: ['10.0.2.1', '172.16.2.2'],
      routes: [
        { prefix: '0.0.0.0/0', port: 1 },
        { prefix: '10.0.2.0/24', port: 0 },
      ],
      sas: [{ spi: 0x7001, transform: 'gcm-256', sids: [2] }],
    }),
  ];
  here.forward(0, datagram(host, server, 5000, 53), datagram(host, server, 2000, 1000));
  const sealed = there.forward(0, datagram('10.0.2.10', host, 1000, 2000))[1];
  t.equal(sealed[0][9], 50);
  const opened = here.forward(1, ...sealed)[0];
  expectFlow(t, opened[0], '10.0.2.10', 1000, host, 2000);
  t.equal(here.forward(0, datagram(host, '10.0.2.10', 2000, 1000))[1][0][9], 50, 'and the answer is sealed');
  t.match(here.counters(), { 'nat.sessions_created': 2, 'nat.inbound_packets': undefined });
  t.end();
});

t.test('TTL: what passes NAT has what it had, less this hop once; a quote has what its datagram came with (RFC 1812 §4.3.2.3)', (t) => {
  const router = new Router(
    natTables({
      ports: [
        { address: '10.0.1.1', nat: NatSide.Inside },
        { address: global, nat: NatSide.Outside, mtu: 500 },
      ],
    }),
  );
  const sent = datagram(host, server, 5000, 53, { ttl: 40 });
  const [out] = router.forward(0, sent.slice())[1];
  t.equal(out[8], 41, 'the kernel takes this router’s hop when it reads our device, and once more when we write: that one is given back');
  const big = fixHeader(ipv4({ src: host, dst: server, df: true, ttl: 40, payload: udp(5000, 53, 900) }));
  const [error] = router.forward(0, big)[0];
  t.equal(error[28 + 8], 41, 'as the host had sent it');
  t.equal(sumOf(error.subarray(28, 48)), 0);
  t.end();
});
