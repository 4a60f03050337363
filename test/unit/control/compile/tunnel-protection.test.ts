import t from 'tap';
import { Allocation } from '../../../../control/compile/allocation.js';
import { compileTables } from '../../../../control/compile/tables.js';
import { checkConfig } from '../../../../control/config/check.js';
import { configuredPolicies } from '../../../../control/ipsec/configured-policies.js';
import { policyKey } from '../../../../control/ipsec/flow-policy.js';
import { SaPairs } from '../../../../control/ipsec/sa-pairs.js';
import { listenPorts } from '../../../../control/local-ends.js';
import { Ace, CryptoEntry, CryptoFlag } from '../../../../dataplane/tables/layout.js';

const text = `crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key K address 192.0.2.2
crypto ipsec transform-set T esp-gcm 256
 mode transport
crypto ipsec profile P
 set transform-set T
 set pfs group14
 set security-association lifetime seconds 600
interface eth0
 ip address 192.0.2.1 255.255.255.0
interface eth1
 ip address 10.1.0.1 255.255.255.0
interface Tunnel0
 ip address 192.168.1.1 255.255.255.252
 tunnel source eth0
 tunnel destination 192.0.2.2
 tunnel protection ipsec profile P
`;

function compile(text: string) {
  const { config, problems } = checkConfig(text);
  t.same(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  const allocation = new Allocation();
  const tables = compileTables(config, new Map(), allocation, 1, 0, new SaPairs());
  const words = new Int32Array(tables.blobs[1].buffer);
  const entries = Array.from({ length: words.length / CryptoEntry.Words }, (_, i) =>
    words.subarray(i * CryptoEntry.Words, (i + 1) * CryptoEntry.Words),
  );
  return { config, allocation, tables, entries, aces: new Int32Array(tables.blobs[0].buffer) };
}

t.test('a protected tunnel is a policy between its ends', async (t) => {
  const { config } = compile(text);
  t.match(configuredPolicies(config), [
    {
      map: 'Tunnel0-head-0',
      local: 0xc0000201,
      peers: [0xc0000202],
      suites: [{ encryption: 'esp-gcm-256', mode: 'transport' }],
      pfs: 14,
      lifetimeSeconds: 600,
    },
  ]);
  t.ok(listenPorts(config).includes(500), 'and peers are answered');
  t.same(configuredPolicies(checkConfig(text.replace(' tunnel source eth0\n', '')).config), [], 'without a source there is none');
});

t.test('its rows: GRE between the ends, on every port but tunnels, both ways, without an SA dropped', async (t) => {
  const { config, allocation, tables, entries, aces } = compile(text);
  const ports = ['eth0', 'eth1'].map((name) => allocation.ports.take(name));
  t.same(
    entries.map((row) => [row[CryptoEntry.Port], row[CryptoEntry.Flags], row[CryptoEntry.OutboundSa]]),
    ports.flatMap((port) => [
      [port, CryptoFlag.PeerOut, -1],
      [port, CryptoFlag.PeerIn, -1],
    ]),
  );
  const [out, into] = entries.map((row) =>
    aces.subarray(row[CryptoEntry.AclFirst] * Ace.Words, (row[CryptoEntry.AclFirst] + 1) * Ace.Words),
  );
  t.match(out, { [Ace.Protocol]: 47, [Ace.Src]: 0xc0000201 | 0, [Ace.SrcCare]: -1, [Ace.Dst]: 0xc0000202 | 0, [Ace.DstCare]: -1 });
  t.match(into, { [Ace.Protocol]: 47, [Ace.Src]: 0xc0000202 | 0, [Ace.Dst]: 0xc0000201 | 0 });
  const [policy] = configuredPolicies(config);
  t.match(tables.flows.get(entries[0][CryptoEntry.Flow]), { policy: policyKey(policy), selector: { protocol: 47 } });
});

t.test('ip mtu: 1400, or what is configured', async (t) => {
  const mtu = (more: string): unknown => compile(text + more).tables.head.interfaces.find(({ name }) => name === 'Tunnel0')?.ipMtu;
  t.same([mtu(''), mtu(' ip mtu 1300\n')], [1400, 1300]);
  t.equal(compile(text.replace(/ tunnel protection.*\n/, '')).tables.head.interfaces[2].ipMtu, null);
});
