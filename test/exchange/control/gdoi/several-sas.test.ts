// Several SAs in one group, and several groups at one member.

import t from 'tap';
import { outboundTeks } from '../../../../control/compile/outbound.js';
import type { Config } from '../../../../control/config/model.js';
import { parseConfig } from '../../../../control/config/parse.js';
import type { Tek } from '../../../../control/gdoi/group-policy.js';
import { ace, memberAddress, memberConfig, Network, type Node, serverAddress, serverConfig } from './group-network.js';

const prefix = (second: number, change: object = {}) =>
  ace({
    source: 0x0a000000 + (second << 16),
    sourceWildcard: 0xffff,
    destination: 0x0a000000 + (second << 16),
    destinationWildcard: 0xffff,
    ...change,
  });

/** SA 1: 10.1/16, an hour; SA 2: 10.2/16, ten minutes, another transform. */
function twoSas(edit: (config: Config) => void = () => undefined): Config {
  const config = serverConfig({ aces: [prefix(1, { action: 'deny', protocol: 1 }), prefix(1, { sequence: 20 })] });
  config.accessLists.set('ACL2', { line: 1, name: 'ACL2', kind: 'extended', entries: [prefix(2)] });
  config.transformSets.set('TS2', { line: 1, name: 'TS2', encryption: 'esp-gcm-256', authentication: null, mode: 'tunnel' });
  config.ipsecProfiles.set('P2', { line: 1, name: 'P2', transformSets: ['TS2'], lifetimeSeconds: 600, pfs: null });
  config.gdoiGroups.get('G')?.server?.sas.set(2, { line: 1, sequence: 2, profile: 'P2', matchAddress: 'ACL2', replay: { method: 'none' } });
  edit(config);
  return config;
}

function start(server: Config, count = 2): { network: Network; server: Node; members: Node[] } {
  const network = new Network();
  const node = network.add(serverAddress, server);
  node.start();
  const members = Array.from({ length: count }, (_, n) => network.add(memberAddress(n + 1), memberConfig()));
  for (const member of members) member.start();
  network.runFor(2000);
  return { network, server: node, members };
}

function sending(node: Node): Tek[] {
  return outboundTeks(node.gdoi.policyOf('G').teks, node.network.now);
}

t.test('each SA has its TEK, and is renewed in its own time', async (t) => {
  const { network, members } = start(twoSas());
  t.match(sending(members[0]), [
    { sa: 1, encryption: 'esp-aes-256', replayWindow: 64, lifetimeSeconds: 3600, entries: [{ action: 'deny' }, { action: 'permit' }] },
    { sa: 2, encryption: 'esp-gcm-256', replayWindow: 0, lifetimeSeconds: 600, entries: [{ source: 0x0a020000 }] },
  ]);
  const seen: Set<number>[] = [new Set(), new Set()];
  network.watch = () => {
    const now = members.map(sending);
    for (const teks of now) {
      if (teks.length !== 2) throw new Error(`an SA is without a TEK: ${teks.length}`);
      for (const [sa, tek] of teks.entries()) {
        seen[sa].add(tek.spi);
        for (const member of members) if (!member.opens(tek.spi)) throw new Error('a member does not have the TEK that another sends with');
      }
    }
  };
  network.runFor(2 * 3600_000);
  t.ok(seen[0].size >= 2 && seen[1].size >= 12, `TEKs of each SA: ${seen.map(({ size }) => size)}`);
  for (const member of members) t.equal(member.gdoi.memberGroups()[0].succeededRegistrations, 1, 'renewed by rekeys alone');
});

t.test('rekeys that are lost: the SA that expires first makes the member register again', async (t) => {
  const { network, members } = start(twoSas(), 1);
  network.fault = (datagram) => (datagram.bytes[18] === 33 ? { delays: [] } : null); // GROUPKEY-PUSH
  network.watch = () => {
    if (sending(members[0]).length !== 2) throw new Error('an SA ran out');
  };
  network.runFor(3600_000);
  const { succeededRegistrations } = members[0].gdoi.memberGroups()[0];
  t.ok(succeededRegistrations >= 5 && succeededRegistrations <= 10, `${succeededRegistrations} registrations in an hour`);
});

