// Random configurations that parse.ts can have made: what print and parse must carry without loss.

import fc from 'fast-check';
import { AllOnes, prefixLengthToMask, prefixRange } from '../../../../control/config/addresses.js';
import type { Logging, LogSeverity } from '../../../../control/config/logging-model.js';
import type {
  Config,
  CryptoMapEntry,
  DhGroup,
  EspAuthentication,
  EspEncryption,
  GdoiGroup,
  GdoiSa,
  GdoiServer,
  InterfaceConfig,
  IpsecSettings,
  IsakmpKey,
  IsakmpPolicy,
  SiteToSite,
  StaticRoute,
  TransformSet,
  TunnelConfig,
  UnknownLine,
} from '../../../../control/config/model.js';
import { portDrivers } from '../../../../control/config/model.js';
import { aclArbitraries } from './acl-arbitraries.js';
import { isakmpProfile, isakmpSettings, keyring, trustpoint } from './ike-arbitraries.js';
import { natArbitraries } from './nat-arbitraries.js';
import { qosArbitraries } from './qos-arbitraries.js';

/** Ordinary names, and those that would be special in a plain object or look like something else. */
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'any',
    'no',
    'exit',
    'end',
    '!x',
    'detail',
    '0',
    '6',
    'GETVPN-MAP',
  ),
);
const line = fc.constant(0);
const address = fc.integer({ min: 0, max: AllOnes });
const prefixLength = fc.integer({ min: 0, max: 32 });
const lifetime = fc.integer({ min: 60, max: 86400 });

/** Values with distinct keys, as the Map that a configuration holds. */
function mapOf<K, V>(value: fc.Arbitrary<V>, keyOf: (value: V) => K, maxLength = 3): fc.Arbitrary<Map<K, V>> {
  return fc.uniqueArray(value, { selector: keyOf, maxLength }).map((values) => new Map(values.map((item) => [keyOf(item), item])));
}

const isakmpPolicy: fc.Arbitrary<IsakmpPolicy> = fc.record({
  line,
  priority: fc.integer({ min: 1, max: 10000 }),
  encryption: fc.constantFrom('des', '3des', 'aes-128', 'aes-192', 'aes-256'),
  hash: fc.constantFrom('md5', 'sha', 'sha256', 'sha384', 'sha512'),
  authentication: fc.constantFrom('pre-share', 'rsa-sig'),
  group: fc.constantFrom<DhGroup>(1, 2, 5, 14, 15, 16, 19, 20, 21),
  lifetimeSeconds: lifetime,
});

const isakmpKey: fc.Arbitrary<IsakmpKey> = fc
  .record({ line, key: fc.oneof(fc.stringMatching(/^[!-~]{1,128}$/), name), address, length: prefixLength })
  .map(({ length, ...rest }) => {
    const mask = prefixLengthToMask(length);
    return { ...rest, address: (rest.address & mask) >>> 0, mask };
  });

const cbc = fc.constantFrom<EspEncryption>('esp-null', 'esp-des', 'esp-3des', 'esp-aes-128', 'esp-aes-192', 'esp-aes-256');
const combined = fc.constantFrom<EspEncryption>(
  ...(['128', '192', '256'] as const).flatMap((bits) => [`esp-gcm-${bits}`, `esp-gmac-${bits}`] as const),
  'esp-chacha20-poly1305',
);
const hmac = fc.constantFrom<EspAuthentication>('esp-md5-hmac', 'esp-sha-hmac', 'esp-sha256-hmac', 'esp-sha384-hmac', 'esp-sha512-hmac');
const transforms = fc.oneof(
  fc.record({ encryption: cbc, authentication: hmac }),
  fc.record({ encryption: combined, authentication: fc.constant(null) }),
);
const transformSet: fc.Arbitrary<TransformSet> = fc
  .record(
    { line, name, transforms, mode: fc.constantFrom<TransformSet['mode']>('tunnel', 'transport'), extended: fc.constant(true) },
    { requiredKeys: ['line', 'name', 'transforms', 'mode'] },
  )
  .map(({ transforms: pair, ...rest }) => ({ ...rest, ...pair }));

const ipsecProfile = fc.record({
  line,
  name,
  transformSets: fc.array(name, { maxLength: 6 }),
  lifetimeSeconds: fc.option(fc.integer({ min: 20, max: 2592000 })),
  pfs: fc.option(fc.constantFrom(1, 2, 5, 14, 15, 16, 19, 20, 21)),
});

