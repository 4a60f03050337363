import t from 'tap';
import { Allocation, serialOf } from '../../../../control/compile/allocation.js';
import { outboundTek } from '../../../../control/compile/outbound.js';
import { compileTables, type GroupKeys } from '../../../../control/compile/tables.js';
import { defaultPortDriver, portDrivers } from '../../../../control/config/model.js';
import { parseConfig } from '../../../../control/config/parse.js';
import type { PolicyEntry, Tek } from '../../../../control/gdoi/group-policy.js';
import { Ace, Cap, CryptoEntry, CryptoFlag, Sa, SaFlag, SaKey } from '../../../../dataplane/tables/layout.js';

const now = 1_800_000_000_000;

const branches: PolicyEntry = {
  action: 'permit',
  protocol: null,
  source: 0x0a000000,
  sourceWildcard: 0xffff,
  destination: 0x0a000000,
  destinationWildcard: 0xffff,
  sourcePort: null,
  destinationPort: null,
};

function tek(spi: number, over: Partial<Tek> = {}): Tek {
  return {
    spi,
    encryption: 'esp-gcm-128',
    authentication: null,
    encryptionKey: new Uint8Array(16).fill(spi & 0xff),
    salt: new Uint8Array(4).fill(7),
    integrityKey: new Uint8Array(0),
    lifetimeSeconds: 3600,
    createdAt: now,
    expiresAt: now + 3_600_000,
    activatesAt: now,
    replayWindow: 64,
    entries: [branches],
    ...over,
  };
}

const { config } = parseConfig(
  [
    'crypto gdoi group G',
    ' identity number 777',
    ' server address ipv4 172.16.4.2',
    'crypto map M 100 gdoi',
    ' set group G',
    'interface FastEthernet0/0',
    ' linux-device eth0',
    ' ip address 172.16.1.2 255.255.255.252',
    ' crypto map M',
    'interface FastEthernet0/1',
    ' linux-device eth1',
    ' ip address 10.0.1.1 255.255.255.0',
    'ip route 0.0.0.0 0.0.0.0 172.16.1.1',
  ].join('\n'),
);

function compile(keys: Record<string, GroupKeys>, allocation = new Allocation()) {
  const tables = compileTables(config, new Map(Object.entries(keys)), allocation, 1, now);
  const words = (index: number): Int32Array => new Int32Array(tables.blobs[index].buffer);
  return { tables, aces: words(0), entries: words(1), sas: words(2), saKeys: tables.blobs[3] };
}

t.test('an unregistered group does not match: fail-open', (t) => {
  const { tables, entries } = compile({ G: { teks: [], senderIds: null } });
  t.equal(entries.length, CryptoEntry.Words as number);
  t.equal(entries[CryptoEntry.Flags], 0);
  t.equal(entries[CryptoEntry.OutboundSa], -1);
  t.strictSame(
    tables.head.interfaces.map(({ port, name, device }) => ({ port, name, device })),
    [
      { port: 0, name: 'FastEthernet0/0', device: 'eth0' },
      { port: 1, name: 'FastEthernet0/1', device: 'eth1' },
    ],
  );
  t.match(tables.head.staticRoutes, [{ prefix: 0, prefixLength: 0, nextHop: 0xac100101 }]);
  t.end();
});

t.test('port drivers: the configured one, else the default of ports with and without a crypto map', (t) => {
  const rowsOf = (...lines: string[]) => {
    const text = ['crypto map M 1 gdoi', ' set group G', 'interface eth0', ...lines].join('\n');
    const [row] = compileTables(parseConfig(text).config, new Map(), new Allocation(), 1, now).head.interfaces;
    return [row.driver, row.driverChosen, row.offloads];
  };
  t.strictSame(rowsOf(), [defaultPortDriver.plain, false, true]);
  t.strictSame(rowsOf(' crypto map M'), [defaultPortDriver.cryptoMap, false, true]);
  for (const driver of portDrivers) t.strictSame(rowsOf(' crypto map M', ` port-driver ${driver}`, ' no offload'), [driver, true, false]);
  t.end();
});

t.test('a registered group has its ACL, its SA row and its keys', (t) => {
  const { aces, entries, sas, saKeys } = compile({ G: { teks: [tek(0x1234)], senderIds: { bits: 24, values: [5] } } });
  t.equal(entries[CryptoEntry.Flags], CryptoFlag.Registered as number);
  const slot = entries[CryptoEntry.OutboundSa];
  t.equal(slot, 0);
  t.equal(aces.length, Ace.Words as number);
  t.equal(sas[Sa.Spi], 0x1234);
  t.equal(sas[Sa.Flags], (SaFlag.Inbound | SaFlag.Outbound) as number);
  t.equal(sas[Sa.SidBits], 24);
  t.equal(sas[Sa.SidCount], 1);
  t.equal(sas[Sa.Sids], 5);
  t.strictSame([sas[Sa.IvLen], sas[Sa.IcvLen], sas[Sa.Align]], [8, 16, 4]);
  t.strictSame(saKeys.subarray(SaKey.Cipher, SaKey.Cipher + 16), new Uint8Array(16).fill(0x34));
  t.strictSame(saKeys.subarray(SaKey.Salt, SaKey.Salt + 4), new Uint8Array(4).fill(7));
  t.end();
});

t.test('a TEK in UDP: to port 4500, where IKE no longer is the kernel’s alone', (t) => {
  const compiled = (teks: Tek[]) => compile({ G: { teks, senderIds: { bits: 24, values: [5] } } });
  const both = compiled([tek(0x1234), tek(0x1235, { udp: true })]);
  t.strictSame([both.sas[Sa.PeerPort], both.sas[Sa.Words + Sa.PeerPort], both.tables.head.espPorts], [0, 4500, [4500]]);
  t.strictSame(compiled([tek(0x1234)]).tables.head.espPorts, []);
  t.end();
});

