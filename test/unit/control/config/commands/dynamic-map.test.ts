// crypto dynamic-map: what is parsed, printed, found to be wrong; the tables and the output of `show` that its peers' pairs lead to.

import t from 'tap';
import { renderCryptoMaps, viewOfDynamicMaps, viewOfIpsecSas } from '../../../../../cli/show/ipsec.js';
import { sessionsOf } from '../../../../../cli/show/session.js';
import type { Snapshot } from '../../../../../control/api/snapshot.js';
import { Allocation } from '../../../../../control/compile/allocation.js';
import { compileTables } from '../../../../../control/compile/tables.js';
import { checkConfig } from '../../../../../control/config/check.js';
import { parseConfig } from '../../../../../control/config/parse.js';
import { printConfig } from '../../../../../control/config/print.js';
import { configuredPolicies } from '../../../../../control/ipsec/configured-policies.js';
import { type FlowPolicy, policyKey } from '../../../../../control/ipsec/flow-policy.js';
import { SaPairs } from '../../../../../control/ipsec/sa-pairs.js';
import type { TrafficSelector } from '../../../../../control/ipsec/selector.js';
import { dynamicMapStates } from '../../../../../control/snapshot/dynamic-maps.js';
import { cryptoMapStates, ipsecStates } from '../../../../../control/snapshot/ipsec.js';
import { CryptoEntry, CryptoFlag } from '../../../../../dataplane/tables/layout.js';
import { listProblems, parseClean } from '../texts.js';

const text = `crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key secret address 0.0.0.0
crypto ipsec transform-set T esp-gcm 256
crypto dynamic-map D 10
 set transform-set T
 set pfs group14
crypto dynamic-map D 20
 set security-association lifetime seconds 900
 set transform-set T
 match address A
crypto map M 10 ipsec-isakmp
 set peer 192.0.2.2
 set transform-set T
 match address A
crypto map M 100 ipsec-isakmp dynamic D
interface GigabitEthernet0/0
 linux-device eth0
 ip address 192.0.2.1 255.255.255.0
 crypto map M
ip access-list extended A
 permit ip 10.2.0.0 0.0.0.255 10.1.0.0 0.0.0.255
`;

t.test('as IOS writes it', async (t) => {
  const config = parseClean(text);
  const printed = printConfig(config, { secrets: true });
  t.same(printConfig(parseClean(printed), { secrets: true }), printed);
  t.match(printed, /crypto dynamic-map D 10\n set transform-set T\n set pfs group14\n/);
  t.match(printed, /crypto map M 100 ipsec-isakmp dynamic D\n/);
  t.match(
    configuredPolicies(config).map((policy) => [policyKey(policy), policy.entries?.length ?? null, policy.lifetimeSeconds]),
    [
      [`M 10 ${0xc0000201}`, 1, 3600],
      [`M 100 ${0xc0000201} D 10`, null, 3600],
      [`M 100 ${0xc0000201} D 20`, 1, 900],
    ],
    'in order of sequence',
  );
  t.equal(parseConfig(`${text}no crypto dynamic-map D 10\n`).config.dynamicMaps.get('D')?.length, 1);
  t.equal(parseConfig(`${text}no crypto dynamic-map D\n`).config.dynamicMaps.size, 0);
  t.equal(parseConfig(`${text}no crypto map M 100\n`).config.cryptoMaps.get('M')?.length, 1);
});

