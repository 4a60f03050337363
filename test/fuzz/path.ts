// The pass as a fuzz target: any bytes on either port must be accounted for, and nothing may throw.
import { HopKind, NatSide } from '../../dataplane/mem/shared.js';
import { AceLog, AclFact, SaFlag } from '../../dataplane/tables/layout.js';
import { sealByHand, textOf } from '../path/by-hand.js';
import { fragmentsOf } from '../path/fragmented.js';
import { icmp } from '../path/nat/flows.js';
import { routerOf } from '../path/nat-rules/configured.js';
import { branchPacket, ipv4, udp } from '../path/packets.js';
import { memberTables, Router, type SaSpec } from '../path/router.js';
import { segment } from '../support/tcp-segment.js';

const any = { src: 'any', dst: 'any' };
const asks = (mask: number, value: number) => ({ mask, value });
const icmpType = 255 << AclFact.FirstShift;
let plain: Router | null = null;
let ruled: Router | null = null;

/** Every kind of statement of `ip nat`. */
const rules = `ip access-list standard ALL
 permit any
ip access-list extended VIP
 permit tcp any host 172.16.1.100
ip nat pool P 172.16.1.60 172.16.1.61 prefix-length 24
ip nat pool S 10.0.1.21 10.0.1.22 prefix-length 24 type rotary
ip nat pool L 192.168.9.20 192.168.9.21 prefix-length 24
ip nat inside source list ALL pool P
ip nat inside source static 10.0.1.10 172.16.1.50
ip nat inside source static tcp 10.0.1.11 80 interface eth1 8080
ip nat inside source static network 10.0.2.0 172.16.2.0 /24
ip nat inside destination list VIP pool S
ip nat outside source static 198.51.100.1 192.168.9.7
ip nat outside source list ALL pool L
ip nat translation max-entries all-host 50
ip nat translation max-entries 1000
`;

const groupSa: SaSpec = { spi: 0xf001, transform: 'gcm-128', sids: [1] };
/** What comes from a gateway in UDP. */
const udpSa: SaSpec = {
  spi: 0x3333,
  transform: 'null-sha1',
  sidBits: 0,
  acl: 1,
  flags: SaFlag.Inbound | SaFlag.Pairwise,
  local: '172.16.2.2',
  peer: '198.51.100.9',
  peerPort: 4500,
};

/** What a group's members send in UDP. */
const groupUdpSa: SaSpec = { spi: 0xf002, transform: 'gcm-128', sids: [1], peerPort: 4500 };

function makePlain(): Router {
  return new Router(
    memberTables(2, groupSa, {
      sas: [groupSa, udpSa, groupUdpSa],
      ports: [
        { address: '10.0.2.1', mtu: 500, nat: NatSide.Inside, filterIn: 2, filterOut: 2 },
        { address: '172.16.2.2', nat: NatSide.Outside, filterIn: 2, filterOut: 2 },
        {
          address: '192.168.1.1',
          mtu: 900,
          adjustMss: 700,
          tunnel: { source: '172.16.2.2', destination: '198.51.100.7', key: 7, checksum: true, sequence: true, copyDf: true },
        },
      ],
      acls: [
        [{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }],
        [{ action: 'permit', src: 'any', dst: 'any' }],
        [
          // TCP without ACK or RST, echo requests, EF, later fragments of UDP; all of it logged.
          { action: 'deny', protocol: 6, ...any, ...asks(AclFact.Known | (0x14 << AclFact.FirstShift), AclFact.Known), log: AceLog.Log },
          {
            action: 'deny',
            protocol: 1,
            ...any,
            ...asks(AclFact.Known | icmpType, AclFact.Known | (5 << AclFact.FirstShift)),
            log: AceLog.LogInput,
          },
          { action: 'deny', ...any, ...asks(0xfc, 0xb8), log: AceLog.Log },
          { action: 'permit', ...any, log: AceLog.Log },
        ],
      ],
      nat: [
        { rule: 0, permit: false, acl: 0, globalPort: 1 },
        { rule: 0, permit: true, acl: 1, globalPort: 1 },
      ],
      natSessions: 1000,
      locals: ['10.0.2.1', '172.16.2.2', '192.168.1.1'],
      routes: [
        { prefix: '0.0.0.0/0', port: 1 },
        { prefix: '10.0.2.0/24', port: 0 },
        { prefix: '10.9.0.0/16', port: 2 },
      ],
      policies: [
        { port: 0, next: 1, tos: [3, 184], df: 0 },
        { port: 0, acls: [0], length: [0, 90], nextHops: [1, 0] },
      ],
      hops: [
        { kind: HopKind.NextHop, port: 1, address: '172.16.2.9' },
        { kind: HopKind.NextHop, port: -1, address: '172.16.3.9' },
      ],
    }),
  );
}