t.test('an SA that goes from the policy goes from the members, without a storm', async (t) => {
  const { network, server, members } = start(twoSas());
  server.perform(
    server.gdoi.reconfigure(
      twoSas((config) => config.gdoiGroups.get('G')?.server?.sas.delete(2)),
      network.now,
    ),
  );
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(1200_000);
  for (const member of members) {
    t.match(sending(member), [{ sa: 1 }]);
    t.equal(sending(member).length, 1);
    t.ok(member.gdoi.memberGroups()[0].succeededRegistrations <= 3, 'registered again once at most for what no rekey renews');
  }
});

t.test('a list that changes: the new TEK replaces the one of its own SA', async (t) => {
  const { network, server, members } = start(twoSas());
  const changed = twoSas((config) => config.accessLists.set('ACL2', { line: 1, name: 'ACL2', kind: 'extended', entries: [prefix(3)] }));
  server.perform(server.gdoi.reconfigure(changed, network.now));
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(300_000);
  t.match(sending(members[0]), [{ sa: 1 }, { sa: 2, entries: [{ source: 0x0a030000 }] }]);
  t.equal(sending(members[0]).length, 2);
});

/** A member of G (10.1/16, 10.2/16) and of H, both in one crypto map on one interface. */
function twoGroups(): Config {
  const config = memberConfig();
  config.gdoiGroups.set('H', {
    line: 1,
    name: 'H',
    identity: { kind: 'address', address: 0x0a010101 },
    serverAddresses: [serverAddress],
    passive: false,
    server: null,
  });
  config.cryptoMaps.set('M', [
    { line: 1, name: 'M', sequence: 10, kind: 'gdoi', group: 'G', matchAddress: null },
    { line: 1, name: 'M', sequence: 20, kind: 'gdoi', group: 'H', matchAddress: null },
  ]);
  const item = {
    line: 1,
    name: 'eth0',
    description: null,
    linuxDevice: null,
    portDriver: null,
    offload: true,
    addresses: [],
    ipMtu: null,
    staticGroups: [],
    shutdown: false,
  };
  config.interfaces.set('eth0', { ...item, cryptoMap: 'M' });
  return config;
}

function serveH(entries: ReturnType<typeof ace>[]): (config: Config) => void {
  return (config) => {
    const g = config.gdoiGroups.get('G');
    if (!g?.server) throw new Error('G is served');
    config.accessLists.set('ACLH', { line: 1, name: 'ACLH', kind: 'extended', entries });
    const sa = { line: 1, sequence: 1, profile: 'P', matchAddress: 'ACLH', replay: { method: 'counter' as const, windowSize: 128 } };
    config.gdoiGroups.set('H', {
      ...g,
      name: 'H',
      identity: { kind: 'address', address: 0x0a010101 },
      server: { ...g.server, sas: new Map([[1, sa]]) },
    });
  };
}

function startTwoGroups(entries: ReturnType<typeof ace>[]) {
  const network = new Network();
  const server = network.add(serverAddress, twoSas(serveH(entries)));
  server.start();
  const member = network.add(memberAddress(1), twoGroups());
  member.start();
  network.runFor(3000);
  return { network, server, member };
}

t.test('two groups at one member, one of them identified by an address', async (t) => {
  const { network, member } = startTwoGroups([prefix(7)]);
  const [g, h] = member.gdoi.memberGroups();
  t.match(
    [g, h],
    [
      { name: 'G', registered: true },
      { name: 'H', registered: true, identity: '10.1.1.1' },
    ],
  );
  network.runFor(2 * 3600_000);
  for (const group of member.gdoi.memberGroups()) t.equal(group.succeededRegistrations, 1, `${group.name} is renewed by its own rekeys`);
});

t.test('a group that is refused does not spoil the registration of another over the same SA', async (t) => {
  const network = new Network();
  const server = network.add(serverAddress, twoSas());
  server.start();
  const member = network.add(memberAddress(1), twoGroups());
  member.start();
  network.runFor(60_000);
  const [g, h] = member.gdoi.memberGroups();
  t.match(g, { registered: true, attemptedRegistrations: 1, lastFailure: null });
  t.match(h, { registered: false, lastFailure: /group not served: INVALID-ID-INFORMATION/ });
  t.equal(member.logged('GM_REG_FAILED').filter((line) => line.includes('group G ')).length, 0);
  t.ok(h.attemptedRegistrations > 3, 'and the refused one goes on asking');
});