const interfaceName = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('GigabitEthernet', 'FastEthernet', 'Ethernet', 'TenGigabitEthernet'),
      fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 3 }),
    )
    .map(([type, units]) => `${type}${units.join('/')}`),
  fc.integer({ min: 0, max: 999 }).map((unit) => `Loopback${unit}`),
  fc.integer({ min: 0, max: 9999 }).map((unit) => `Tunnel${unit}`),
  fc.constantFrom('eth0', 'eth1.20', 'ens3', 'enp0s31f6', 'wan', 'br-lan', 'veth_a', 'constructor'),
);

/** A field that is there or is not. */
function sometimes<T, K extends keyof T>(base: fc.Arbitrary<T>, key: K, value: fc.Arbitrary<NonNullable<T[K]>>): fc.Arbitrary<T> {
  return fc.tuple(base, fc.option(value)).map(([item, chosen]) => (chosen === null ? item : { ...item, [key]: chosen }));
}

const sa: fc.Arbitrary<GdoiSa> = fc.record({
  line,
  sequence: fc.integer({ min: 1, max: 65535 }),
  profile: fc.option(name),
  matchAddress: fc.option(name),
  replay: fc.oneof(
    fc.record({ method: fc.constant('counter' as const), windowSize: fc.constantFrom(64, 128, 256, 512, 1024) }),
    fc.record({ method: fc.constant('time' as const), windowSeconds: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ method: fc.constant('none' as const) }),
  ),
});
const plainServer: fc.Arbitrary<GdoiServer> = fc.record({
  line,
  rekeyEncryption: fc.constantFrom('des', '3des', 'aes-128', 'aes-192', 'aes-256'),
  rekeySignatureHash: fc.constantFrom('sha', 'sha256', 'sha384', 'sha512'),
  rekeyLifetimeSeconds: lifetime,
  rekeyRetransmitSeconds: fc.integer({ min: 10, max: 60 }),
  rekeyRetransmitNumber: fc.integer({ min: 1, max: 10 }),
  rekeyAuthentication: fc.option(name),
  rekeyTransport: fc.constantFrom('unicast', 'multicast'),
  rekeyAcknowledgement: fc.constantFrom('any', 'interoperable'),
  address: fc.option(address),
  authorizationAcl: fc.option(name),
  authorizationIdentity: fc.option(name),
  receiveOnly: fc.boolean(),
  sas: mapOf(sa, (value) => value.sequence),
});
const withAddress = sometimes(plainServer, 'rekeyAddress', name);
const withEncoding = sometimes(withAddress, 'rekeySignatureEncoding', fc.constant('raw' as const));
const withDelay = sometimes(withEncoding, 'rekeyDeactivationSeconds', fc.integer({ min: 10, max: 65535 }));
const server: fc.Arbitrary<GdoiServer> = sometimes(withDelay, 'senderIdBits', fc.constantFrom(8, 12, 16, 32));
const plainGroup: fc.Arbitrary<GdoiGroup> = fc.record({
  line,
  name,
  identity: fc.option(
    fc.oneof(
      fc.record({ kind: fc.constant('number' as const), number: fc.integer({ min: 0, max: 2147483647 }) }),
      fc.record({ kind: fc.constant('address' as const), address }),
    ),
  ),
  serverAddresses: fc.uniqueArray(address, { maxLength: 8 }),
  passive: fc.boolean(),
  server: fc.option(server),
});
const gdoiGroup: fc.Arbitrary<GdoiGroup> = sometimes(plainGroup, 'registrationInterface', interfaceName);

const siteToSite: fc.Arbitrary<SiteToSite> = fc.record(
  {
    isakmpProfile: name,
    peers: fc.uniqueArray(address, { maxLength: 10 }),
    transformSets: fc.array(name, { maxLength: 6 }),
    pfs: fc.constantFrom(null, 1, 2, 5, 14, 15, 16, 19, 20, 21),
    lifetimeSeconds: fc.option(fc.integer({ min: 20, max: 2_592_000 })),
    lifetimeKilobytes: fc.oneof(fc.constantFrom(null, 'disable' as const), fc.integer({ min: 2560, max: 4_294_967_295 })),
    reverseRoute: fc.record({ always: fc.boolean(), nextHop: fc.option(address) }),
    reverseDistance: fc.integer({ min: 1, max: 255 }),
  },
  { requiredKeys: ['peers', 'transformSets', 'pfs', 'lifetimeSeconds', 'lifetimeKilobytes'] },
);

/** What names a dynamic map says nothing else. */
function withoutTail({ qosPreClassify, ...entry }: CryptoMapEntry): CryptoMapEntry {
  return entry.dynamic !== undefined || qosPreClassify === undefined ? entry : { ...entry, qosPreClassify };
}

