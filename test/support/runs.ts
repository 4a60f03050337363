// How much of random testing a run does: what finds faults in a run of everything, and `RUNS=10 scripts/test superpacket path/iv-uniqueness packet-tracer/random` for more of it.

/** @returns `usual` times RUNS */
export function runs(usual: number): number {
  return usual * Number(process.env.RUNS ?? 1);
}
