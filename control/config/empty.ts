// The configuration of a router without any line of text.

import type { Config, IpsecSettings, IsakmpSettings } from './model.js';

/** IOS calls a router without a name `Router`. */
export const DefaultHostname = 'Router';

export function defaultIsakmp(): IsakmpSettings {
  return {
    identity: 'address',
    aggressiveMode: false,
    keepalive: null,
    natKeepaliveSeconds: null,
    natTraversal: true,
    invalidSpiRecovery: false,
  };
}

/** What IOS has. */
export function defaultIpsec(): IpsecSettings {
  return { lifetimeSeconds: 3600, lifetimeKilobytes: 4_608_000, replayWindow: 64, shield: true };
}

export function emptyConfig(): Config {
  return {
    hostname: DefaultHostname,
    domainName: null,
    isakmpPolicies: [],
    isakmpKeys: [],
    isakmp: defaultIsakmp(),
    ipsec: defaultIpsec(),
    keyrings: new Map(),
    isakmpProfiles: new Map(),
    trustpoints: new Map(),
    transformSets: new Map(),
    ipsecProfiles: new Map(),
    gdoiGroups: new Map(),
    identities: new Map(),
    cryptoMaps: new Map(),
    dynamicMaps: new Map(),
    localAddresses: new Map(),
    mapProfiles: new Map(),
    failClose: new Map(),
    accessLists: new Map(),
    objectGroups: new Map(),
    keyExport: false,
    multicastRouting: false,
    interfaces: new Map(),
    staticRoutes: [],
    nat: {
      pools: [],
      statics: [],
      statements: [],
      outsideSources: [],
      destinations: [],
      timeouts: {},
      portTimeouts: [],
      maxEntries: null,
      hostLimits: [],
      logging: { syslog: false, file: null },
    },
    routeMaps: new Map(),
    classMaps: new Map(),
    policyMaps: new Map(),
    unknownLines: [],
  };
}
