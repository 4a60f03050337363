// The guard against the ACL, on random policies and packets: what the first matching ACE permits is always dropped, whatever wildcards
// and ports are in play; with prefixes and without ports the guard drops exactly that.

import fc from 'fast-check';
import t from 'tap';
import { maskOf, type Prefix } from '../../../../dataplane/port/addresses.js';
import { planGuard } from '../../../../dataplane/port/leak-guard.js';
import { RouteType } from '../../../../dataplane/port/linux-state.js';
import { type PortDevices, type Rule, Table } from '../../../../dataplane/port/rules.js';
import { Ace, AceAction, CryptoFlag } from '../../../../dataplane/tables/layout.js';

interface Packet {
  src: number;
  dst: number;
  protocol: number;
  sport: number;
  dport: number;
  /** A later fragment: the kernel sees no ports. */
  fragment: boolean;
}

// Few values, so that rules and packets meet.
const someAddress = fc.constantFrom(0x0a000001, 0x0a000002, 0x0a000102, 0x0a010001, 0xc0a80001);
const someCare = fc.constantFrom(0, 0xff000000, 0xffff0000, 0xffffff00, 0xffffffff, 0xff0000ff, 0xffff00ff);
const somePort = fc.constantFrom(0, 1, 22, 848, 65534, 65535);
const someProtocol = fc.constantFrom(1, 6, 17, 50);
const packets = fc.record({
  src: someAddress,
  dst: someAddress,
  protocol: someProtocol,
  sport: somePort,
  dport: somePort,
  fragment: fc.boolean(),
});
/** Nothing else is asked. */
const noFacts = [0, 0, 0, 0, 0];
const aces = fc
  .tuple(
    fc.boolean(),
    fc.oneof(fc.constant(-1), someProtocol),
    someAddress,
    someCare,
    someAddress,
    someCare,
    somePort,
    somePort,
    somePort,
    somePort,
  )
  .map(([permit, protocol, src, srcCare, dst, dstCare, a, b, c, d]) => [
    permit ? AceAction.Permit : AceAction.Deny,
    protocol,
    (src & srcCare) | 0,
    srcCare | 0,
    (dst & dstCare) | 0,
    dstCare | 0,
    Math.min(a, b),
    Math.max(a, b),
    Math.min(c, d),
    Math.max(c, d),
    ...noFacts,
  ]);

function isPermitted(acl: number[][], packet: Packet): boolean {
  for (const row of acl) {
    if (row[Ace.Protocol] >= 0 && row[Ace.Protocol] !== packet.protocol) continue;
    if (((packet.src ^ row[Ace.Src]) & row[Ace.SrcCare]) !== 0 || ((packet.dst ^ row[Ace.Dst]) & row[Ace.DstCare]) !== 0) continue;
    if (packet.sport < row[Ace.SrcPortLow] || packet.sport > row[Ace.SrcPortHigh]) continue;
    if (packet.dport < row[Ace.DstPortLow] || packet.dport > row[Ace.DstPortHigh]) continue;
    return row[Ace.Action] === AceAction.Permit;
  }
  return false;
}

/** The kernel's way through the rules. @param way where it came in, and whether it would leave by a closed port @returns true when the packet is dropped */
function isGuarded(
  rules: readonly Rule[],
  packet: Packet,
  way: { iif: string; outClosed: boolean } = { iif: 'eth1', outClosed: false },
): boolean {
  let from = 0;
  for (const rule of rules) {
    if (rule.pref < from || (rule.iif !== null && rule.iif !== way.iif) || !matches(rule, packet)) continue;
    if ('drop' in rule.action) return rule.action.drop === RouteType.Blackhole;
    if ('lookup' in rule.action) return rule.action.lookup === Table.Clear && way.outClosed;
    from = rule.action.goto;
  }
  return false;
}

