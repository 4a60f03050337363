// Group Associated Policy payload body, RFC 6407 §5.4: attributes only. In the key server's SA payload: activation and deactivation delay
// (RFC 5374 §4.2.1), and of ours the pseudotime of time-based anti-replay (128, from the private range: 8 bytes, ms since the group began); in the member's message 3: how many sender IDs it wants.

import { type Attribute, readAttributes, writeAttributes } from '../../isakmp/attributes.js';
import { concatBytes, readU32, u32Bytes } from '../../isakmp/bytes.js';
import { AttributeSet, gdoiError } from './attribute-set.js';

/** RFC 6407 §5.4; all TV, ours apart. */
const enum GapAttribute {
  ActivationTimeDelay = 1,
  DeactivationTimeDelay = 2,
  SenderIdRequest = 3,
  Pseudotime = 128,
}

/** Sums of a pseudotime and a clock stay exact. */
const MaxHigh = 2 ** 20 - 1;

export interface Gap {
  /** Senders begin to use the new SAs after this. */
  activationDelaySeconds: number | null;
  /** Receivers drop the old SAs after this. */
  deactivationDelaySeconds: number | null;
  senderIdRequest: number | null;
  /** When the message was made. */
  pseudotimeMs: number | null;
  ignored: number[];
}

/** @throws WireError */
export function readGap(body: Uint8Array): Gap {
  const attributes = new AttributeSet(readAttributes(body), 'RFC 6407 §5.4', [1, 2, 3, GapAttribute.Pseudotime]);
  const pseudotime = attributes.bytes(GapAttribute.Pseudotime);
  return {
    activationDelaySeconds: attributes.number(GapAttribute.ActivationTimeDelay),
    deactivationDelaySeconds: attributes.number(GapAttribute.DeactivationTimeDelay),
    senderIdRequest: attributes.number(GapAttribute.SenderIdRequest),
    pseudotimeMs: pseudotime && readPseudotime(pseudotime),
    ignored: attributes.ignored,
  };
}

function readPseudotime(bytes: Uint8Array): number {
  if (bytes.length !== 8) throw gdoiError('RFC 6407 §5.4', `pseudotime of ${bytes.length} bytes`);
  const high = readU32(bytes, 0);
  if (high > MaxHigh) throw gdoiError('RFC 6407 §5.4', 'pseudotime beyond 2^52 ms');
  return high * 2 ** 32 + readU32(bytes, 4);
}

/** @returns the payload body */
export function writeGap(gap: Gap): Uint8Array {
  const attributes: Attribute[] = [];
  const add = (type: GapAttribute, value: number | null): void => {
    if (value !== null) attributes.push({ type, value });
  };
  add(GapAttribute.ActivationTimeDelay, gap.activationDelaySeconds);
  add(GapAttribute.DeactivationTimeDelay, gap.deactivationDelaySeconds);
  add(GapAttribute.SenderIdRequest, gap.senderIdRequest);
  const { pseudotimeMs: time } = gap;
  if (time !== null)
    attributes.push({ type: GapAttribute.Pseudotime, value: concatBytes(u32Bytes(Math.floor(time / 2 ** 32)), u32Bytes(time >>> 0)) });
  return writeAttributes(attributes);
}