t.test('what is wrong', async (t) => {
  const problems = (change: (text: string) => string): string => listProblems(change(text), checkConfig).join('\n');
  t.match(
    problems((whole) => whole.replace('dynamic D', 'dynamic E')),
    /error .*no crypto dynamic-map E/,
  );
  t.match(
    problems((whole) => whole.replace('dynamic D', 'dynamic E')),
    /warning .*crypto dynamic-map D is in no crypto map/,
  );
  t.match(
    problems((whole) => whole.replace('10\n set transform-set T', '10')),
    /error .*crypto dynamic-map D 10 has no transform set/,
  );
  t.match(
    problems((whole) => whole),
    /warning .*D 10 has no access list: its peers get whatever/,
  );
  t.match(
    problems((whole) => whole.replace('address 0.0.0.0', 'address 192.0.2.2')),
    /warning .*no crypto isakmp key is for peers of unknown address/,
  );
  t.match(
    problems((whole) => whole.replace('M 100', 'M 5')),
    /warning .*stands in front of entry 10/,
  );
  t.match(
    problems((whole) => whole.replace('M 100 ipsec-isakmp dynamic D', 'M 10 ipsec-isakmp dynamic D')),
    /error .*M 10 is ipsec-isakmp already/,
  );
  t.match(
    problems((whole) => whole.replace(' set pfs group14', ' reverse-route')),
    /warning .*D 10: without an access list its peers may have any traffic routed to them/,
  );
  t.match(
    problems((whole) => whole.replace(' set pfs group14', ' reverse-route static')),
    /warning .*D 10: reverse-route static has the effect of reverse-route/,
  );
  t.match(
    problems((whole) => whole.replace(' set pfs group14', ' reverse-route remote-peer 192.0.2.7 gateway')),
    /error .*gateway is not supported/,
  );
  t.match(
    problems((whole) => whole.replace(' set pfs group14', ' set group G')),
    /error .*is no gdoi entry/,
  );
  t.match(
    problems((whole) => whole.replace(' set pfs group14', ' set peer 192.0.2.1')),
    /error .*own address/,
  );
});

const key = { encryptionKey: new Uint8Array(32), salt: new Uint8Array(4), integrityKey: new Uint8Array(0) };

function add(pairs: SaPairs, policy: FlowPolicy, spi: number, peer: number, remote: [address: number, mask: number]): TrafficSelector {
  const life = { lifetimeSeconds: 3600, lifetimeKilobytes: null };
  const suite = { encryption: 'esp-gcm-256', authentication: null, mode: 'tunnel', udp: false, group: null, ...life } as const;
  const selector = {
    protocol: 0,
    local: { address: 0x0a020000, mask: 0xffffff00, port: 0 },
    remote: { address: remote[0], mask: remote[1], port: 0 },
  };
  const ends = { local: { address: policy.local, port: 500 }, remote: { address: peer, port: 500 } };
  const keys = { inbound: { ...key, salt: new Uint8Array(4).fill(spi) }, outbound: { ...key, salt: new Uint8Array(4).fill(spi + 1) } };
  const agreed = { initiator: false, selector, suite, inboundSpi: 0x1000 + spi, outboundSpi: 0x1001 + spi, ...keys, ...life };
  const place = { policy: policyKey(policy), peer: { local: policy.local, remote: ends.remote, translated: false }, ...ends };
  pairs.add(agreed, { ...place, established: true }, 0);
  return selector;
}

t.test('rows: of flows that peers have, in the place of the dynamic map', async (t) => {
  const config = parseClean(text);
  const pairs = new SaPairs();
  const [, anything, listed] = configuredPolicies(config) as [FlowPolicy, FlowPolicy, FlowPolicy];
  const rows = (): [flags: number, hasSa: boolean][] => {
    const tables = compileTables(config, new Map(), new Allocation(), 1, 0, pairs);
    const words = new Int32Array(tables.blobs[1].buffer);
    return Array.from({ length: words.length / CryptoEntry.Words }, (_, i) => {
      const at = i * CryptoEntry.Words;
      return [words[at + CryptoEntry.Flags], words[at + CryptoEntry.OutboundSa] >= 0];
    });
  };
  const [out, back] = [CryptoFlag.PeerOut, CryptoFlag.PeerIn];
  const none: [number, boolean][] = [
    [out, false],
    [back, false],
  ];
  const own: [number, boolean][] = [
    [out, true],
    [back, false],
  ];
  t.same(rows(), [...none, ...none], 'the configured line, and the line of D 20: dropped, as on IOS, until a peer has it');
  add(pairs, anything, 0, 0xcb007107, [0, 0]);
  add(pairs, anything, 4, 0xcb007108, [0x0a010900, 0xffffff00]);
  add(pairs, listed, 8, 0xcb007109, [0x0a010080, 0xffffff80]);
  t.same(rows(), [...none, ...own, ...own, ...own, ...none], 'two of D 10, and a part of the line of D 20 in front of it');
  const tables = compileTables(config, new Map(), new Allocation(), 1, 0, pairs);
  const flowsInOrder = [...tables.flows.values()].map(
    ({ policy, selector }) => `${policy.split(' ').slice(1).join(' ')} ${selector.remote.mask >>> 0}`,
  );
  t.same(
    flowsInOrder.slice(1, 3),
    [`100 ${0xc0000201} D 10 ${0xffffff00}`, `100 ${0xc0000201} D 10 0`],
    'the smaller flow first: who asks for everything takes nothing from others',
  );
});

