// The Internet checksum (RFC 1071), for datagrams that control makes and reads itself.

/** @param start what was added up before @returns the sum without its complement, so that a message with a right checksum gives 0xffff */
export function sum16(bytes: Uint8Array, from = 0, to = bytes.length, start = 0): number {
  let sum = start;
  for (let at = from; at < to; at += 2) sum += (bytes[at] << 8) | (at + 1 < to ? bytes[at + 1] : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