t.test('two groups that want the same traffic: the second is refused, the first stays', async (t) => {
  const { network, member } = startTwoGroups([prefix(9), prefix(2, { protocol: 6 })]);
  network.runFor(60_000);
  const [g, h] = member.gdoi.memberGroups();
  t.match([g, h], [{ registered: true }, { registered: false }]);
  t.match(
    h.lastFailure,
    /overlaps with that of group G, which protects eth0 too: protocol 6 10\.2\.0\.0\/16 to 10\.2\.0\.0\/16 and ip 10\.2/,
  );
  t.ok(member.count('gdoi_policy_rejected') > 0);
  t.match(member.logged('GM_REG_FAILED')[0], /group H failed: the policy overlaps/);
});

t.test('a rekey that would make groups overlap is refused as a whole', async (t) => {
  const { network, server, member } = startTwoGroups([prefix(7)]);
  const before = JSON.stringify(member.gdoi.policyOf('H').teks.map(({ spi }) => spi));
  server.perform(server.gdoi.reconfigure(twoSas(serveH([prefix(2)])), network.now));
  server.perform(server.gdoi.rekey('H', network.now));
  network.runFor(5000);
  t.equal(JSON.stringify(member.gdoi.policyOf('H').teks.map(({ spi }) => spi)), before);
  t.ok(member.count('gdoi_push_rejected_policy') > 0);
});

t.test('the deny entries of a TEK that is replaced do not hide an overlap', async (t) => {
  const withList = (...entries: ReturnType<typeof ace>[]) => {
    const config = twoSas(serveH([prefix(9, { protocol: 6 })]));
    config.accessLists.set('ACL2', { line: 1, name: 'ACL2', kind: 'extended', entries });
    return config;
  };
  const network = new Network();
  const server = network.add(serverAddress, withList(prefix(9, { action: 'deny', protocol: 6 }), prefix(9)));
  server.start();
  const member = network.add(memberAddress(1), twoGroups());
  member.start();
  network.runFor(3000);
  t.match(member.gdoi.memberGroups(), [{ registered: true }, { registered: true }], 'apart');
  server.perform(server.gdoi.reconfigure(withList(prefix(9)), network.now));
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(5000);
  t.match(member.logged('GDOI_REKEY_FAILURE')[0], /Rekey for group G .* overlaps with that of group H/);
  t.equal(member.count('gdoi_rekeys_received'), 0);
});

/** The same two groups on interfaces of their own: each may have what the other has. */
function twoGroupsApart(): Config {
  const config = twoGroups();
  const [g, h] = config.cryptoMaps.get('M') ?? [];
  config.cryptoMaps.set('M', [g]);
  config.cryptoMaps.set('N', [{ ...h, name: 'N' }]);
  const item = config.interfaces.get('eth0');
  if (item) config.interfaces.set('eth1', { ...item, name: 'eth1', cryptoMap: 'N' });
  return config;
}

t.test('a configuration that would put overlapping groups on one interface conflicts with what is registered', async (t) => {
  const { network, member } = startTwoGroups([prefix(9), prefix(2, { protocol: 6 })]);
  t.match(member.gdoi.memberGroups()[1].lastFailure, /overlaps/, 'on one interface the second is refused');
  member.perform(member.gdoi.reconfigure(twoGroupsApart(), network.now));
  network.runFor(120_000);
  t.match(member.gdoi.memberGroups(), [{ registered: true }, { registered: true }], 'on two interfaces both may stay');
  t.strictSame(member.gdoi.conflicts(twoGroupsApart()), []);

  const text = `crypto gdoi group G
 identity number 777
 server address ipv4 172.16.4.2
crypto gdoi group H
 identity address ipv4 10.1.1.1
 server address ipv4 172.16.4.2
crypto map M 10 gdoi
 set group G
crypto map M 20 gdoi
 set group H
interface eth0
 ip address 10.9.9.1 255.255.255.0
 crypto map M
`;
  const [problem, ...others] = member.gdoi.conflicts(parseConfig(text).config);
  t.match(problem, { line: 10, severity: 'error', text: 'set group H' });
  t.match(problem.message, /^group H protects the same traffic as group G on eth0: ip 10\.2\.0\.0\/16 .* and protocol 6 10\.2/);
  t.strictSame(others, []);
  const another = parseConfig(text.replace('identity address ipv4 10.1.1.1', 'identity number 5')).config;
  t.strictSame(member.gdoi.conflicts(another), [], 'a group that changes its identity gives up what it has');

  member.config = twoGroups();
  member.kill();
  member.restart();
  network.runFor(30_000);
  t.match(member.gdoi.memberGroups(), [{ registered: true }, { registered: false }], 'nor does a restart bring both back');
  t.match(member.gdoi.memberGroups()[1].lastFailure, /overlaps with that of group G/);
});
