// Argument checks of the twin: the same errors that args.c throws for the same mistakes.

/** A whole number in low..high. */
export function requireInt(value: number, name: string, low: number, high: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name}: a number is needed`);
  if (!Number.isInteger(value) || value < low || value > high)
    throw new RangeError(`${name}: ${value} is not a whole number in ${low}..${high}`);
}

export function requireBytes(value: Uint8Array, name: string): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name}: a Uint8Array is needed`);
}

/** @param atLeast words */
export function requireWords(value: Int32Array, name: string, atLeast: number): void {
  if (!(value instanceof Int32Array)) throw new TypeError(`${name}: an Int32Array is needed`);
  if (value.length < atLeast) throw new RangeError(`${name}: ${value.length} words, ${atLeast} are needed`);
}

/** The bytes offset..offset+bytes-1 lie in the pool. @param what for the message, e.g. `rx: offsets[3]` */
export function requireInside(pool: Uint8Array, offset: number, bytes: number, what: string): void {
  if (offset < 0 || bytes < 0 || offset + bytes > pool.length)
    throw new RangeError(`${what} = ${offset} with ${bytes} bytes is outside the pool of ${pool.length}`);
}