t.test('a counter-mode TEK without a usable sender ID opens but never seals', (t) => {
  const { entries, sas } = compile({ G: { teks: [tek(0x1234)], senderIds: { bits: 24, values: [] } } });
  t.equal(sas[Sa.Flags], SaFlag.Inbound as number);
  t.equal(entries[CryptoEntry.OutboundSa], -1, 'what the ACL permits is dropped until there is an ID');
  t.equal(entries[CryptoEntry.Flags], CryptoFlag.Registered as number);
  t.end();
});

t.test('the next TEK opens at once and seals from its activation on', (t) => {
  const old = tek(0x1000, { expiresAt: now + 20_000, activatesAt: now - 1000 });
  const next = tek(0x2000, { activatesAt: now + 5000 });
  t.equal(outboundTek([old, next], now)?.spi, 0x1000);
  t.equal(outboundTek([old, next], now + 5000)?.spi, 0x2000);
  t.equal(outboundTek([next], now)?.spi, 0x2000, 'alone it seals before its time');
  t.equal(outboundTek([old], now + 20_000), null, 'expired');
  const { tables } = compile({ G: { teks: [old, next], senderIds: { bits: 24, values: [1] } } });
  t.equal(tables.nextChange, now + 5000);
  t.end();
});

t.test('an SA keeps its slot while others come and go, also across a restart of control', (t) => {
  const allocation = new Allocation();
  const senderIds = { bits: 24 as const, values: [1] };
  compile({ G: { teks: [tek(0x1000), tek(0x2000)], senderIds } }, allocation);
  const { sas } = compile({ G: { teks: [tek(0x2000), tek(0x3000)], senderIds } }, allocation);
  t.equal(sas[Sa.Words + Sa.Spi], 0x2000, 'slot 1 stays');
  t.equal(sas[Sa.Spi], 0x3000, 'slot 0 is free again');
  const restarted = new Allocation();
  restarted.sas.seed(String(serialOf(tek(0x2000))), 1);
  const after = compile({ G: { teks: [tek(0x2000)], senderIds } }, restarted);
  t.equal(after.sas[Sa.Words + Sa.Serial], serialOf(tek(0x2000)));
  t.not(
    serialOf(tek(0x2000)),
    serialOf(tek(0x2000, { encryptionKey: new Uint8Array(16).fill(1) })),
    'a reused SPI with another key is another SA',
  );
  t.end();
});

t.test('what does not fit is refused, not cut', (t) => {
  const entries = Array.from({ length: Cap.Aces + 1 }, (_, index) => ({ ...branches, source: index << 8 }));
  t.throws(() => compile({ G: { teks: [tek(0x1234, { entries })], senderIds: null } }), { message: /^more than 4096 access list rows$/ });
  t.end();
});

t.test('several SAs: a row each, and a deny of an earlier one keeps packets from a later one', (t) => {
  const deny: PolicyEntry = { ...branches, action: 'deny', protocol: 1 };
  const tcp: PolicyEntry = { ...branches, protocol: 6 };
  const teks = [tek(0x1001, { sa: 1, entries: [deny, tcp] }), tek(0x2001, { sa: 2 }), tek(0x2002, { sa: 2, activatesAt: now + 9000 })];
  const { aces, entries, sas, tables } = compile({ G: { teks, senderIds: { bits: 24, values: [1] } } });
  const rows = Array.from({ length: entries.length / CryptoEntry.Words }, (_, i) => entries.subarray(i * CryptoEntry.Words));
  t.strictSame(
    rows.map((row) => sas[row[CryptoEntry.OutboundSa] * Sa.Words + Sa.Spi]),
    [0x1001, 0x2001],
  );
  const listOf = (row: Int32Array) =>
    Array.from({ length: row[CryptoEntry.AclCount] }, (_, i) => {
      const at = (row[CryptoEntry.AclFirst] + i) * Ace.Words;
      return `${aces[at + Ace.Action]} ${aces[at + Ace.Protocol]}`;
    });
  t.strictSame(rows.map(listOf), [
    ['0 1', '1 6'],
    ['0 1', '1 -1'],
  ]);
  t.strictSame([...new Set(tables.aceOrigins.map(({ list, entry }) => `${list} ${entry}`))].sort(), [
    'group G 0',
    'group G 1',
    'group G 2',
  ]);
  t.end();
});

t.test('directions: receive-only of the key server, what the member chooses, the change-over', (t) => {
  const flagsOf = (teks: Tek[], direction: GroupKeys['direction'] = null) =>
    compile({ G: { teks, senderIds: { bits: 24, values: [1] }, direction } }).entries[CryptoEntry.Flags] & ~CryptoFlag.Registered;
  const receiveOnly = tek(0x1000, { receiveOnly: true, expiresAt: now + 20_000 });
  t.equal(flagsOf([tek(0x1000)]), 0);
  t.equal(flagsOf([receiveOnly]), CryptoFlag.ReceiveOnly | CryptoFlag.AcceptClear);
  t.equal(flagsOf([receiveOnly], 'inbound-optional'), CryptoFlag.AcceptClear as number, 'passive says it again');
  t.equal(flagsOf([tek(0x1000)], 'inbound-only'), CryptoFlag.ReceiveOnly | CryptoFlag.AcceptClear);
  t.equal(flagsOf([tek(0x1000)], 'inbound-optional'), CryptoFlag.AcceptClear as number);
  t.equal(flagsOf([receiveOnly, tek(0x2000)]), CryptoFlag.AcceptClear as number, 'others may not have changed over yet');
  t.end();
});
