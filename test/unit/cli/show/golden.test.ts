// Small outputs of our own: the commands that have no published text, states that the published ones lack, and `| json`.

import t from 'tap';
import { renderShow } from '../../../../cli/show/index.js';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { ace, emptySnapshot, getvpn1, memberTek, serverGroup, serverMember } from './sample.js';

/** Runs a line through the grammar and the renderer. */
function render(words: string, change: Partial<Snapshot> = {}): string {
  const command = parseExec(`show ${words}`);
  if ('error' in command) throw new Error(`${words}: ${command.error}`);
  const { pipe, ...topic } = command as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, { ...emptySnapshot(), ...change });
}

t.test('show crypto isakmp policy has the words of the seed', (t) => {
  const isakmpPolicies: Snapshot['isakmpPolicies'] = [
    { priority: 100, encryption: '3des', hash: 'sha', authentication: 'pre-share', group: 1, lifetimeSeconds: 86_400 },
  ];
  const text = render('crypto isakmp policy', { isakmpPolicies });
  t.equal(
    text.replace(/[ \t]+/g, ' ').replace(/^ /gm, ''),
    `
Global IKE policy
Protection suite of priority 100
encryption algorithm: Three key triple DES
hash algorithm: Secure Hash Standard
authentication method: Pre-Shared Key
Diffie-Hellman group: #1 (768 bit)
lifetime: 86400 seconds, no volume limit
Default protection suite
encryption algorithm: DES - Data Encryption Standard (56 bit keys).
hash algorithm: Secure Hash Standard
authentication method: Rivest-Shamir-Adleman Signature
Diffie-Hellman group: #1 (768 bit)
lifetime: 86400 seconds, no volume limit
`,
  );
  t.end();
});

t.test('show crypto gdoi gm before registration', (t) => {
  const member = {
    ...getvpn1(),
    registered: false,
    succeededRegistrations: 0,
    attemptedRegistrations: 3,
    lastRekeyFrom: null,
    lastRekeySecondsAgo: null,
    rekeysReceived: 0,
    reregistersInSeconds: 4.7,
    kek: null,
    teks: [],
    acl: [],
  };
  const text = render('crypto gdoi', { gdoiMembers: [member] });
  t.match(text, / {7}Registration status {3}: Registering\n {7}Registering to {8}: 1\.1\.1\.1\n {7}Re-registers in {7}: 4 sec\n/);
  t.match(text, /Rekey Rcvd\(hh:mm:ss\) {2}: never\n/);
  t.match(text, / ACL Downloaded From KS UNKNOWN:\n/);
  t.notMatch(text, /KEK POLICY/);
  t.end();
});

t.test('show crypto gdoi group on the key server has the fields of the seed', (t) => {
  const group = {
    ...serverGroup('GDOI-GROUP', '777', '172.16.4.2'),
    members: [serverMember('172.16.1.2'), serverMember('172.16.2.2')],
    kek: {
      spi: '0'.repeat(32),
      cipher: 'aes-128' as const,
      signatureHash: 'sha' as const,
      publicKeyBytes: 162,
      signatureBytes: 128,
      keyName: 'GETVPN-R4-KS',
      lifetimeSeconds: 86_400,
      remainingSeconds: 84_481,
      rekeyInSeconds: 84_000,
    },
    teks: [{ ...memberTek(4711, 1682), aclName: 'CRYPTO-ACL', rekeyInSeconds: 1500 }],
    sas: [
      { sequence: 1, profile: 'GETVPN-PROFILE', aclName: 'CRYPTO-ACL', acl: [], lifetimeSeconds: 3600, replayWindow: 64, replaySeconds: 0 },
    ],
  };
  const text = render('crypto gdoi group GDOI-GROUP', { gdoiServers: [group] }).replace(/ +/g, ' ');
  for (const line of [
    ' Group Name : GDOI-GROUP (Unicast)',
    ' Group Identity : 777',
    ' Group Members : 2',
    ' IPSec SA Direction : Both',
    ' Active Group Server : Local',
    ' Group Rekey Lifetime : 86400 secs',
    ' Remaining Lifetime : 84481 secs',
    ' Rekey Retransmit Period : 10 secs',
    ' Rekey Retransmit Attempts: 3',
    ' IPSec SA Number : 1',
    ' IPSec SA Rekey Lifetime: 3600 secs',
    ' Replay method : Count Based',
    ' Replay Window Size : 64',
    ' Remaining Lifetime : 1682 secs',
    ' ACL Configured : access-list CRYPTO-ACL',
    ' Group Server list : Local',
  ]) {
    t.ok(text.includes(`${line}\n`), `has '${line}'`);
  }
  t.end();
});

