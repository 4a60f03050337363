// Results of runs that never happened, for the tests of the report.

import type { Results, Round } from '../../../bench/results.js';

export function tcp(gbps: number): Round['tcp1'] {
  return { gbps, retransmits: 0, gatewaysCpu: 100, machineCpu: 200 };
}

export function round(peer: string, seg: number, number: number, measures: Partial<Round> = {}): Round {
  return { peer, seg, round: number, ...measures };
}

export function results(rounds: Round[]): Results {
  return {
    started: '2026-07-30T12:00:00.000Z',
    finished: '2026-07-30T12:30:00.000Z',
    environment: { kernel: '6.18', cpu: '2 x <Some & "CPU">' },
    knobs: { rounds: '3', seconds: '6' },
    rounds,
  };
}
