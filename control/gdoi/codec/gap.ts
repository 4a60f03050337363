// Group Associated Policy payload body, RFC 6407 §5.4: attributes only. In the key server's SA payload: activation and deactivation delay
// (RFC 5374 §4.2.1); in the member's message 3: how many sender IDs it wants.

import { type Attribute, readAttributes, writeAttributes } from '../../isakmp/attributes.js';
import { AttributeSet } from './attribute-set.js';

/** RFC 6407 §5.4; all TV. */
const enum GapAttribute {
  ActivationTimeDelay = 1,
  DeactivationTimeDelay = 2,
  SenderIdRequest = 3,
}

export interface Gap {
  /** Senders begin to use the new SAs after this. */
  activationDelaySeconds: number | null;
  /** Receivers drop the old SAs after this. */
  deactivationDelaySeconds: number | null;
  senderIdRequest: number | null;
  ignored: number[];
}

/** @throws WireError */
export function readGap(body: Uint8Array): Gap {
  const attributes = new AttributeSet(readAttributes(body), 'RFC 6407 §5.4', [1, 2, 3]);
  return {
    activationDelaySeconds: attributes.number(GapAttribute.ActivationTimeDelay),
    deactivationDelaySeconds: attributes.number(GapAttribute.DeactivationTimeDelay),
    senderIdRequest: attributes.number(GapAttribute.SenderIdRequest),
    ignored: attributes.ignored,
  };
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
  return writeAttributes(attributes);
}
