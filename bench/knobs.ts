// What a run of the side-by-side benchmark is told, by environment variables. A word that is not understood ends the run before it starts.

import { peerNames, plainPeerNames } from './peers/names.js';

/** What is measured on one peer, in this order. */
export const measureNames = ['tcp1', 'tcp4', 'flood', 'lossless', 'rtt'] as const;
export type MeasureName = (typeof measureNames)[number];

export interface Knobs {
  /** Rounds; in one round every peer runs once for every SEG. */
  rounds: number;
  /** Seconds of one TCP measurement. */
  seconds: number;
  /** 0: hosts send superpackets over veth. 1: MTU-sized packets, offloads off on every veth. */
  segs: number[];
  peers: string[];
  measures: MeasureName[];
  /** Steps of the search for the highest rate without loss. */
  losslessSteps: number;
  /** Ends the names of the result files, e.g. `transforms`; empty = nothing. */
  label: string;
}

type Environment = Record<string, string | undefined>;

function whole(environment: Environment, name: string, fallback: number, least: number, most: number): number {
  const text = environment[name] ?? '';
  if (text === '') return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Error(`${name}=${text}: a whole number from ${least} to ${most} is expected`);
  return value;
}

function words<T extends string>(environment: Environment, name: string, fallback: readonly T[], known: readonly T[]): T[] {
  const given = (environment[name] ?? '').split(/[\s,]+/).filter((word) => word !== '');
  if (given.length === 0) return [...fallback];
  for (const word of given) {
    if (!(known as readonly string[]).includes(word)) throw new Error(`${name}: no such word '${word}' (known: ${known.join(' ')})`);
  }
  return [...new Set(given)] as T[];
}

/** @throws Error that names the variable, its value and what would be accepted */
export function readKnobs(environment: Environment): Knobs {
  const label = environment.LABEL ?? '';
  if (!/^[a-z0-9-]*$/.test(label)) throw new Error(`LABEL=${label}: lower-case letters, digits and - are expected`);
  return {
    rounds: whole(environment, 'ROUNDS', 3, 1, 100),
    seconds: whole(environment, 'T', 6, 1, 3600),
    segs: words(environment, 'SEGS', ['0', '1'], ['0', '1']).map(Number),
    peers: words(environment, 'PEERS', plainPeerNames, peerNames),
    measures: words(environment, 'MEASURES', measureNames, measureNames),
    losslessSteps: whole(environment, 'STEPS', 6, 1, 12),
    label,
  };
}
