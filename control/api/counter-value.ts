/** One of the counters that name themselves. @returns 0 for one that is not there */
export function counterValue(counters: readonly { name: string; value: number }[], name: string): number {
  return counters.find((counter) => counter.name === name)?.value ?? 0;
}
