// The configuration of a router without any line of text.

import type { Config, IsakmpSettings } from './model.js';

/** IOS calls a router without a name `Router`. */
export const DefaultHostname = 'Router';

export function defaultIsakmp(): IsakmpSettings {
  return { identity: 'address' };
}

export function emptyConfig(): Config {
  return {
    hostname: DefaultHostname,
    domainName: null,
    isakmpPolicies: [],
    isakmpKeys: [],
    isakmp: defaultIsakmp(),
    trustpoints: new Map(),
    transformSets: new Map(),
    ipsecProfiles: new Map(),
    gdoiGroups: new Map(),
    cryptoMaps: new Map(),
    failClose: new Map(),
    accessLists: new Map(),
    interfaces: new Map(),
    staticRoutes: [],
    unknownLines: [],
  };
}