/** Byte 0 picks the port, inside, outside or tunnel, and which router; the rest is one datagram. Throws when a packet or slot is lost. */
export function fuzz(bytes: Uint8Array): void {
  plain ??= makePlain();
  ruled ??= routerOf(rules);
  const router = ((bytes[0] ?? 0) & 2) === 0 ? plain : ruled;
  router.nowMs += 5;
  const first = bytes[0] ?? 0;
  router.forward((first & 6) === 4 ? 2 : first & 1, bytes.subarray(1));
  router.env.aclLog.drain(router.nowMs, () => undefined);
  const wrong = router.imbalance();
  if (wrong !== null) throw new Error(wrong);
}

/** A flow that is translated, what comes back, and an error that quotes what left. */
const outward = ipv4({ src: '10.0.2.10', dst: '198.51.100.1', payload: udp(5000, 53, 40) });
const left = ipv4({ src: '172.16.2.2', dst: '198.51.100.1', payload: udp(5000, 53, 40) });
export const natSeeds: readonly Uint8Array[] = [
  Uint8Array.of(0, ...outward),
  Uint8Array.of(1, ...ipv4({ src: '198.51.100.1', dst: '172.16.2.2', payload: udp(53, 5000, 40) })),
  Uint8Array.of(
    1,
    ...ipv4({
      src: '203.0.113.1',
      dst: '172.16.2.2',
      protocol: 1,
      payload: Uint8Array.of(11, 0, 0, 0, 0, 0, 0, 0, ...left.subarray(0, 28)),
    }),
  ),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '198.51.100.1', protocol: 1, payload: Uint8Array.of(8, 0, 0, 0, 1, 2, 0, 1) })),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '198.51.100.1', mf: true, payload: udp(5000, 53, 40) })),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '198.51.100.1', fragmentOffset: 48, payload: new Uint8Array(20) })),
  // One that waits for its first, its first, an overlap, a copy; the same from outside, and of an echo.
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '198.51.100.1', id: 5, fragmentOffset: 96, payload: new Uint8Array(20) })),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '198.51.100.1', id: 5, mf: true, fragmentOffset: 40, payload: new Uint8Array(56) })),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '198.51.100.1', id: 5, mf: true, payload: udp(5000, 53, 32) })),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '198.51.100.1', id: 5, mf: true, fragmentOffset: 32, payload: new Uint8Array(16) })),
  Uint8Array.of(1, ...ipv4({ src: '198.51.100.1', dst: '172.16.2.2', id: 6, fragmentOffset: 48, payload: new Uint8Array(20) })),
  Uint8Array.of(1, ...ipv4({ src: '198.51.100.1', dst: '172.16.2.2', id: 6, mf: true, payload: udp(53, 5000, 40) })),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '198.51.100.1', protocol: 1, id: 7, fragmentOffset: 16, payload: new Uint8Array(20) })),
  Uint8Array.of(
    0,
    ...ipv4({
      src: '10.0.2.10',
      dst: '198.51.100.1',
      protocol: 1,
      id: 7,
      mf: true,
      payload: Uint8Array.of(8, 0, 0, 0, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    }),
  ),
];

/** Out of the tunnel, into it, a keepalive of the other end, and what programs send by it. */
const fields = [0x30, 0, 8, 0, 0, 0, 0, 7, 0, 0, 0, 0];
const fromPeer = (payload: number[]) =>
  Uint8Array.of(1, ...ipv4({ src: '198.51.100.7', dst: '172.16.2.2', protocol: 47, payload: Uint8Array.from(payload) }));
