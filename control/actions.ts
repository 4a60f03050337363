// What the control engines (isakmp, gdoi) return instead of doing it. Engines are sans-I/O: `receive(datagram, now)` and
// `tick(now)` return actions; control/main.ts carries them out. Clock and randomness are injected, so that a key server
// and a thousand members run in one test with any message dropped, doubled, delayed or reordered.

import type { Ipv4 } from './config/model.js';

/** Milliseconds of the wall clock (Unix time), injected. */
export type Ms = number;

export interface Endpoint {
  address: Ipv4;
  port: number;
}

/** One UDP datagram with both ends. */
export interface Datagram {
  local: Endpoint;
  remote: Endpoint;
  bytes: Uint8Array;
}

/** Randomness, injected. Production: node:crypto randomBytes. */
export type RandomBytes = (length: number) => Uint8Array;

/** Syslog severity as IOS counts: 0 emergencies .. 7 debugging. */
export type Severity = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

export type Action =
  | { kind: 'send'; datagram: Datagram }
  /** Printed as `%FACILITY-SEVERITY-MNEMONIC: text`. Never holds key material. */
  | { kind: 'log'; facility: string; severity: Severity; mnemonic: string; text: string }
  /** Add one to a control counter (control/api/counters.ts declares them). */
  | { kind: 'count'; counter: string /** Why, in words; `debug` prints it. Never key material. */; reason?: string }
  /** IKE keys for --key-log; carried out only when the operator asked for it. */
  | { kind: 'key-log'; initiatorCookie: Uint8Array; encryptionKey: Uint8Array }
  /** What changed in a large state, to be appended to the saved one: on disk before what follows leaves, as if all of it had been saved. */
  | { kind: 'journal'; entry: Uint8Array }
  /** Pairs of SAs between two gateways came, went or changed over: recompile the tables. */
  | { kind: 'sas-changed' }
  /** The group's keys or policy changed: recompile the tables, save the state. */
  | { kind: 'policy-changed'; group: string };
