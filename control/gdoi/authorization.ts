// Who may register with a group (`authorization address ipv4`, `authorization identity`). Asked for every registration, so a change of the
// configuration counts from the next one on; who is in already stays until then. What is configured and not there lets nobody in.
// With pre-shared keys an identity is what the peer says of itself: it proves no more than that the peer knows the key of its address. With
// certificates it is what the certificate bears out (isakmp/signature-authenticator.ts).

import { formatIpv4 } from '../config/addresses.js';
import { parseDistinguishedName } from '../config/distinguished-name.js';
import type { Config, CryptoIdentity, GdoiServer } from '../config/model.js';
import { readU32 } from '../isakmp/bytes.js';
import { type Identification, IdType } from '../isakmp/identification.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { nameContains } from '../pki/name-match.js';
import { describeName } from '../pki/name-text.js';

export interface Refusal {
  /** IOS's. */
  mnemonic: 'UNAUTHORIZED_IPADDR' | 'UNAUTHORIZED_IDENTITY';
  refused: string;
}

/** Names longer than any host's are not looked at. */
const MaxName = 255;

/** First match of a standard list; its end denies. */
function permitsAddress(config: Config, list: string, address: number): boolean {
  const entry = config.accessLists.get(list)?.entries.find(({ source, sourceWildcard }) => ((source ^ address) & ~sourceWildcard) === 0);
  return entry?.action === 'permit';
}

function nameOf({ type, data }: Identification): string | null {
  if ((type !== IdType.Fqdn && type !== IdType.UserFqdn) || data.length > MaxName) return null;
  return String.fromCharCode(...data);
}

/** Printable, whatever the peer sent. */
export function describeIdentity(id: Identification | null): string {
  if (id === null) return 'none';
  if (id.type === IdType.Ipv4Address && id.data.length === 4) return formatIpv4(readU32(id.data, 0));
  if (id.type === IdType.DerDn) return describeName(id.data) ?? 'a damaged distinguished name';
  return nameOf(id)?.replaceAll(/[^!-~]/g, '?') ?? `of type ${id.type}`;
}

/** RFC 2407 §4.6.2.3 and .4: the name itself, or one in the domain; of a user name what is behind the @. */
function fitsName(id: Identification, fqdn: string): boolean {
  const text = nameOf(id)?.toLowerCase();
  if (text === undefined) return false;
  const name = id.type === IdType.Fqdn ? text : text.slice(text.lastIndexOf('@') + 1);
  return name === fqdn || name.endsWith(`.${fqdn}`);
}

function fits(id: Identification, { fqdns, dns }: CryptoIdentity): boolean {
  if (id.type === IdType.DerDn) return dns.some((dn) => nameContains(id.data, parseDistinguishedName(dn)));
  return fqdns.some((fqdn) => fitsName(id, fqdn));
}

/** @param group its name, for the message @returns null when the member may register */
export function refuseMember(config: Config, group: string, server: GdoiServer, sa: Phase1Sa): Refusal | null {
  const { authorizationAcl: list, authorizationIdentity: name } = server;
  const from = formatIpv4(sa.remote.address);
  if (list !== null && !permitsAddress(config, list, sa.remote.address)) {
    return { mnemonic: 'UNAUTHORIZED_IPADDR', refused: `Group ${group} received registration from unauthorized ip address: ${from}` };
  }
  if (name === null) return null;
  const { peerId } = sa;
  const identity = config.identities.get(name);
  if (peerId && identity && fits(peerId, identity)) return null;
  const refused = `Group ${group} received registration from unauthorized identity: ${describeIdentity(peerId)} (${from})`;
  return { mnemonic: 'UNAUTHORIZED_IDENTITY', refused };
}
