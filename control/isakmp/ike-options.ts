// What the engine is given: configuration, randomness, its user.

import type { RandomBytes } from '../actions.js';
import { defaultIsakmp } from '../config/empty.js';
import type { Config, IsakmpKey, IsakmpPolicy, IsakmpProfile, IsakmpSettings, Keyring } from '../config/model.js';
import { type CertificateStore, noCertificates } from '../pki/certificate-store.js';
import { routerName } from '../pki/trustpoints.js';
import { Credentials } from './credentials.js';
import type { HalfOpenBounds } from './half-open.js';
import type { IkeUser } from './ike-user.js';

/** What configuration says. */
export interface IkeSettings {
  policies: IsakmpPolicy[];
  keys: IsakmpKey[];
  keyrings?: ReadonlyMap<string, Keyring>;
  profiles?: ReadonlyMap<string, IsakmpProfile>;
  /** Defaults of IOS unless given. */
  settings?: IsakmpSettings;
  /** The router's full name, for its ID. */
  hostname?: string;
  /** Of the trustpoints; none unless given. */
  certificates?: CertificateStore;
}

export interface IkeEngineOptions extends IkeSettings {
  random: RandomBytes;
  user: IkeUser;
  /** Answer offers: only a key server does. */
  acceptInbound: boolean;
  bounds?: HalfOpenBounds;
  /** Key exchanges a second as responder. */
  registrationRate?: number;
}

/** What a router's configuration says. */
export function settingsOf(config: Config, certificates: CertificateStore): IkeSettings {
  const { isakmpPolicies: policies, isakmpKeys: keys, keyrings, isakmpProfiles: profiles, isakmp: settings } = config;
  return { policies, keys, keyrings, profiles, settings, hostname: routerName(config), certificates };
}

/** Of new exchanges, made ready for use. */
export interface IkeConfiguration {
  /** Ascending priority. */
  policies: IsakmpPolicy[];
  credentials: Credentials;
  settings: IsakmpSettings;
  profiles: ReadonlyMap<string, IsakmpProfile>;
}

export function configurationOf(options: IkeSettings): IkeConfiguration {
  const { policies, keys, keyrings = new Map(), profiles = new Map() } = options;
  const { settings = defaultIsakmp(), hostname = '', certificates = noCertificates } = options;
  return {
    policies: [...policies].sort((a, b) => a.priority - b.priority),
    credentials: new Credentials({ keys, keyrings, profiles, settings, hostname, certificates }),
    settings,
    profiles,
  };
}
