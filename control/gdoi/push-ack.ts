// GROUPKEY-PUSH acknowledgement, RFC 8263: HDR, HASH, SEQ, ID, in clear, authenticated with a key derived from the KEK.
//
//   ack_key = prf(base_key, "GROUPKEY-PUSH ACK\0" | SPI | L)      HASH = prf(ack_key, SEQ | ID)
//
// The RFC contradicts itself on L ("number of bits in the ack_key", "512 bits for PRF-HMAC-SHA-256"): 256 is sent for SHA-256, which is
// what SP 800-108 means by it; both are accepted.

import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Ipv4 } from '../config/model.js';
import { concatBytes, readU32 } from '../isakmp/bytes.js';
import { Exchange, HeaderLength, type IsakmpHeader, PayloadType } from '../isakmp/header.js';
import { IdType, ipv4Identification, readIdentification, writeIdentification } from '../isakmp/identification.js';
import { sameHash } from '../isakmp/message-cipher.js';
import { buildMessage, readPayloads, writePayloads } from '../isakmp/payloads.js';
import { WireError } from '../isakmp/wire-error.js';
import { readSequence, writeSequence } from './codec/sequence.js';
import type { Kek } from './group-policy.js';

type AckKek = Pick<Kek, 'spi' | 'key' | 'acknowledgeHash'>;

const Label = new TextEncoder().encode('GROUPKEY-PUSH ACK\0');
const Rejected = 'gdoi_acks_rejected';

function prf(hash: AckHash, key: KeyObject, ...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHmac(hash, key)
      .update(concatBytes(...parts))
      .digest(),
  );
}

type AckHash = 'sha256' | 'sha512';
type Bits = 256 | 512;

/** The ack_keys of one KEK, derived once: a key server verifies with them as often as it has members. */
class AckKeys {
  private readonly keys = new Map<Bits, KeyObject>();

  constructor(
    readonly base: Uint8Array,
    readonly hash: AckHash,
  ) {}

  /** @param bits the L of the derivation */
  of(bits: Bits, spi: Uint8Array): KeyObject {
    const known = this.keys.get(bits);
    if (known) return known;
    const key = createSecretKey(prf(this.hash, createSecretKey(this.base), Label, spi, Uint8Array.of(bits >>> 8, bits)));
    this.keys.set(bits, key);
    return key;
  }
}

/** By the SPI's bytes, which live as long as their KEK. */
const derived = new WeakMap<Uint8Array, AckKeys>();

function ackHash(kek: AckKek, bits: Bits, chain: Uint8Array): Uint8Array {
  const hash = kek.acknowledgeHash ?? 'sha256';
  let keys = derived.get(kek.spi);
  if (keys?.base !== kek.key || keys.hash !== hash) {
    keys = new AckKeys(kek.key, hash);
    derived.set(kek.spi, keys);
  }
  return prf(hash, keys.of(bits, kek.spi), chain);
}

/** @param kek that decrypted the push @param member our address, as used in the PULL @returns one UDP payload */
export function buildAck(kek: AckKek, sequence: number, member: Ipv4): Uint8Array {
  const rest = [
    { type: PayloadType.Sequence, body: writeSequence(sequence) },
    { type: PayloadType.Identification, body: writeIdentification(ipv4Identification(member, 0, 0)) },
  ];
  const hash = ackHash(kek, kek.acknowledgeHash === 'sha512' ? 512 : 256, writePayloads(rest));
  const header = {
    initiatorCookie: kek.spi.slice(0, 8),
    responderCookie: kek.spi.slice(8),
    exchange: Exchange.GroupkeyPushAck,
    flags: 0,
    messageId: 0,
  };
  return buildMessage(header, [{ type: PayloadType.Hash, body: hash }, ...rest]);
}

/**
 * @param message cut to its header's length
 * @returns what the member says it received @throws WireError with counter gdoi_acks_rejected
 */
export function openAck(kek: AckKek, message: Uint8Array, header: IsakmpHeader): { sequence: number; member: Ipv4 } {
  try {
    if (header.flags !== 0 || header.messageId !== 0) throw new WireError('RFC 8263 §3.1', 'flags or message ID are not 0');
    const payloads = readPayloads(header.nextPayload, message.subarray(HeaderLength));
    const types = payloads.map(({ type }) => type);
    if (types.length !== 3 || types[0] !== PayloadType.Hash || types[1] !== PayloadType.Sequence || types[2] !== PayloadType.Identification)
      throw new WireError('RFC 8263 §3', 'payloads are not HASH, SEQ, ID');
    const [hash, sequence, id] = payloads;
    const chain = concatBytes(sequence.whole, id.whole);
    if (!([256, 512] as const).some((bits) => sameHash(hash.body, ackHash(kek, bits, chain))))
      throw new WireError('RFC 8263 §3.2', 'HASH is wrong');
    const { type, data } = readIdentification(id.body);
    if (type !== IdType.Ipv4Address) throw new WireError('RFC 8263 §3.4', `identity of type ${type}`);
    return { sequence: readSequence(sequence.body), member: readU32(data, 0) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new WireError(error.clause, error.message, Rejected);
  }
}
