// NAT traversal of IKE, RFC 3947, and what shares UDP 4500 with it, RFC 3948. Does: find address translators, NAT-D payloads, the non-ESP
// marker, keepalives. Does not: ESP in UDP, which the packet path takes (what comes here all the same, with no site-to-site peers or while that is dead, is counted and dropped).
//
//   UDP 4500:  | 0 0 0 0 | ISAKMP message |      | SPI (not 0), ESP |      | 0xff |  keepalive

import type { Datagram, Endpoint } from '../actions.js';
import type { IkeHash } from '../config/model.js';
import type { PayloadBody } from './authentication.js';
import { concatBytes, equalBytes, u32Bytes } from './bytes.js';
import { PayloadType } from './header.js';
import { hashOf } from './message-cipher.js';
import type { Payload } from './payloads.js';
import type { Phase1Sa } from './phase1-sa.js';
import { NatPort } from './ports.js';
import { WireError } from './wire-error.js';

/** NAT-D payloads that are looked at: a peer sends one per address of its own. */
const MaxDiscoveries = 32;

/** Who stands behind a translator. */
export interface Translation {
  local: boolean;
  remote: boolean;
}

export const noTranslation: Translation = { local: false, remote: false };

type Cookies = Pick<Phase1Sa, 'initiatorCookie' | 'responderCookie'>;

/** HASH(CKY-I | CKY-R | IP | Port) (RFC 3947 §3.2). */
export function natHash(hash: IkeHash, { initiatorCookie, responderCookie }: Cookies, { address, port }: Endpoint): Uint8Array {
  return hashOf(hash, initiatorCookie, responderCookie, u32Bytes(address), new Uint8Array([port >>> 8, port & 0xff]));
}

/** Of messages 3 and 4: where this goes, then where it comes from. */
export function natDiscovery(sa: Phase1Sa): PayloadBody[] {
  return [sa.remote, sa.local].map((end) => ({ type: PayloadType.NatDiscovery, body: natHash(sa.hash, sa, end) }));
}

/** @param payloads of message 3 or 4, which both sides announced to carry NAT-D @throws WireError when there are fewer than two, or of another length */
export function findTranslation(sa: Phase1Sa, payloads: readonly Payload[]): Translation {
  const [destination, ...sources] = payloads.filter(({ type }) => type === PayloadType.NatDiscovery).slice(0, MaxDiscoveries);
  if (!destination || sources.length === 0) throw new WireError('RFC 3947 §3.2', 'fewer than two NAT-D payloads');
  const ours = natHash(sa.hash, sa, sa.local);
  const theirs = natHash(sa.hash, sa, sa.remote);
  if ([destination, ...sources].some(({ body }) => body.length !== ours.length)) {
    throw new WireError('RFC 3947 §3.2', 'a NAT-D payload of another length than the hash');
  }
  return { local: !equalBytes(destination.body, ours), remote: !sources.some(({ body }) => equalBytes(body, theirs)) };
}

export const keepaliveBytes = new Uint8Array([0xff]);

/** As it leaves: on port 4500 behind the marker (RFC 3948 §2.2), but for a keepalive. */
export function wrapNonEsp(datagram: Datagram): Datagram {
  if (datagram.local.port !== NatPort || equalBytes(datagram.bytes, keepaliveBytes)) return datagram;
  return { ...datagram, bytes: concatBytes(new Uint8Array(4), datagram.bytes) };
}

/** As it came. @returns the datagram without the marker, or the counter of what is no IKE message */
export function unwrapNonEsp(datagram: Datagram): Datagram | 'ike_nat_keepalives' | 'ike_esp_in_udp' | 'ike_malformed' {
  const { local, bytes } = datagram;
  if (local.port !== NatPort) return datagram;
  if (bytes.length === 1 && bytes[0] === 0xff) return 'ike_nat_keepalives';
  if (bytes.length < 4) return 'ike_malformed';
  return (bytes[0] | bytes[1] | bytes[2] | bytes[3]) === 0 ? { ...datagram, bytes: bytes.subarray(4) } : 'ike_esp_in_udp';
}
