// Snapshots for the tests of show, API and metrics: an empty router, and groups with the values of the published outputs.

import type {
  AceState,
  InterfaceState,
  IsakmpSaState,
  MemberGroupState,
  MemberTekState,
  ServerGroupState,
  Snapshot,
} from '../../../../control/api/snapshot.js';

/** An SA with a key server that is up. */
/** An interface without a netdev, on which nothing has passed. */
export function interfaceState(name: string, change: Partial<InterfaceState> = {}): InterfaceState {
  return {
    name,
    device: null,
    description: null,
    hardware: 'Loopback',
    addresses: [],
    adminUp: true,
    up: true,
    mtu: 1500,
    ipMtu: 1500,
    mac: null,
    cryptoMap: null,
    driver: null,
    wantedDriver: null,
    offloads: false,
    counters: { receivedPackets: 0, receivedBytes: 0, sentPackets: 0, sentBytes: 0, receiveDrops: 0, sendDrops: 0 },
    rates: null,
    ...change,
  };
}

export function isakmpSa(change: Partial<IsakmpSaState>): IsakmpSaState {
  return {
    destination: '1.1.1.1',
    source: '3.3.1.1',
    state: 'GDOI_IDLE',
    connectionId: 1001,
    status: 'ACTIVE',
    local: '3.3.1.1',
    localPort: 848,
    remote: '1.1.1.1',
    remotePort: 848,
    suite: { encryption: 'aes-256', hash: 'sha', authentication: 'pre-share', group: 16 },
    ageSeconds: 10,
    remainingSeconds: 100,
    capabilities: 'D',
    phase1Id: '1.1.1.1',
    ...change,
  };
}

export function emptySnapshot(): Snapshot {
  return {
    instance: 'r1',
    hostname: 'R1',
    version: '0.1.0',
    takenAt: Date.UTC(2026, 10, 23, 23, 15, 2, 123),
    uptimeSeconds: 3 * 86_400 + 61,
    dataplaneConnected: true,
    workers: 1,
    aes: 'ipsec-mb',
    interfaces: [],
    isakmpPolicies: [],
    isakmpSas: [],
    admission: { ratePerSecond: 100, mostNegotiating: 1000, mostNegotiatingPerAddress: 16 },
    gdoiMembers: [],
    gdoiServers: [],
    cryptoMaps: [],
    failClose: [],
    ipsec: [],
    accessLists: [],
    nat: { inside: [], outside: [], mappings: [], pools: [], statics: 0, timeouts: {}, maxEntries: null },
    routeMaps: [],
    routes: [],
    publicKeys: [],
    runningConfig: 'hostname R1\n!\ninterface eth0\n ip address 10.0.0.1 255.255.255.0\n!\nend\n',
    counters: { drops: [], path: [], nat: [], control: [] },
    processes: [],
    logging: {
      enabled: true,
      dropped: 0,
      console: { severity: 'debugging', messages: 0 },
      buffered: { severity: 'debugging', messages: 0, bytes: 4096 },
      file: null,
      trap: { severity: 'informational', messages: 0 },
      facility: 'local7',
      hosts: [],
      lines: [],
    },
    debugging: [],
  };
}

/** `deny udp any eq 848 any` as an ACE. Only what the published outputs use. */
export function ace(text: string): AceState {
  const words = text.split(' ');
  const action = words.shift() as 'permit' | 'deny';
  const protocols: Record<string, number> = { ip: -1, icmp: 1, tcp: 6, udp: 17, esp: 50, ospf: 89, pim: 103 };
  const protocol = protocols[words.shift()!];
  const side = () => {
    const first = words.shift()!;
    const [address, wildcard] =
      first === 'any' ? ['0.0.0.0', '255.255.255.255'] : first === 'host' ? [words.shift()!, '0.0.0.0'] : [first, words.shift()!];
    const port = words[0] === 'port' || words[0] === 'eq' ? { operator: 'eq' as const, ports: [0] } : null;
    if (port) {
      while (!/^\d+$/.test(words[0])) words.shift();
      port.ports = [Number(words.shift())];
    }
    return { address, wildcard, port };
  };
  const source = side();
  const destination = side();
  return {
    sequence: null,
    action,
    protocol: protocol < 0 ? null : protocol,
    source: source.address,
    sourceWildcard: source.wildcard,
    destination: destination.address,
    destinationWildcard: destination.wildcard,
    sourcePort: source.port,
    destinationPort: destination.port,
    hits: null,
  };
}

const noCounters = {
  sealedPackets: 0,
  sealedBytes: 0,
  openedPackets: 0,
  openedBytes: 0,
  replayDrops: 0,
  integrityDrops: 0,
  sendErrors: 0,
  receiveErrors: 0,
};