t.test('show crypto dynamic-map, show crypto map, show crypto ipsec sa', async (t) => {
  const config = parseClean(text);
  const pairs = new SaPairs();
  const [, anything] = configuredPolicies(config) as [FlowPolicy, FlowPolicy];
  add(pairs, anything, 0, 0xcb007107, [0x0a010900, 0xffffff00]);
  const context = { allocation: new Allocation(), dataplane: null, teksOf: () => [], mtuOf: () => 1500, pairs, now: 0 };
  const snapshot = {
    failClose: [],
    cryptoMaps: cryptoMapStates(config, pairs),
    dynamicMaps: dynamicMapStates(config, pairs),
    ipsec: ipsecStates(config, context),
  } as unknown as Snapshot;
  const maps = viewOfDynamicMaps(snapshot, null).lines.join('\n');
  t.match(
    maps,
    /^Crypto Map Template"D" 10\n\tNo matching address list set\.\n\tSecurity association lifetime: 4608000 kilobytes\/3600 seconds\n/,
  );
  t.match(maps, /\tDH group: {2}group14\n[^!]*\tTransform sets=\{\n\t\tT: {2}\{ esp-gcm 256 {2}\} ,\n\t\}\n\tFlows of peers now: 1\n/);
  t.match(maps, /Crypto Map Template"D" 20\n\tExtended IP access list A\n\t {4}access-list A permit ip 10\.2\.0\.0/);
  t.same(viewOfDynamicMaps(snapshot, 'E').lines, []);
  const shown = renderCryptoMaps(snapshot).join('\n');
  t.match(shown, /Crypto Map IPv4 "M" 100 ipsec-isakmp\n\tDynamic map template tag: D\n/);
  t.match(
    shown,
    /"M" 65536 ipsec-isakmp\n\tPeer = 203\.0\.113\.7\n\tExtended IP access list \n\t {4}access-list {2}permit ip 10\.2\.0\.0 0\.0\.0\.255 10\.1\.9\.0 0\.0\.0\.255\n\t {4}dynamic \(created from dynamic map D\/10\)\n\tCurrent peer: 203\.0\.113\.7\n/,
  );
  const [first] = snapshot.ipsec[0].flows.filter(({ outboundSpi }) => outboundSpi !== 0);
  const sas = [4500, 41_000].map((remotePort) => ({
    remote: '203.0.113.7',
    local: '192.0.2.1',
    remotePort,
    remainingSeconds: 10,
    profile: 'P',
  }));
  const flows = sas.map(({ remotePort }) => ({ ...first, peerPort: remotePort }));
  const shared = { ...snapshot, interfaces: [], gdoiMembers: [], isakmpSas: sas, ipsec: [{ ...snapshot.ipsec[0], flows }] };
  t.match(
    sessionsOf(shared as unknown as Snapshot).map(({ peer, peerPort, ikeSas, status }) => [peer, peerPort, ikeSas.length, status]),
    [
      ['203.0.113.7', 4500, 1, 'UP-ACTIVE'],
      ['203.0.113.7', 41_000, 1, 'UP-ACTIVE'],
    ],
    'two behind one translator: a session each',
  );
  t.same(
    snapshot.ipsec[0].flows.map(({ peer }) => peer),
    ['192.0.2.2', '203.0.113.7'],
    'lines that no peer has are no flows',
  );
  t.match(
    viewOfIpsecSas(snapshot, { detail: false, peer: null, interface: null }).lines.join('\n'),
    /remote ident \(addr\/mask\/prot\/port\): \(10\.1\.9\.0\/255\.255\.255\.0\/0\/0\)\n {3}current_peer 203\.0\.113\.7 port 500\n/,
  );
});