function matches(rule: Rule, packet: Packet): boolean {
  const inside = (prefix: Prefix | null, address: number) =>
    prefix === null || (address & maskOf(prefix.prefixLength)) >>> 0 === prefix.address;
  const between = (range: [number, number] | null, port: number) =>
    range === null || (!packet.fragment && port >= range[0] && port <= range[1]);
  return (
    inside(rule.from, packet.src) &&
    inside(rule.to, packet.dst) &&
    (rule.ipProtocol === null || rule.ipProtocol === packet.protocol) &&
    between(rule.sourcePorts, packet.sport) &&
    between(rule.destinationPorts, packet.dport)
  );
}

function planFor(acls: number[][][]): Rule[] {
  let first = 0;
  const entries = acls.flatMap((acl) => {
    const entry = [0, first, acl.length, -1, 0, CryptoFlag.Registered, 0];
    first += acl.length;
    return entry;
  });
  return planGuard(Int32Array.from(acls.flat(2)), Int32Array.from(entries), []);
}

t.test('nothing that any entry permits gets through', async () => {
  fc.assert(
    fc.property(fc.array(fc.array(aces, { maxLength: 6 }), { maxLength: 3 }), packets, (acls, packet) => {
      return !acls.some((acl) => isPermitted(acl, packet)) || isGuarded(planFor(acls), packet);
    }),
    { numRuns: 5000 },
  );
});

t.test('one entry with prefixes and no ports: exactly what it permits', async () => {
  const plain = aces.map((row) => [...row.slice(0, Ace.SrcPortLow), 0, 65535, 0, 65535, ...noFacts]);
  const isPrefix = (care: number) => (~care & (~care + 1)) === 0;
  const exact = plain.filter((row) => isPrefix(row[Ace.SrcCare]) && isPrefix(row[Ace.DstCare]));
  fc.assert(
    fc.property(
      fc.array(exact, { maxLength: 6 }),
      packets,
      (acl, packet) => isGuarded(planFor([acl]), packet) === isPermitted(acl, packet),
    ),
    { numRuns: 5000 },
  );
});

t.test('a closed port: what its exceptions deny passes in their direction, nothing else, and no other port is touched', async () => {
  const plain = aces.map((row) => [...row.slice(0, Ace.SrcPortLow), 0, 65535, 0, 65535, ...noFacts]);
  const isPrefix = (care: number) => (~care & (~care + 1)) === 0;
  const exact = plain.filter((row) => isPrefix(row[Ace.SrcCare]) && isPrefix(row[Ace.DstCare]));
  const everything = [AceAction.Permit, -1, 0, 0, 0, 0, 0, 65535, 0, 65535, ...noFacts];
  const eth0: PortDevices = { port: 0, device: 'eth0', tun: 'gw-eth0', driver: 'tun' };
  const mirror = ([action, protocol, src, srcCare, dst, dstCare, ...ports]: number[]) => [
    action,
    protocol,
    dst,
    dstCare,
    src,
    srcCare,
    ...ports,
  ];
  fc.assert(
    fc.property(fc.array(exact, { maxLength: 4 }), fc.array(exact, { maxLength: 3 }), packets, (exceptions, group, packet) => {
      const out = [...exceptions, everything];
      const back = [...exceptions.map(mirror), everything];
      const entries = [
        [0, 0, group.length, -1, 0, CryptoFlag.Registered, 0],
        [0, group.length, out.length, -1, 0, CryptoFlag.ClosedOut, 0],
        [0, group.length + out.length, back.length, -1, 0, CryptoFlag.ClosedIn, 0],
      ];
      const rules = planGuard(Int32Array.from([...group, ...out, ...back].flat()), Int32Array.from(entries.flat()), [eth0]);
      const mustEncrypt = isPermitted(group, packet);
      return (
        isGuarded(rules, packet, { iif: 'eth1', outClosed: true }) === (mustEncrypt || isPermitted(out, packet)) &&
        isGuarded(rules, packet, { iif: 'eth0', outClosed: false }) === (mustEncrypt || isPermitted(back, packet)) &&
        isGuarded(rules, packet, { iif: 'eth1', outClosed: false }) === mustEncrypt
      );
    }),
    { numRuns: 5000 },
  );
});