const cryptoMaps: fc.Arbitrary<Map<string, CryptoMapEntry[]>> = mapOf(
  fc.record({
    name,
    entries: fc.uniqueArray(
      sometimes<CryptoMapEntry, 'qosPreClassify'>(
        fc
          .record({
            line,
            name: fc.constant(''),
            sequence: fc.integer({ min: 1, max: 65535 }),
            matchAddress: fc.option(name),
            what: fc.oneof(fc.record({ group: fc.option(name) }), siteToSite, fc.record({ dynamic: name })),
          })
          .map(({ what, ...entry }): CryptoMapEntry => {
            if ('group' in what) return { ...entry, kind: 'gdoi', group: what.group };
            if ('dynamic' in what) return { ...entry, kind: 'ipsec-isakmp', group: null, matchAddress: null, dynamic: what.dynamic };
            return { ...entry, kind: 'ipsec-isakmp', group: null, ipsec: what };
          }),
        'qosPreClassify',
        fc.constant(true as const),
      ),
      { selector: (entry) => entry.sequence, minLength: 1, maxLength: 3 },
    ),
  }),
  (map) => map.name,
).map(
  (maps) =>
    new Map(
      [...maps].map(([mapName, { entries }]) => [
        mapName,
        entries.map((entry) => withoutTail({ ...entry, name: mapName })).sort((a, b) => a.sequence - b.sequence),
      ]),
    ),
);

const dynamicMaps: fc.Arbitrary<Map<string, CryptoMapEntry[]>> = fc
  .uniqueArray(fc.tuple(name, fc.integer({ min: 1, max: 65535 }), siteToSite, fc.option(name)), {
    selector: ([map, sequence]) => `${map} ${sequence}`,
    maxLength: 4,
  })
  .map((list) => {
    const maps = new Map<string, CryptoMapEntry[]>();
    for (const [map, sequence, ipsec, matchAddress] of list.sort((a, b) => a[1] - b[1])) {
      const entry: CryptoMapEntry = { line: 0, name: map, sequence, kind: 'dynamic-map', group: null, matchAddress, ipsec };
      maps.set(map, [...(maps.get(map) ?? []), entry]);
    }
    return maps;
  });

const identities = mapOf(
  fc.record({
    line,
    name,
    fqdns: fc.uniqueArray(fc.constantFrom('example.net', 'r1.example.net', '__proto__', 'x'), { maxLength: 3 }),
    dns: fc.uniqueArray(fc.constantFrom('CN=r1', 'CN=r1,O="a, b"', 'OU=x'), { maxLength: 2 }),
  }),
  (value) => value.name,
);

const failClose = mapOf(fc.record({ line, name, matchAddress: fc.option(name), activated: fc.boolean() }), (value) => value.name);

/** Words parted by single spaces. */
const freeText = fc.array(fc.stringMatching(/^[!-~]{1,12}$/), { minLength: 1, maxLength: 6 }).map((words) => words.join(' '));

const { accessLists, objectGroups } = aclArbitraries(name, freeText);

const interfaceAddress = fc
  .record({
    top: fc.integer({ min: 1, max: 223 }).filter((octet) => octet !== 127),
    rest: fc.integer({ min: 0, max: 0xffffff }),
    length: fc.integer({ min: 1, max: 32 }),
  })
  .map(({ top, rest, length }) => ({ address: top * 0x1000000 + rest, mask: prefixLengthToMask(length) }))
  .filter(({ address: own, mask }) => {
    const { first, last } = prefixRange(own, mask);
    return last - first < 2 || (own !== first && own !== last);
  });
const plainInterface: fc.Arbitrary<InterfaceConfig> = fc.record({
  line,
  name: interfaceName,
  description: fc.option(freeText),
  linuxDevice: fc.option(fc.constantFrom('eth0', 'ens3', 'wan.7')),
  portDriver: fc.option(fc.constantFrom(...portDrivers)),
  offload: fc.boolean(),
  addresses: fc
    .uniqueArray(interfaceAddress, { selector: (value) => value.address, maxLength: 3 })
    .map((values) => values.map((value, i) => ({ ...value, secondary: i > 0 }))),
  ipMtu: fc.option(fc.integer({ min: 68, max: 65535 })),
  staticGroups: fc.uniqueArray(fc.integer({ min: 0xe0000100, max: 0xefffffff }), { maxLength: 3 }),
  shutdown: fc.boolean(),
  cryptoMap: fc.option(name),
});
const plainTunnel: fc.Arbitrary<TunnelConfig> = fc
  .record({
    source: fc.oneof(
      fc.constant({ sourceInterface: null, sourceAddress: null }),
      interfaceName.map((sourceInterface) => ({ sourceInterface, sourceAddress: null })),
      address.map((sourceAddress) => ({ sourceInterface: null, sourceAddress })),
    ),
    destination: fc.option(address),
    key: fc.option(fc.integer({ min: 0, max: AllOnes })),
    checksum: fc.boolean(),
    sequence: fc.boolean(),
    ttl: fc.integer({ min: 1, max: 255 }),
    tos: fc.option(fc.integer({ min: 0, max: 255 })),
    pathMtuDiscovery: fc.boolean(),
    keepalive: fc.option(fc.record({ seconds: fc.integer({ min: 1, max: 32767 }), retries: fc.integer({ min: 1, max: 255 }) })),
    protection: fc.option(name),
  })
  .map(({ source, ...rest }) => ({ ...source, ...rest }));