t.test('ESP in UDP within a group: both sides say so, and nothing of it where there is none', (t) => {
  const shown = (udp: boolean) => {
    const sa = { sequence: 1, profile: 'P', aclName: 'A', acl: [], lifetimeSeconds: 600, replayWindow: 64, replaySeconds: 0, udp };
    const teks = [{ ...memberTek(4711, 300), udp, aclName: 'A', rekeyInSeconds: 200 }];
    const gdoiServers = [{ ...serverGroup('G', '7', '172.16.4.2'), sas: [sa], teks }];
    return {
      member: render('crypto gdoi', { gdoiMembers: [{ ...getvpn1(), teks: [{ ...memberTek(4711, 300), udp }] }] }),
      group: render('crypto gdoi group G', { gdoiServers }),
      policy: render('crypto gdoi ks policy', { gdoiServers }),
    };
  };
  const [plain, inUdp] = [shown(false), shown(true)];
  t.match(plain.member, / {8}encaps: ENCAPS_TUNNEL\n/);
  t.match(inUdp.member, / {8}encaps: ENCAPS_TUNNEL_UDP\n/);
  t.match(plain.policy, / {2}TEK POLICY \(encaps : ENCAPS_TUNNEL\)\n/);
  t.match(inUdp.policy, / {2}TEK POLICY \(encaps : ENCAPS_TUNNEL_UDP\)\n/);
  t.notMatch(plain.group, /Encapsulation/);
  t.match(inUdp.group, / {6}Encapsulation {10}: ESP in UDP 4500\n/);
  t.end();
});

t.test('show crypto gdoi ks members: sequence numbers, retransmissions, summary', (t) => {
  const member = { ...serverMember('172.16.1.2'), rekeysSent: 1, rekeyRetries: 3, sentSequences: [1, 2, 3, 4] };
  const group = { ...serverGroup('G', '777', '172.16.4.2'), rekeysSent: 1, members: [member] };
  const text = render('crypto gdoi ks members', { gdoiServers: [group] });
  t.match(text, / Sent seq num : 1 {5}2 {5}3 {5}4 {5}\n Rcvd seq num : 0 {5}0 {5}0 {5}0 {5}\n/);
  t.match(text, /\n Rekeys sent {7}: 1\n Rekeys retries {4}: 3\n/);
  t.match(render('crypto gdoi ks members summary', { gdoiServers: [group] }), /\n {2}172\.16\.1\.2 {3}1\.0\.25 {9}1 {15}0\n/);
  t.end();
});

t.test('show access-lists of an extended list, with hits', (t) => {
  const entries = [
    { ...ace('deny udp any eq 848 any eq 848'), sequence: 10, hits: 0 },
    { ...ace('permit ip 10.0.0.0 0.0.255.255 host 10.1.2.3'), sequence: 20, hits: 15 },
    { ...ace('permit tcp any any'), sequence: 30, hits: 1, destinationPort: { operator: 'range' as const, ports: [20, 21] } },
    { ...ace('permit ip any any'), sequence: 40, protocol: 99 },
  ];
  t.equal(
    render('access-lists A', { accessLists: [{ name: 'A', kind: 'extended', entries }] }),
    `Extended IP access list A
    10 deny udp any eq 848 any eq 848
    20 permit ip 10.0.0.0 0.0.255.255 host 10.1.2.3 (15 matches)
    30 permit tcp any any range ftp-data ftp (1 match)
    40 permit 99 any any
`,
  );
  t.end();
});

t.test('show ip route: default, several paths, protocols that IOS has no letter for', (t) => {
  const route = (prefix: string, via: string | null, protocol: string, metric = 0) => ({
    prefix,
    via,
    interface: 'eth0',
    protocol,
    distance: protocol === 'static' ? 1 : 0,
    metric,
  });
  const routes = [
    route('default', '172.16.1.1', 'static'),
    route('192.168.7.0/24', '172.16.1.1', 'zebra', 20),
    route('192.168.8.0/24', '172.16.1.1', 'groupwire'),
    route('10.0.1.0/24', null, 'connected'),
    route('10.0.2.0/24', '172.16.1.1', 'ospf', 30),
    route('10.0.2.0/24', '172.16.1.5', 'ospf', 30),
  ];
  const text = render('ip route', { routes });
  t.equal(
    text.slice(text.indexOf('Gateway')),
    `Gateway of last resort is 172.16.1.1 to network 0.0.0.0

S*       0.0.0.0/0 [1/0] via 172.16.1.1, eth0
      10.0.0.0/24 is subnetted, 2 subnets
C        10.0.1.0 is directly connected, eth0
O        10.0.2.0 [0/30] via 172.16.1.1, eth0
                  [0/30] via 172.16.1.5, eth0
a        192.168.7.0/24 [0/20] via 172.16.1.1, eth0
S        192.168.8.0/24 [0/0] via 172.16.1.1, eth0
`,
  );
  t.end();
});

