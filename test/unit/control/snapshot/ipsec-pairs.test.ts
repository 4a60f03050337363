// What is between two gateways, in tables and in `show`: configuration and pairs -> rows, and -> text as IOS prints it.

import t from 'tap';
import { renderCryptoMaps, viewOfIpsecSas } from '../../../../cli/show/ipsec.js';
import { renderSessions } from '../../../../cli/show/session.js';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import { Allocation } from '../../../../control/compile/allocation.js';
import { compileTables, type Tables } from '../../../../control/compile/tables.js';
import { checkConfig } from '../../../../control/config/check.js';
import { configuredPolicies } from '../../../../control/ipsec/configured-policies.js';
import type { FlowPolicy } from '../../../../control/ipsec/flow-policy.js';
import { permittedSelectors, policyKey } from '../../../../control/ipsec/flow-policy.js';
import { type SaPair, SaPairs } from '../../../../control/ipsec/sa-pairs.js';
import type { TrafficSelector } from '../../../../control/ipsec/selector.js';
import { cryptoMapStates, ipsecStates } from '../../../../control/snapshot/ipsec.js';
import { SaCount } from '../../../../dataplane/counters/declare.js';
import { readTables } from '../../../../dataplane/port/validate-tables.js';
import { CryptoEntry, CryptoFlag, EspCipher, Sa, SaFlag } from '../../../../dataplane/tables/layout.js';
import type { SnapshotHead } from '../../../../dataplane/tables/message.js';

const text = `hostname G1
crypto isakmp policy 10
 authentication pre-share
 group 14
crypto isakmp key secret address 192.0.2.2
crypto ipsec transform-set T esp-gcm 256
crypto map M 10 ipsec-isakmp
 set peer 192.0.2.2
 set transform-set T
 set pfs group14
 match address A
ip access-list extended A
 deny ip any host 10.2.0.9
 permit ip 10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255
 permit tcp host 10.1.0.1 host 10.3.0.1 eq 443
interface GigabitEthernet0/0
 linux-device eth0
 ip address 192.0.2.1 255.255.255.0
 crypto map M
`;
const { config, problems } = checkConfig(text);
const now = 1_800_000_000_000;
const [policy] = configuredPolicies(config) as [FlowPolicy];
const [lan, web] = permittedSelectors(policy) as [TrafficSelector, TrafficSelector];

function keysOf(seed: number): SaPair['inbound'] {
  return { encryptionKey: new Uint8Array(32).fill(seed), salt: new Uint8Array(4).fill(seed), integrityKey: new Uint8Array(0) };
}

function add(pairs: SaPairs, spi: number, selector: TrafficSelector, change: Partial<SaPair> = {}): SaPair {
  const suite = {
    encryption: 'esp-gcm-256',
    authentication: null,
    mode: 'tunnel',
    udp: false,
    group: 14,
    lifetimeSeconds: 3600,
    lifetimeKilobytes: 4_608_000,
  } as const;
  const agreed = {
    initiator: true,
    selector,
    suite: change.suite ?? suite,
    inboundSpi: spi,
    outboundSpi: spi + 1,
    inbound: keysOf(spi & 255),
    outbound: keysOf((spi + 1) & 255),
    lifetimeSeconds: 3600,
    lifetimeKilobytes: 4_608_000,
  };
  const ends = { local: { address: 0xc0000201, port: 500 }, remote: change.remote ?? { address: 0xc0000202, port: 500 } };
  const peer = { local: ends.local.address, remote: ends.remote, translated: false };
  const place = { policy: policyKey(policy), peer, ...ends, established: change.established ?? true };
  return pairs.add(agreed, place, now).pair;
}

function compile(pairs: SaPairs, allocation = new Allocation()) {
  const tables: Tables = compileTables(config, new Map(), allocation, 1, now, pairs);
  // As the dataplane reads them: nothing that it would refuse.
  const bytes = new Uint8Array(Buffer.concat(tables.blobs));
  const { rows } = readTables(JSON.parse(JSON.stringify(tables.head)), bytes);
  const cut = (words: Int32Array, size: number) =>
    Array.from({ length: words.length / size }, (_, i) => words.subarray(i * size, (i + 1) * size));
  return {
    tables,
    entries: cut(rows.cryptoEntries, CryptoEntry.Words),
    sas: cut(rows.sas, Sa.Words).filter((row) => row[Sa.Serial] !== 0),
  };
}

