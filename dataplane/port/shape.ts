// Typed reading of untrusted JSON: each function returns the value in its type or throws ShapeError that says where and what. By hand
// and not with zod, which would make this process 18 MB larger (measured, resident) for two messages.

import { Ace } from '../tables/layout.js';

export class ShapeError extends Error {
  override name = 'ShapeError';
}

export function refuse(text: string): never {
  throw new ShapeError(text);
}

/** An object of own properties; anything else in it is ignored. */
export function readRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(`${what}: not an object`);
  return Object.assign(Object.create(null), value) as Record<string, unknown>;
}

/** @param low, high inclusive */
export function readInteger(value: unknown, what: string, low: number, high: number): number {
  if (!Number.isInteger(value)) refuse(`${what}: not an integer`);
  const number = value as number;
  if (number < low || number > high) refuse(`${what}: ${number} is not in ${low}..${high}`);
  return number;
}

export function readText(value: unknown, what: string, maxLength: number): string {
  if (typeof value !== 'string') refuse(`${what}: not a text`);
  if (value.length > maxLength) refuse(`${what}: longer than ${maxLength}`);
  return value;
}

export function readFlag(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') refuse(`${what}: neither true nor false`);
  return value;
}

/** @param read gets each element and its name, e.g. `groups[3]` */
export function readList<T>(value: unknown, what: string, maxLength: number, read: (element: unknown, what: string) => T): T[] {
  if (!Array.isArray(value)) refuse(`${what}: not a list`);
  if (value.length > maxLength) refuse(`${what}: ${value.length} elements, at most ${maxLength}`);
  return value.map((element, index) => read(element, `${what}[${index}]`));
}

export function readNullable<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}

export function within(what: string, value: number, low: number, high: number): void {
  readInteger(value, what, low, high);
}

/** @param aces rows of Ace */
export function checkAclRange(what: string, first: number, count: number, aces: Int32Array): void {
  const total = aces.length / Ace.Words;
  within(`${what} first ace`, first, 0, total);
  within(`${what} aces`, count, 0, total - first);
}