t.test('show clock, version, running-config, crypto key, crypto map', (t) => {
  t.equal(render('clock'), '23:15:02.123 UTC Mon Nov 23 2026\n');
  const processes = [{ name: 'control', pid: 12, rssBytes: 50 << 20, restarts: 0 }];
  t.equal(
    render('version', { processes }),
    `groupwire, Version 0.1.0

R1 uptime is 3 days, 1 minute
Instance is r1, the dataplane is up
AES by ipsec-mb
0 interfaces, 51200K bytes of memory in 1 processes
  control     pid 12, 51200K bytes, 0 restarts
`,
  );
  const path = [
    { name: 'handed_over_packets', help: '', value: 7 },
    { name: 'taken_over_packets', help: '', value: 6 },
  ];
  t.match(
    render('version', { workers: 2, counters: { drops: [], path, nat: [], control: [] } }),
    /^2 forwarding workers, 7 packets handed over, 6 taken over$/m,
  );
  t.equal(
    render('running-config'),
    'Building configuration...\n\nCurrent configuration : 70 bytes\nhostname R1\n!\ninterface eth0\n ip address 10.0.0.1 255.255.255.0\n!\nend\n',
  );
  const publicKeys = [{ name: 'K', bits: 1024, exportable: true, generatedAt: 0, publicKeyHex: `30819f30${'0d06092a'.repeat(9)}` }];
  t.equal(
    render('crypto key mypubkey rsa', { publicKeys }),
    `% Key pair was generated at: 00:00:00 UTC Jan 1 1970
Key name: K
Key type: RSA KEYS
 Storage Device: sealed state
 Usage: General Purpose Key
 Key is exportable.
 Key Data:
  30819F30 0D06092A 0D06092A 0D06092A 0D06092A 0D06092A 0D06092A 0D06092A 0D06092A
  0D06092A
`,
  );
  const map = {
    name: 'M',
    sequence: 100,
    kind: 'gdoi' as const,
    group: 'G',
    identity: '777',
    serverAddresses: ['172.16.4.2'],
    localAcl: null,
    interfaces: ['eth0'],
  };
  t.equal(
    render('crypto map', { cryptoMaps: [map] }),
    'Crypto Map IPv4 "M" 100 gdoi\n\tGroup Name: G\n\t\tidentity number 777\n\t\tserver address ipv4 172.16.4.2\n\tInterfaces using crypto map M:\n\t\teth0\n',
  );
  t.end();
});