export function memberTek(spi: number, remainingSeconds: number): MemberTekState {
  return {
    spi,
    transform: 'esp-256-aes esp-sha256-hmac',
    cipherKeyBytes: 32,
    integrityKeyBytes: 32,
    lifetimeSeconds: 600,
    remainingSeconds,
    ageSeconds: 600 - remainingSeconds,
    replayWindow: 64,
    replaySeconds: 0,
    sending: true,
    counters: noCounters,
  };
}

/** Group getvpn1 as in ShowCryptoGdoi*.txt, where the outputs agree. */
export function getvpn1(): MemberGroupState {
  return {
    group: 'getvpn1',
    identity: '1223',
    serverAddresses: ['1.1.1.1'],
    interfaces: ['GigabitEthernet0/0/1'],
    localAddress: '3.3.1.1',
    remoteAddress: '1.1.1.1',
    version: '1.0.26',
    registered: true,
    saDirection: 'Both',
    failClose: false,
    reregistersInSeconds: 250,
    succeededRegistrations: 1,
    attemptedRegistrations: 1,
    lastRekeyFrom: '1.1.1.1',
    lastRekeySequence: 0,
    lastRekeySecondsAgo: 289,
    rekeysReceived: 25,
    rekeysReceivedSinceRegistration: 25,
    rekeyAcksSent: 25,
    transport: 'unicast',
    kek: {
      cipher: 'aes-256',
      signatureHash: 'sha',
      publicKeyBytes: 550,
      remainingSeconds: 909,
      spi: 'EEB0E9A2BBD4C71AF1034F6B24EB8022',
      signatureBytes: 512,
      lifetimeSeconds: 1200,
      sequence: 0,
      acknowledge: true,
      source: '1.1.1.1',
      destination: '3.3.1.1',
    },
    teks: [memberTek(0x5a69f51e, 310)],
    acl: [
      'deny ip host 11.23.33.33 host 24.54.55.55',
      'deny ip host 41.23.32.37 host 44.58.59.55',
      'deny esp any any',
      'deny udp any any port = 3784',
      'deny udp any any port = 3785',
      'deny udp any port = 3785 any',
      'deny tcp any any port = 179',
      'deny tcp any port = 179 any',
      'deny tcp any any port = 22',
      'deny tcp any port = 22 any',
      'deny ospf any any',
      'deny pim any 224.0.0.0 0.0.0.255',
      'deny udp any any port = 123',
      'deny udp any any port = 514',
      'deny udp any port = 500 any port = 500',
      'deny udp any port = 848 any',
      'deny udp any any port = 848',
      'deny ip any 10.90.0.0 0.0.255.255',
      'deny ip 10.90.0.0 0.0.255.255 any',
      'permit ip 25.25.0.0 0.0.255.255 15.15.0.0 0.0.255.255',
      'permit ip 15.15.0.0 0.0.255.255 25.25.0.0 0.0.255.255',
      'permit ip 16.16.0.0 0.0.255.255 26.26.0.0 0.0.255.255',
    ].map(ace),
    localAclName: null,
    localAcl: [],
    replay: { enabled: false, pseudotimeSeconds: null, timeSyncErrors: 0, maxTimeDeltaSeconds: 0, errors: [] },
    senderIds: [],
    senderIdBits: null,
    counters: { sealedPackets: 0, sealedBytes: 0, openedPackets: 0, openedBytes: 0, timeSent: 0, timeAccepted: 0, timeRefused: 0 },
  };
}

/** A key server's group; the fields that ShowCryptoGdoiKs*.txt prints are overwritten by the tests. */
export function serverGroup(group: string, identity: string, address: string): ServerGroupState {
  return {
    group,
    identity,
    address,
    serving: true,
    version: '1.0.27',
    counterMode: false,
    senderIdBits: 24,
    senderIdsUsed: 0,
    policyPending: false,
    transport: 'unicast',
    acknowledgement: 'cisco',
    receiveOnly: false,
    retransmitSeconds: 10,
    retransmitNumber: 3,
    sequence: 0,
    rekeysSent: 0,
    retransmitsLastRekey: 0,
    lastRekeyMilliseconds: 0,
    registrations: 0,
    members: [],
    kek: null,
    teks: [],
    sas: [],
  };
}

export function serverMember(address: string, version = '1.0.25'): ServerGroupState['members'][number] {
  return {
    address,
    version,
    state: 'Registered',
    rekeysSent: 0,
    rekeyRetries: 0,
    rekeyAcksReceived: 0,
    rekeyAcksMissed: 0,
    sentSequences: [],
    receivedSequences: [],
  };
}
