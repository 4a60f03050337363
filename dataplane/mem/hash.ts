// Hashes of keys of four words and of datagrams, and two small open-addressing tables that are rebuilt when tables change and only read on the packet path:
// local addresses (a set) and SPIs (a map to the SA slot). Key 0 marks a free place: neither may be 0.

import { Cap, Sa, SaFlag } from '../tables/layout.js';
import { MaxLocalAddresses } from './shared.js';

export const enum HashShape {
  /** Four times what a bank can hold, so a miss is found after a place or two. */
  LocalPlaces = 256,
  SpiPlaces = 1024,
}

/** Mixes a key well enough for a table. @param aFactor, @param bFactor odd; secret where nobody is to choose keys that meet */
export function mix(a: number, b: number, c: number, d: number, aFactor: number, bFactor: number): number {
  let hash = Math.imul(a, aFactor) ^ Math.imul(b, bFactor);
  hash = Math.imul(hash ^ (hash >>> 15) ^ c, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13) ^ d, 0x27d4eb2f);
  return hash ^ (hash >>> 16);
}

/** Of what tells a datagram whose fragments are looked for: addresses, and identification << 8 | protocol. */
export function hashOfDatagram(src: number, dst: number, name: number): number {
  return Math.imul(src ^ Math.imul(dst, 0x85ebca6b) ^ Math.imul(name, 0xc2b2ae35), 0x9e3779b1);
}

function spread(key: number): number {
  const hash = Math.imul(key, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

/** @param places LocalPlaces words */
export function fillLocalSet(places: Int32Array, addresses: Int32Array, count: number): void {
  places.fill(0);
  for (let i = 0; i < Math.min(count, MaxLocalAddresses); i++) {
    const address = addresses[i];
    if (address === 0) continue;
    let place = spread(address) & (HashShape.LocalPlaces - 1);
    while (places[place] !== 0) place = (place + 1) & (HashShape.LocalPlaces - 1);
    places[place] = address;
  }
}

export function isLocal(places: Int32Array, address: number): boolean {
  if (address === 0) return false;
  let place = spread(address) & (HashShape.LocalPlaces - 1);
  for (;;) {
    const key = places[place];
    if (key === address) return true;
    if (key === 0) return false;
    place = (place + 1) & (HashShape.LocalPlaces - 1);
  }
}

/** Inbound SAs by SPI. @param places SpiPlaces pairs (SPI, slot) @param sas rows */
export function fillSpiMap(places: Int32Array, sas: Int32Array): void {
  places.fill(0);
  for (let slot = 0; slot < Cap.Sas; slot++) {
    const row = slot * Sa.Words;
    const spi = sas[row + Sa.Spi];
    if (sas[row + Sa.Serial] === 0 || spi === 0 || (sas[row + Sa.Flags] & SaFlag.Inbound) === 0) continue;
    let place = spread(spi) & (HashShape.SpiPlaces - 1);
    while (places[place * 2] !== 0 && places[place * 2] !== spi) place = (place + 1) & (HashShape.SpiPlaces - 1);
    places[place * 2] = spi;
    places[place * 2 + 1] = slot;
  }
}

/** @returns SA slot or -1 */
export function findSpi(places: Int32Array, spi: number): number {
  if (spi === 0) return -1;
  let place = spread(spi) & (HashShape.SpiPlaces - 1);
  for (;;) {
    const key = places[place * 2];
    if (key === spi) return places[place * 2 + 1];
    if (key === 0) return -1;
    place = (place + 1) & (HashShape.SpiPlaces - 1);
  }
}