t.test('a GDOI SA has no volume lifetime', (t) => {
  const sa = {
    spi: 0x1001,
    transform: 'esp-gcm 256',
    mode: 'tunnel' as const,
    connectionId: 1,
    flowId: 'SW:1',
    siblingFlags: '80000040',
    remainingSeconds: 29.9,
    remainingKilobytes: null,
    ivBytes: 8,
    replay: false,
    status: 'ACTIVE(ACTIVE)',
  };
  const ident = { address: '10.0.0.0', mask: '255.255.0.0', protocol: 0, port: 0 };
  const flow = {
    local: ident,
    remote: ident,
    action: 'permit' as const,
    peer: '0.0.0.0',
    peerPort: 848,
    flags: '',
    encapsulated: 7,
    decapsulated: 9,
    sendErrors: 1,
    replayDrops: 0,
    integrityDrops: 0,
    receiveErrors: 2,
    localEndpoint: '172.16.1.2',
    remoteEndpoint: '0.0.0.0',
    plaintextMtu: 1446,
    pathMtu: 1500,
    ipMtu: 1500,
    outboundSpi: 0x1001,
    inbound: [sa],
    outbound: [sa],
  };
  const text = render('crypto ipsec sa', {
    ipsec: [{ interface: 'eth0', cryptoMap: 'M', localAddress: '172.16.1.2', flows: [flow] }],
  });
  t.match(text, / {8}sa timing: remaining key lifetime \(sec\): \(29\)\n {8}Kilobyte Volume Rekey has been disabled\n/);
  t.match(text, / {4}#send errors 1, #recv errors 2\n/);
  t.match(text, / {8}replay detection support: N\n/);
  t.end();
});

const everyCommand = [
  'access-lists',
  'object-group',
  'ip interface',
  'clock',
  'crypto gdoi',
  'crypto gdoi detail',
  'crypto gdoi gm',
  'crypto gdoi gm acl',
  'crypto gdoi gm acl local',
  'crypto gdoi ks',
  'crypto gdoi ks acl',
  'crypto gdoi ks members',
  'crypto gdoi ks members summary',
  'crypto gdoi ks policy',
  'crypto ipsec sa',
  'crypto isakmp policy',
  'crypto isakmp sa',
  'crypto key mypubkey rsa',
  'crypto map',
  'interfaces',
  'ip access-lists',
  'ip interface brief',
  'ip route',
  'running-config',
  'version',
];

t.test('every command renders an empty router, in text and as JSON, filtered and not', (t) => {
  for (const words of everyCommand) {
    t.type(render(words), 'string', words);
    t.type(JSON.parse(render(`${words} | json`)), 'object', `${words} | json`);
    t.equal(render(`${words} | include no such line`), '', `${words} | include`);
  }
  t.end();
});

t.test('| json is the slice of the snapshot, of one group where one is named', (t) => {
  const gdoiMembers = [getvpn1(), { ...getvpn1(), group: 'other' }];
  t.strictSame(JSON.parse(render('crypto gdoi group other | json', { gdoiMembers })), { gdoiMembers: [gdoiMembers[1]], gdoiServers: [] });
  t.strictSame(JSON.parse(render('cry isa sa | js')), { isakmpSas: [] });
  t.end();
});

t.test('what does not exist is said, names of Object.prototype included', (t) => {
  for (const words of ['crypto gdoi group nobody', 'crypto gdoi group __proto__', 'interfaces Ethernet9/9', 'access-lists constructor']) {
    t.throws(() => render(words), { name: 'ShowError', message: /^% .* does not exist$/ }, words);
  }
  t.throws(() => render('version | include ('), { name: 'FilterError', message: "% '(' is not a regular expression" });
  t.end();
});

t.test('show interfaces tells the port driver where IOS tells the media type', (t) => {
  const state: Snapshot['interfaces'][number] = {
    name: 'GigabitEthernet0/0',
    device: 'eth0',
    description: null,
    hardware: 'raw port on eth0',
    addresses: ['172.16.1.2/30'],
    adminUp: true,
    up: true,
    mtu: 1500,
    ipMtu: 1500,
    mac: '02:00:00:00:00:01',
    cryptoMap: 'M',
    driver: 'raw',
    wantedDriver: 'raw',
    offloads: true,
    counters: { receivedPackets: 0, receivedBytes: 0, sentPackets: 0, sentBytes: 0, receiveDrops: 0, sendDrops: 0 },
    rates: null,
  };
  const driverLine = (change: Partial<typeof state>) => {
    const lines = render('interfaces', { interfaces: [{ ...state, ...change }] }).split('\n');
    const at = lines.findIndex((line) => line.startsWith('  Port driver'));
    if (at >= 0) t.match(lines[at - 1], /BW 1000000 Kbit/);
    return lines[at];
  };
  t.equal(driverLine({}), '  Port driver is raw, offload is on');
  t.equal(
    driverLine({ driver: 'xdp', moderationUs: 0 }),
    '  Port driver is xdp (raw is not possible), offload is on, interrupt moderation is off',
  );
  t.equal(
    driverLine({ driver: 'xdp', wantedDriver: 'xdp', moderationUs: 200 }),
    '  Port driver is xdp, offload is on, interrupt moderation is 200 usec',
  );
  t.equal(driverLine({ wantedDriver: 'xdp', offloads: false }), '  Port driver is raw (xdp is not possible), offload is off');
  t.equal(driverLine({ device: null, mac: null, driver: null, wantedDriver: null, offloads: false }), undefined, 'a Loopback has none');
  t.match(JSON.parse(render('interfaces | json', { interfaces: [state] })), {
    interfaces: [{ driver: 'raw', wantedDriver: 'raw', offloads: true }],
  });
  t.end();
});