const keepalive = ipv4({ src: '172.16.2.2', dst: '198.51.100.7', protocol: 47, payload: Uint8Array.of(0x20, 0, 0, 0, 0, 0, 0, 7) });
export const greSeeds: readonly Uint8Array[] = [
  fromPeer([...fields, ...ipv4({ src: '10.9.0.1', dst: '10.0.2.10', payload: udp(1, 2, 30) })]),
  fromPeer([...fields, ...keepalive]),
  fromPeer([...fields, ...ipv4({ src: '10.9.0.1', dst: '224.0.0.5', protocol: 89 })]),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '10.9.0.1', payload: udp(1, 2, 600) })),
  Uint8Array.of(4, ...ipv4({ src: '192.168.1.1', dst: '224.0.0.5', protocol: 89, ttl: 1 })),
];

/** ESP of the gateway, IKE, a keepalive. */
const sealed = sealByHand(udpSa, { seq: 1, text: textOf(branchPacket(40), 4), src: '198.51.100.9', dst: '172.16.2.2' });
const natTraversalSeeds: readonly Uint8Array[] = [
  sealed.slice(20),
  Uint8Array.of(0, 0, 0, 0, ...new Uint8Array(28).fill(7)),
  Uint8Array.of(255),
].map((data) => Uint8Array.of(1, ...ipv4({ src: '198.51.100.9', dst: '172.16.2.2', payload: udp(4500, 4500, data) })));

/** ESP of a member; NAT traversal of a host; fragments of both, the last first. */
const ofMember = sealByHand(groupUdpSa, { seq: 1, text: textOf(branchPacket(40), 4) }).slice(20);
const crossing = { src: '10.0.1.10', dst: '10.0.2.10' };
const groupUdpSeeds: readonly Uint8Array[] = [
  ipv4({ ...crossing, payload: udp(4500, 4500, ofMember) }),
  ipv4({ src: '198.51.100.9', dst: '10.0.2.10', payload: udp(4500, 4500, new Uint8Array(40).fill(7)) }),
  ...[ofMember, new Uint8Array(60).fill(7)].flatMap((data) =>
    fragmentsOf(ipv4({ ...crossing, id: data[0] + 3, payload: udp(4500, 4500, data) }), 48).toReversed(),
  ),
].map((packet) => Uint8Array.of(1, ...packet));

/** "Fragmentation needed" about GRE and ESP, a fragment of each, a SYN. */
const tooBig = (to: string, about: Uint8Array) => Uint8Array.of(1, ...icmp('192.0.2.9', to, 3, 4, 1024, about.subarray(0, 28)));
const outGre = ipv4({ src: '172.16.2.2', dst: '198.51.100.7', protocol: 47, df: true, payload: new Uint8Array(1400) });
const outEsp = ipv4({
  src: '10.0.2.10',
  dst: '10.0.1.10',
  protocol: 50,
  df: true,
  payload: Uint8Array.of(0, 0, 240, 1, 0, 0, 0, 1, ...new Uint8Array(1392)),
});
const mtuSeeds: readonly Uint8Array[] = [
  tooBig('172.16.2.2', outGre),
  tooBig('10.0.2.10', outEsp),
  Uint8Array.of(1, ...ipv4({ src: '10.0.1.10', dst: '10.0.2.10', protocol: 50, mf: true, payload: new Uint8Array(64) })),
  Uint8Array.of(1, ...ipv4({ src: '198.51.100.7', dst: '172.16.2.2', protocol: 47, fragmentOffset: 64, payload: new Uint8Array(40) })),
  Uint8Array.of(0, ...ipv4({ src: '10.0.2.10', dst: '10.9.0.1', protocol: 6, payload: segment([2, 4, 5, 180]) })),
];

const ruledSeeds: readonly Uint8Array[] = [
  ...natSeeds.map((seed) => Uint8Array.of(seed[0] | 2, ...seed.subarray(1))),
  Uint8Array.of(3, ...ipv4({ src: '198.51.100.1', dst: '172.16.1.50', payload: udp(53, 5000, 40) })),
  Uint8Array.of(3, ...ipv4({ src: '198.51.100.2', dst: '172.16.1.100', protocol: 6, payload: new Uint8Array(20).fill(80) })),
  Uint8Array.of(2, ...ipv4({ src: '10.0.1.12', dst: '192.168.9.7', payload: udp(53, 5000, 40) })),
];

export const seeds: readonly Uint8Array[] = [
  ...[0, 1].flatMap((port) => [40, 600].map((length) => Uint8Array.of(port, ...branchPacket(length)))),
  ...natSeeds,
  ...greSeeds,
  ...natTraversalSeeds,
  ...groupUdpSeeds,
  ...mtuSeeds,
  ...ruledSeeds,
];
