// What the phases of a trace share: where names and lines come from, and the shape of what is said.

import type { TracedPacket, TraceStep } from '../../dataplane/tables/trace.js';
import type { ConfigLine, TracePhase } from '../api/packet-trace.js';
import type { Tables } from '../compile/tables.js';
import { aceLines, type LineSources } from './config-lines.js';

export interface PhaseSources extends LineSources {
  tables: Pick<Tables, 'aceOrigins' | 'natOrigins' | 'policyOrigins'>;
  /** Name of a port's interface. */
  nameOf(port: number): string | null;
  /** Bytes; null = not known. */
  mtuOf(port: number): number | null;
  isUp(port: number): boolean;
}

export type Said = Pick<TracePhase, 'type' | 'subtype' | 'config' | 'information'>;
/** Of the whole trace, beside the step. */
export interface Course {
  input: number;
  /** Addresses and ports as they arrived, when they are others now. */
  original: TracedPacket | null;
}

/** Lines of the lists' entries that matched, each once. */
export function aceConfig(step: TraceStep, sources: PhaseSources): ConfigLine[] {
  const lines = step.aces.flatMap((row) => (sources.tables.aceOrigins[row] ? aceLines(sources.tables.aceOrigins[row], sources) : []));
  return lines.filter(({ text }, at) => lines.findIndex((other) => other.text === text) === at);
}

export function spiText({ spi }: TraceStep): string {
  return `0x${spi.toString(16).toUpperCase()}`;
}
