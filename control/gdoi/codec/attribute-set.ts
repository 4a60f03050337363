// Attributes of one GDOI payload, looked up by type. RFC 6407 §5.3.2: abort on what is not understood; but attributes from the private
// ranges are other vendors' business: they are kept aside, so that the caller can log that they were ignored.

import { type Attribute, bytesOf, numberOf } from '../../isakmp/attributes.js';
import { WireError } from '../../isakmp/wire-error.js';

export const GdoiMalformed = 'gdoi_malformed';

/** A reject of this codec. */
export function gdoiError(clause: string, message: string): WireError {
  return new WireError(clause, message, GdoiMalformed);
}

/** RFC 6407 §5.3 and §5.4: 128-255 private use; RFC 2407 attributes: 32001-32767 (IANA, IPsec SA attributes). */
export function isPrivateAttribute(type: number): boolean {
  return (type >= 128 && type <= 255) || (type >= 32001 && type <= 32767);
}

export class AttributeSet {
  private readonly known = new Map<number, Attribute[]>();
  /** Types from the private ranges that nobody here knows. */
  readonly ignored: number[] = [];

  /**
   * @param known types that are understood @param repeatable those that may come more than once
   * @throws WireError on an unknown type outside the private ranges, or a repeated one
   */
  constructor(list: readonly Attribute[], clause: string, known: readonly number[], repeatable: readonly number[] = []) {
    for (const attribute of list) {
      const { type } = attribute;
      if (!known.includes(type)) {
        if (!isPrivateAttribute(type)) throw gdoiError(clause, `attribute ${type} is not understood`);
        if (!this.ignored.includes(type)) this.ignored.push(type);
        continue;
      }
      const same = this.known.get(type);
      if (!same) this.known.set(type, [attribute]);
      else if (repeatable.includes(type)) same.push(attribute);
      else throw gdoiError(clause, `attribute ${type} twice`);
    }
  }

  /** @returns null when it is absent @throws WireError when it is no number of at most 32 bits */
  number(type: number): number | null {
    const found = this.known.get(type);
    return found ? numberOf(found[0]) : null;
  }

  /** @returns null when it is absent @throws WireError when it is no byte string */
  bytes(type: number): Uint8Array | null {
    const found = this.known.get(type);
    return found ? bytesOf(found[0]) : null;
  }

  all(type: number): readonly Attribute[] {
    return this.known.get(type) ?? [];
  }
}