t.test('rows without SAs: a flow for each permitted line, both ways', async (t) => {
  t.same(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  const { tables, entries, sas } = compile(new SaPairs());
  t.equal(sas.length, 0);
  t.same(
    entries.map((row) => [row[CryptoEntry.OutboundSa], row[CryptoEntry.Flags], row[CryptoEntry.AclCount]]),
    [
      [-1, CryptoFlag.PeerOut, 2],
      [-1, CryptoFlag.PeerIn, 2],
      [-1, CryptoFlag.PeerOut, 2],
      [-1, CryptoFlag.PeerIn, 2],
    ],
    'the deny in front of each',
  );
  t.same(tables.flows.get(entries[2][CryptoEntry.Flow]), { policy: policyKey(policy), selector: web });
});

t.test('rows with SAs: one for each direction; the newest sends', async (t) => {
  const pairs = new SaPairs();
  add(pairs, 0x1000, lan);
  add(pairs, 0x2000, lan);
  add(pairs, 0x3000, lan, { established: false });
  const { entries, sas } = compile(pairs);
  const named = sas.map((row) => [row[Sa.Spi], row[Sa.Flags]]);
  const [into, out] = [SaFlag.Pairwise | SaFlag.Inbound, SaFlag.Pairwise | SaFlag.Outbound];
  t.same(
    named.sort((a, b) => a[0] - b[0]),
    [
      [0x1000, into],
      [0x1001, out],
      [0x2000, into],
      [0x2001, out],
      [0x3000, into],
    ],
    'what is not proved only receives',
  );
  t.match(sas[0], { [Sa.Cipher]: EspCipher.AesGcm16, [Sa.ReplayWindow]: 64, [Sa.Local]: 0xc0000201 | 0, [Sa.Peer]: 0xc0000202 | 0 });
  const allocation = new Allocation();
  const again = compileTables(config, new Map(), allocation, 1, now, pairs);
  const words = new Int32Array(again.blobs[2].buffer);
  const slot = entries[0][CryptoEntry.OutboundSa];
  t.equal(words[slot * Sa.Words + Sa.Spi], 0x2001, 'the newest that is established');
});

t.test('a part that the peer wanted: in front of the line, which keeps asking for its own', async (t) => {
  const pairs = new SaPairs();
  const part = { ...lan, local: { ...lan.local, address: lan.local.address + 4, mask: 0xfffffffc } };
  add(pairs, 0x1000, part);
  const { entries } = compile(pairs);
  t.equal(entries.length, 6);
  t.ok(entries[0][CryptoEntry.OutboundSa] >= 0 && entries[2][CryptoEntry.OutboundSa] === -1);
});

t.test('ESP in UDP: the peer’s port is in its rows', async (t) => {
  const pairs = new SaPairs();
  const suite = {
    encryption: 'esp-gcm-256',
    authentication: null,
    mode: 'tunnel',
    group: null,
    lifetimeSeconds: 1,
    lifetimeKilobytes: null,
  } as const;
  add(pairs, 0x1000, lan, { suite: { ...suite, udp: true }, remote: { address: 0xc0000202, port: 33_000 } });
  const { tables, sas } = compile(pairs);
  t.same(
    sas.map((row) => row[Sa.PeerPort]),
    [33_000, 33_000],
  );
  t.same(tables.head.espPorts, [4500], 'what comes there passes the pipeline');
});

function shown(pairs: SaPairs, dataplane: SnapshotHead | null = null): Snapshot {
  const allocation = new Allocation();
  compileTables(config, new Map(), allocation, 1, now, pairs);
  const context = { allocation, dataplane, teksOf: () => [], pairs, mtuOf: () => 1500, now: now + 15_000 };
  return {
    ipsec: ipsecStates(config, context),
    cryptoMaps: cryptoMapStates(config, pairs),
    failClose: [],
    gdoiMembers: [],
    isakmpSas: [],
    interfaces: [],
  } as unknown as Snapshot;
}

t.test('show crypto map', async (t) => {
  t.equal(
    renderCryptoMaps(shown(new SaPairs())).join('\n'),
    `Crypto Map IPv4 "M" 10 ipsec-isakmp
\tPeer = 192.0.2.2
\tExtended IP access list A
\t    access-list A deny ip any host 10.2.0.9
\t    access-list A permit ip 10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255
\t    access-list A permit tcp host 10.1.0.1 host 10.3.0.1 eq 443
\tCurrent peer: 192.0.2.2
\tSecurity association lifetime: 4608000 kilobytes/3600 seconds
\tDualstack (Y/N): N

\tResponder-Only (Y/N): N
\tPFS (Y/N): Y
\tDH group:  group14
\tMixed-mode : Disabled
\tTransform sets={
\t\tT:  { esp-gcm 256  } ,
\t}
\tInterfaces using crypto map M:
\t\tGigabitEthernet0/0`,
  );
});

t.test('show crypto ipsec sa, show crypto session', async (t) => {
  const pairs = new SaPairs();
  const pair = add(pairs, 0x1000, lan);
  const allocation = new Allocation();
  const tables = compileTables(config, new Map(), allocation, 1, now, pairs);
  const words = new Int32Array(tables.blobs[2].buffer);
  const sas = [0, 1].map((slot) => {
    const counters = new Array<number>(SaCount.Count).fill(0);
    counters[SaCount.OpenedPackets] = 5;
    counters[SaCount.OpenedBytes] = 3 * 1024;
    counters[SaCount.SealedPackets] = 7;
    counters[SaCount.SealedBytes] = 2 * 1024 * 1024;
    return { slot, serial: words[slot * Sa.Words + Sa.Serial], spi: 0, counters, sequence: 0 };
  });
  const snapshot = shown(pairs, { sas } as unknown as SnapshotHead);
  const lines = viewOfIpsecSas(snapshot, { detail: false, peer: null, interface: null }).lines.join('\n');
  for (const part of [
    'Crypto map tag: M, local addr 192.0.2.1',
    'local ident (addr/mask/prot/port): (10.1.0.0/255.255.255.0/0/0)',
    'remote ident (addr/mask/prot/port): (10.2.0.0/255.255.255.0/0/0)',
    'local ident (addr/mask/prot/port): (10.1.0.1/255.255.255.255/6/0)',
    'remote ident (addr/mask/prot/port): (10.3.0.1/255.255.255.255/6/443)',
    'current_peer 192.0.2.2 port 500',
    '#pkts encaps: 7, #pkts encrypt: 7, #pkts digest: 7',
    '#pkts decaps: 5, #pkts decrypt: 5, #pkts verify: 5',
    'local crypto endpt.: 192.0.2.1, remote crypto endpt.: 192.0.2.2',
    'plaintext mtu 1446, path mtu 1500',
    'current outbound spi: 0x1001(4097)',
    'PFS (Y/N): Y, DH group: group14',
    'sa timing: remaining key lifetime (k/sec): (4605952/3585)',
  ])
    t.ok(lines.includes(part), part);
  t.notMatch(lines, /0808080808/, 'no key');
  const chosen = (peer: number | null, name: string | null) =>
    viewOfIpsecSas(snapshot, { detail: false, peer, interface: name }).lines.join('\n');
  t.equal(chosen(0xc0000202, null), lines, 'all are with that peer');
  t.equal(chosen(0xc0000209, null), '', 'none is with that one');
  t.equal(chosen(null, snapshot.ipsec[0].interface), lines);
  t.throws(() => chosen(null, 'Ethernet9'), /% Interface with a crypto map Ethernet9 does not exist/);
  const session = renderSessions(snapshot, true).join('\n');
  t.match(session, /Session status: UP-NO-IKE/);
  t.match(session, /Peer: 192\.0\.2\.2 port 500 fvrf/);
  t.match(session, /IPSEC FLOW: permit ip 10\.1\.0\.0\/255\.255\.255\.0 10\.2\.0\.0\/255\.255\.255\.0/);
  t.match(session, /Outbound: #pkts enc'ed 7 drop 0 life \(KB\/Sec\) 4605952\/3585/);
  t.ok(pair.established);
});
