import t from 'tap';
import { readTables } from '../../../../dataplane/port/validate-tables.js';
import {
  Ace,
  CryptoEntry,
  NatClause,
  QosAction,
  QosClass,
  QosCurve,
  QosRed,
  QosTest,
  QosUse,
  Sa,
} from '../../../../dataplane/tables/layout.js';
import type { TablesHead, TablesRows } from '../../../../dataplane/tables/message.js';
import { joinRows, sampleHead, sampleRows, sampleTunnel } from './tables-sample.js';

function read(bend: (head: TablesHead, rows: TablesRows) => unknown): unknown {
  const rows = sampleRows();
  const head = sampleHead([]);
  bend(head, rows);
  const { bytes, blobBytes } = joinRows(rows);
  return readTables(JSON.parse(JSON.stringify(head.blobBytes.length > 0 ? head : { ...head, blobBytes })), bytes);
}

t.test('a right message comes through unchanged', async (t) => {
  const { bytes, blobBytes } = joinRows(sampleRows());
  const tables = readTables(sampleHead(blobBytes), bytes);
  t.same(tables.head, sampleHead(blobBytes), 'head');
  t.same(tables.rows, sampleRows(), 'rows');
  bytes.fill(0);
  t.same(tables.rows, sampleRows(), 'rows are copies: the frame can be wiped');
});

const second = (rows: TablesRows, change: (row: Int32Array) => void): void => {
  const row = rows.sas.slice();
  change(row);
  rows.sas = Int32Array.of(...rows.sas, ...row);
  rows.saKeys = new Uint8Array(rows.saKeys.length * 2);
};

const withTunnel =
  (change: object) =>
  (head: TablesHead): unknown =>
    Object.assign(head.interfaces[0], { tunnel: { ...sampleTunnel, ...change } });

t.test('a tunnel comes through unchanged', async (t) => {
  t.match(read(withTunnel({})), { head: { interfaces: [{ tunnel: sampleTunnel }] } });
  t.match(read(withTunnel({ keepalive: null, key: null, tos: null, destination: null, sourceInterface: null })), {});
});

