// IPv4 addresses as unsigned numbers and as iproute2 writes them.

/** @param text dotted quad, as iproute2 prints it @returns unsigned 32-bit number. Throws Error when it is none. */
export function parseAddress(text: string): number {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const bytes = match ? match.slice(1).map(Number) : [];
  if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) throw new Error(`not an IPv4 address: ${text}`);
  return ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
}

/** @param address signed or unsigned */
export function formatAddress(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** @param prefixLength 0..32 @returns unsigned */
export function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (-1 << (32 - prefixLength)) >>> 0;
}

export interface Prefix {
  /** Unsigned, host bits zero. */
  address: number;
  prefixLength: number;
}

/** `default`, `10.0.0.0/8` or `10.0.0.1`. Throws Error. */
export function parsePrefix(text: string): Prefix {
  if (text === 'default' || text === 'all') return { address: 0, prefixLength: 0 };
  const slash = text.indexOf('/');
  const prefixLength = slash < 0 ? 32 : Number(text.slice(slash + 1));
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 32) throw new Error(`not a prefix: ${text}`);
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  return { address: (address & maskOf(prefixLength)) >>> 0, prefixLength };
}

/** The form that iproute2 prints: `default`, or without `/32`. */
export function formatPrefix({ address, prefixLength }: Prefix): string {
  if (prefixLength === 0) return 'default';
  const text = formatAddress((address & maskOf(prefixLength)) >>> 0);
  return prefixLength === 32 ? text : `${text}/${prefixLength}`;
}

export function covers(prefix: Prefix, address: number): boolean {
  return (address & maskOf(prefix.prefixLength)) >>> 0 === prefix.address;
}
