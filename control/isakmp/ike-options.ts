// What the engine is given: configuration, randomness, its user.

import type { RandomBytes } from '../actions.js';
import { defaultIsakmp } from '../config/empty.js';
import type { IsakmpKey, IsakmpPolicy, IsakmpSettings } from '../config/model.js';
import { type CertificateStore, noCertificates } from '../pki/certificate-store.js';
import { Credentials } from './credentials.js';
import type { HalfOpenBounds } from './half-open.js';
import type { IkeUser } from './ike-user.js';

/** What configuration says. */
export interface IkeSettings {
  policies: IsakmpPolicy[];
  keys: IsakmpKey[];
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

/** Of new exchanges, made ready for use. */
export interface IkeConfiguration {
  /** Ascending priority. */
  policies: IsakmpPolicy[];
  credentials: Credentials;
  settings: IsakmpSettings;
}

export function configurationOf({
  policies,
  keys,
  settings = defaultIsakmp(),
  hostname = '',
  certificates = noCertificates,
}: IkeSettings): IkeConfiguration {
  return {
    policies: [...policies].sort((a, b) => a.priority - b.priority),
    credentials: new Credentials({ keys, settings, hostname, certificates }),
    settings,
  };
}