const pathMtuAger = fc.oneof(fc.integer({ min: 10, max: 30 }), fc.constant('infinite' as const));
const agedTunnel = sometimes(sometimes(plainTunnel, 'pathMtuAger', pathMtuAger), 'pathMtuLeast', fc.integer({ min: 92, max: 65535 }));
/** The timer and the least belong to the line that turns it on. */
const ofLine = agedTunnel.map(({ pathMtuAger, pathMtuLeast, ...rest }) =>
  rest.pathMtuDiscovery
    ? { ...rest, ...(pathMtuAger === undefined ? {} : { pathMtuAger }), ...(pathMtuLeast === undefined ? {} : { pathMtuLeast }) }
    : rest,
);
const tunnelConfig = sometimes(ofLine, 'qosPreClassify', fc.constant(true as const));
const interfaceWithBandwidth = sometimes(plainInterface, 'bandwidthKbps', fc.integer({ min: 1, max: 10_000_000 }));
const anyInterface = fc
  .tuple(interfaceWithBandwidth, tunnelConfig)
  .map(([item, tunnel]) => (item.name.startsWith('Tunnel') ? { ...item, tunnel } : item));
const withNat = sometimes(anyInterface, 'nat', fc.constantFrom('inside' as const, 'outside' as const));
const withPolicy = sometimes(withNat, 'policy', name);
const withList = sometimes(sometimes(withPolicy, 'accessGroupIn', name), 'accessGroupOut', name);
const withQos = sometimes(sometimes(withList, 'servicePolicyIn', name), 'servicePolicyOut', name);
const dfBit = fc.constantFrom('clear' as const, 'set' as const, 'copy' as const);
const cutOrder = fc.constantFrom('before-encryption' as const, 'after-encryption' as const);
const withMss = sometimes(withQos, 'adjustMss', fc.integer({ min: 64, max: 1460 }));
const withDf = sometimes(sometimes(withMss, 'dfBit', dfBit), 'fragmentation', cutOrder);
const withSearch = sometimes(withDf, 'searchPathMtu', fc.constant(true as const));
const reassemblyBounds = fc.record(
  {
    maxDatagrams: fc.integer({ min: 1, max: 1024 }),
    maxFragments: fc.integer({ min: 1, max: 255 }),
    timeoutSeconds: fc.integer({ min: 1, max: 60 }),
    dropFragments: fc.constant(true as const),
  },
  { requiredKeys: [] },
);
const withCrypto = sometimes(withSearch, 'virtualReassembly', reassemblyBounds);
const interfaceConfig = fc
  .tuple(withCrypto, fc.boolean())
  .map(([item, silent]): InterfaceConfig => (silent ? { ...item, unreachables: false } : item));

const staticRoute: fc.Arbitrary<StaticRoute> = fc
  .record({
    line,
    prefix: address,
    length: prefixLength,
    way: fc.oneof(
      fc.record({ interface: fc.option(interfaceName), nextHop: address }),
      fc.record({ interface: interfaceName, nextHop: fc.constant(null) }),
    ),
    distance: fc.integer({ min: 1, max: 255 }),
  })
  .map(({ length, way, prefix, ...rest }) => {
    const mask = prefixLengthToMask(length);
    return { ...rest, prefix: (prefix & mask) >>> 0, mask, ...way };
  });

const { classMaps, policyMaps } = qosArbitraries(name, freeText);
const { natConfig, routeMaps } = natArbitraries(name, interfaceName, freeText);