const cases: [string, RegExp, (head: TablesHead, rows: TablesRows) => unknown][] = [
  ['port too large', /interfaces\[0\]\.port: 16/, (head) => Object.assign(head.interfaces[0], { port: 16 })],
  [
    'tunnel without a device',
    /a tunnel without a device/,
    (head) => Object.assign(head.interfaces[0], { device: null, tunnel: sampleTunnel }),
  ],
  ['tunnel TTL 0', /tunnel\.ttl: 0/, withTunnel({ ttl: 0 })],
  ['tunnel ToS 256', /tunnel\.tos: 256/, withTunnel({ tos: 256 })],
  ['tunnel key 2^32', /tunnel\.key/, withTunnel({ key: 2 ** 32 })],
  ['tunnel destination -1', /tunnel\.destination/, withTunnel({ destination: -1 })],
  ['tunnel checksum 1', /tunnel\.checksum/, withTunnel({ checksum: 1 })],
  ['keepalives all the time', /keepalive\.seconds: 0/, withTunnel({ keepalive: { seconds: 0, retries: 3 } })],
  ['keepalives without end', /keepalive\.retries: 256/, withTunnel({ keepalive: { seconds: 1, retries: 256 } })],
  ['port twice', /two with port 1/, (head) => Object.assign(head.interfaces[0], { port: 1 })],
  ['device twice', /two with device eth0/, (head) => Object.assign(head.interfaces[1], { device: 'eth0' })],
  ['device with a blank', /no name for a netdev/, (head) => Object.assign(head.interfaces[0], { device: 'eth0 up' })],
  ['device with a line feed', /no name for a netdev/, (head) => Object.assign(head.interfaces[0], { device: 'eth0\n' })],
  ['device like an option', /no name for a netdev/, (head) => Object.assign(head.interfaces[0], { device: '-force' })],
  ['device of 16 characters', /longer than 15/, (head) => Object.assign(head.interfaces[0], { device: 'e234567890123456' })],
  ['device lo', /lo cannot be/, (head) => Object.assign(head.interfaces[0], { device: 'lo' })],
  ['device ..', /no name|cannot be/, (head) => Object.assign(head.interfaces[0], { device: '..' })],
  ['driver', /driver: none of tun, raw, packet, xdp/, (head) => Object.assign(head.interfaces[0], { driver: 'udp' })],
  ['driver of a prototype', /driver: none of/, (head) => Object.assign(head.interfaces[0], { driver: 'constructor' })],
  ['driver chosen', /driverChosen: neither/, (head) => Object.assign(head.interfaces[0], { driverChosen: undefined })],
  ['offloads', /offloads: neither/, (head) => Object.assign(head.interfaces[0], { offloads: 'on' })],
  ['prefix length', /prefixLength: 33/, (head) => Object.assign(head.interfaces[0].addresses[0], { prefixLength: 33 })],
  ['negative address', /address: -1/, (head) => Object.assign(head.interfaces[0].addresses[0], { address: -1 })],
  ['MTU', /ipMtu: 67/, (head) => Object.assign(head.interfaces[0], { ipMtu: 67 })],
  ['17 interfaces', /17 elements/, (head) => Object.assign(head, { interfaces: new Array(17).fill(head.interfaces[0]) })],
  ['route to nowhere', /neither next hop/, (head) => Object.assign(head.staticRoutes[0], { nextHop: null })],
  ['recursive by half', /recursive/, (head) => Object.assign(head.staticRoutes[0], { recursive: 1 })],
  ['control port 0', /controlPorts\[0\]: 0/, (head) => Object.assign(head, { controlPorts: [0] })],
  ['17 groups', /17 elements/, (head) => Object.assign(head, { groups: new Array(17).fill('G') })],
  ['a fraction', /not an integer/, (head) => Object.assign(head, { generation: 1.5 })],
  [
    'blobs in another order',
    /not a tables message/,
    (head) => {
      head.blobs.reverse();
    },
  ],
  [
    'blobs longer than the frame',
    /ends within/,
    (head) => Object.assign(head, { blobBytes: [60, 28, Sa.Words * 4, 26624, 24, 64, 8, 0, 0, 0, 0] }),
  ],
  ['bytes behind the blobs', /behind the last blob/, (head) => Object.assign(head, { blobBytes: new Array(11).fill(0) })],
  ['half a row', /whole number/, (head) => Object.assign(head, { blobBytes: [20, 28, Sa.Words * 4, 104, 24, 64, 8, 0, 0, 0, 0] })],
  ['ace action', /ace action: 2/, (_, rows) => rows.aces.set([2], Ace.Action)],
  ['ace protocol', /ace protocol: 256/, (_, rows) => rows.aces.set([256], Ace.Protocol)],
  ['ace ports turned', /ace port: 65536/, (_, rows) => rows.aces.set([65536], Ace.SrcPortLow)],
  ['ace port range', /ace port range/, (_, rows) => rows.aces.set([10, 9], Ace.DstPortLow)],
  ['entry without interface', /no interface has port 9/, (_, rows) => rows.cryptoEntries.set([9], CryptoEntry.Port)],
  ['entry beyond the aces', /crypto entry aces: 2/, (_, rows) => rows.cryptoEntries.set([2], CryptoEntry.AclCount)],
  ['entry with a negative range', /crypto entry first ace: -1/, (_, rows) => rows.cryptoEntries.set([-1], CryptoEntry.AclFirst)],
  ['entry with a slot that is not', /SA slot: 1/, (_, rows) => rows.cryptoEntries.set([1], CryptoEntry.OutboundSa)],
  ['entry with a group that is not', /group: 1/, (_, rows) => rows.cryptoEntries.set([1], CryptoEntry.Group)],
  [
    'entries of a port apart',
    /port order/,
    (_, rows) => {
      const entries = [1, 0, 1].map((port) => Int32Array.of(port, ...rows.cryptoEntries.subarray(1)));
      rows.cryptoEntries = Int32Array.of(...entries.flatMap((entry) => [...entry]));
    },
  ],
  ['SPI 255', /SPI: 255/, (_, rows) => rows.sas.set([255], Sa.Spi)],
  ['negative serial', /serial: -1/, (_, rows) => rows.sas.set([-1], Sa.Serial)],
  [
    'SPI twice',
    /two SAs with SPI/,
    (_, rows) =>
      second(rows, (row) => {
        row[Sa.Serial]++;
      }),
  ],
  [
    'serial twice',
    /serial 7 twice/,
    (_, rows) =>
      second(rows, (row) => {
        row[Sa.Spi]++;
      }),
  ],
  ['NAT of no side', /neither inside nor outside/, (head) => Object.assign(head.interfaces[0], { nat: 'both' })],
  ['NAT timeouts', /7 numbers/, (head) => Object.assign(head.nat, { timeouts: [1] })],
  ['NAT timeout below 0', /timeouts\[0\]: -1/, (head) => head.nat.timeouts.fill(-1)],
  ['NAT entries', /maxEntries/, (head) => Object.assign(head.nat, { maxEntries: -1 })],
  ['NAT clause beyond the aces', /NAT clause aces: 2/, (_, rows) => rows.natClauses.set([2], NatClause.AclCount)],
  ['NAT clause permit', /NAT clause permit: 2/, (_, rows) => rows.natClauses.set([2], NatClause.Permit)],
  ['NAT clause of no port', /no interface has port 9/, (_, rows) => rows.natClauses.set([9], NatClause.GlobalPort)],
  ['NAT clause out of no port', /no interface has port 9/, (_, rows) => rows.natClauses.set([9], NatClause.OutPort)],
  ['QoS use of a class that is not', /qos use classes: 3/, (_, rows) => rows.qosUses.set([3], QosUse.Words + QosUse.ClassCount)],
  ['QoS use that starts nowhere', /qos use start: 1/, (_, rows) => rows.qosUses.set([1], QosUse.Words + QosUse.Start)],
  ['QoS test that leads to itself', /qos test: 0/, (_, rows) => rows.qosTests.set([0], QosTest.True)],
  ['QoS test that leads to no class', /qos test: -3/, (_, rows) => rows.qosTests.set([-3], QosTest.False)],
  ['QoS test of a list beyond the aces', /qos test aces: 2/, (_, rows) => rows.qosTests.set([2], QosTest.B)],
  ['QoS test of no kind', /qos test kind: 5/, (_, rows) => rows.qosTests.set([5], QosTest.Kind)],
  ['QoS class in itself', /qos class parent: 0/, (_, rows) => rows.qosClasses.set([0], QosClass.Parent)],
  ['QoS class above its child', /qos class child: 0/, (_, rows) => rows.qosClasses.set([1], QosClass.ChildCount)],
  ['QoS class without a quantum', /qos quantum: 0/, (_, rows) => rows.qosClasses.set([0], QosClass.Quantum)],
  ['QoS action', /qos action: 2/, (_, rows) => rows.qosClasses.set([2], QosClass.Actions + QosAction.Drop)],
  ['QoS queue', /qos queue: 2/, (_, rows) => rows.qosClasses.set([2], QosClass.Queue)],
  ['QoS curves', /qos curves: 1/, (_, rows) => rows.qosClasses.set([1], QosClass.Red)],
  ['QoS rate', /qos rate: -1/, (_, rows) => rows.qosClasses.set([-1], QosClass.ShapeHigh)],
  ['QoS curve upright', /qos curve maximum: 20/, (_, rows) => rows.qosReds.set([20], QosRed.Curves + QosCurve.Most)],
  ['no keys for an SA', /different numbers/, (_, rows) => Object.assign(rows, { saKeys: new Uint8Array(0) })],
  ['unknown cipher', /cipher 99/, (_, rows) => rows.sas.set([99], Sa.Cipher)],
  ['no cipher at all', /cipher 0/, (_, rows) => rows.sas.set([0], Sa.Cipher)],
  ['AES key of 15 bytes', /key of 15/, (_, rows) => rows.sas.set([15], Sa.CipherKeyLen)],
  ['key longer than its place', /key of 64/, (_, rows) => rows.sas.set([64], Sa.CipherKeyLen)],
  ['HMAC key of 65 bytes', /HMAC key of 65/, (_, rows) => rows.sas.set([65], Sa.AuthKeyLen)],
  ['IV of 12 bytes', /IV of 12/, (_, rows) => rows.sas.set([12], Sa.IvLen)],
  ['ICV of 8 bytes', /ICV of 8/, (_, rows) => rows.sas.set([8], Sa.IcvLen)],
  ['alignment 0', /alignment of 0/, (_, rows) => rows.sas.set([0], Sa.Align)],
  ['seventeen sender IDs', /sender IDs: 17/, (_, rows) => rows.sas.set([17], Sa.SidCount)],
  ['time window of 101 s', /time window: 101/, (_, rows) => rows.sas.set([101], Sa.TimeWindow)],
  ['crypto entry with flags of nobody', /flags: 256/, (_, rows) => rows.cryptoEntries.set([256], CryptoEntry.Flags)],
  ['crypto entry with a flow of nobody', /flow: -1/, (_, rows) => rows.cryptoEntries.set([-1], CryptoEntry.Flow)],
  ['ESP port 0', /espPorts\[0\]: 0/, (head) => Object.assign(head, { espPorts: [0] })],
  ['SA of a group in UDP to another port', /in UDP to port 33000/, (_, rows) => rows.sas.set([33000], Sa.PeerPort)],
  ['SA with ends and no pair', /ends of a pair that it is not/, (_, rows) => rows.sas.set([1, 2], Sa.Local)],
  ['SA of a pair without ends', /or without/, (_, rows) => rows.sas.set([5], Sa.Flags)],
  [
    'SA of a pair in both directions',
    /in both directions/,
    (_, rows) => {
      rows.sas.set([7], Sa.Flags);
      rows.sas.set([1, 2], Sa.Local);
    },
  ],
  [
    'a filter beyond the aces',
    /filter of GigabitEthernet0\/0 aces: 2/,
    (head) => Object.assign(head.interfaces[0], { filterIn: { first: 0, count: 2 } }),
  ],
  ['a filter without rows', /filterOut/, (head) => Object.assign(head.interfaces[0], { filterOut: {} })],
  ['unreachables that are no flag', /unreachables/, (head) => Object.assign(head.interfaces[0], { unreachables: 1 })],
  ['ace that asks for facts of nobody', /ace facts/, (_, rows) => rows.aces.set([1 << 27], Ace.Mask)],
  ['ace with a value outside its mask', /ace facts: 4/, (_, rows) => rows.aces.set([4], Ace.Value)],
  ['ace with flags of more than an octet', /ace flags/, (_, rows) => rows.aces.set([1 << 16], Ace.AnyOf)],
  ['ace counter beyond all', /ace counter: 8192/, (_, rows) => rows.aces.set([8192], Ace.Counter)],
  ['ace log of nobody', /ace log: 3/, (_, rows) => rows.aces.set([3], Ace.Log)],
  ['a group that is none', /groups/, (head) => Object.assign(head.interfaces[0], { groups: [0x0a000001] })],
  ['SA beyond the aces', /SA aces: 5/, (_, rows) => rows.sas.set([5], Sa.AclCount)],
];

for (const [name, message, bend] of cases) {
  t.test(name, async (t) => {
    t.throws(() => read(bend), { name: 'ShapeError', message }, 'is refused with what is wrong');
  });
}

t.test('heads that are no tables', async (t) => {
  for (const head of [null, 1, 'tables', [], {}, { type: 'tables' }, { __proto__: null }]) {
    t.throws(() => readTables(head, new Uint8Array(0)), { name: 'ShapeError' }, JSON.stringify(head));
  }
});
