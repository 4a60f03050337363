// The configuration of a router without any line of text.

import type { Config } from './model.js';

/** IOS calls a router without a name `Router`. */
export const DefaultHostname = 'Router';

export function emptyConfig(): Config {
  return {
    hostname: DefaultHostname,
    domainName: null,
    isakmpPolicies: [],
    isakmpKeys: [],
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