const severity = fc.integer({ min: 0, max: 7 }) as fc.Arbitrary<LogSeverity>;
const level = fc.oneof(severity, fc.constant('off' as const));
/** Only what differs from the defaults, as parse.ts keeps it. */
const logging: fc.Arbitrary<Logging> = fc
  .record(
    {
      off: fc.constant(true as const),
      console: level.filter((value) => value !== 7),
      buffered: fc.oneof(fc.constant('off' as const), fc.record({ bytes: fc.integer({ min: 4097, max: 1 << 20 }), severity })),
      trap: level.filter((value) => value !== 6),
      facility: fc.constantFrom('local0', 'daemon', 'auth'),
      file: fc.record({ path: fc.stringMatching(/^\/[!-~]{1,40}$/), severity }),
      hosts: fc.uniqueArray(fc.record({ address, port: fc.integer({ min: 1, max: 65535 }) }), {
        selector: (host) => host.address,
        maxLength: 3,
      }),
    },
    { requiredKeys: ['hosts'] },
  )
  .filter((value) => Object.keys(value).length > 1 || value.hosts.length > 0);

/** Lines as readLines leaves them, whatever they begin with; one of them may hold the usual delimiter. */
const bannerLine = fc.oneof(freeText, fc.constantFrom('', '!', 'end', '^C', 'interface eth0', '#%~@|`\\+='));
const bannerText = fc.array(bannerLine, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'));
const banners = fc
  .record({ motd: bannerText, login: bannerText, exec: bannerText }, { requiredKeys: [] })
  .filter((texts) => Object.keys(texts).length > 0);

const plainIpsec: fc.Arbitrary<IpsecSettings> = fc.record({
  lifetimeSeconds: fc.integer({ min: 20, max: 2592000 }),
  lifetimeKilobytes: fc.oneof(fc.integer({ min: 2560, max: AllOnes }), fc.constant('disable' as const)),
  replayWindow: fc.constantFrom(0, 64, 128, 256, 512, 1024),
  shield: fc.boolean(),
});
const ipsecSettings = sometimes(sometimes(plainIpsec, 'dfBit', dfBit), 'fragmentation', cutOrder);

/** Every list in the order that parse.ts keeps it in. No unknown lines: those come from texts. */
export const configArbitrary: fc.Arbitrary<Config> = fc
  .record({
    version: fc.option(fc.constantFrom('15.1', '17.3')),
    hostname: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}[A-Za-z0-9]$/),
    domainName: fc.option(fc.constantFrom('lab.local', '__proto__')),
    registrationRate: fc.option(fc.integer({ min: 1, max: 10_000 })),
    isakmpPolicies: fc
      .uniqueArray(isakmpPolicy, { selector: (policy) => policy.priority, maxLength: 4 })
      .map((list) => list.sort((a, b) => a.priority - b.priority)),
    isakmpKeys: fc.uniqueArray(isakmpKey, { selector: (key) => `${key.address}/${key.mask}`, maxLength: 4 }),
    isakmp: isakmpSettings,
    ipsec: ipsecSettings,
    keyrings: mapOf(keyring, (item) => item.name),
    isakmpProfiles: mapOf(isakmpProfile, (item) => item.name),
    trustpoints: mapOf(trustpoint, (item) => item.name),
    transformSets: mapOf(transformSet, (set) => set.name),
    ipsecProfiles: mapOf(ipsecProfile, (profile) => profile.name),
    gdoiGroups: mapOf(gdoiGroup, (group) => group.name),
    identities,
    cryptoMaps,
    dynamicMaps,
    localAddresses: fc.uniqueArray(fc.tuple(name, interfaceName), { selector: ([map]) => map, maxLength: 2 }).map((list) => new Map(list)),
    mapProfiles: fc.uniqueArray(fc.tuple(name, name), { selector: ([map]) => map, maxLength: 2 }).map((list) => new Map(list)),
    failClose,
    accessLists,
    objectGroups,
    keyExport: fc.boolean(),
    multicastRouting: fc.boolean(),
    interfaces: mapOf(interfaceConfig, (item) => item.name),
    nat: natConfig,
    routeMaps,
    classMaps,
    policyMaps,
    localPolicy: fc.option(name),
    staticRoutes: fc.uniqueArray(staticRoute, {
      selector: (route) => `${route.prefix}/${route.mask} ${route.interface} ${route.nextHop}`,
      maxLength: 4,
    }),
    logging: fc.option(logging),
    banners: fc.option(banners),
    unknownLines: fc.constant<UnknownLine[]>([]),
  })
  .map(({ version, registrationRate, localPolicy, logging: log, banners: texts, ...config }) => ({
    ...config,
    ...(version !== null && { version }),
    ...(registrationRate !== null && { registrationRate }),
    ...(localPolicy !== null && { localPolicy }),
    ...(log !== null && { logging: log }),
    ...(texts !== null && { banners: texts }),
  }));
