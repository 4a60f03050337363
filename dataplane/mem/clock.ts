// The time of a pass, for everything below it: read once, and kept in words, because a number that does not fit a small integer is boxed whenever it is
// handed on to a function that is not inlined.

/** Places of a clock. */
export const enum Clock {
  /** Monotonic, read once per pass. */
  Ms = 0,
  /** Unix seconds, low 32 bits signed, from the main thread. */
  Seconds = 1,
  /** As Ms, whole microseconds. */
  Us = 2,
  /** As Ms, whole seconds. */
  UptimeSeconds = 3,
  Count = 4,
}

/** At the beginning of a pass. @param ms monotonic */
export function setClock(clock: Float64Array, ms: number): void {
  clock[Clock.Ms] = ms;
  clock[Clock.Us] = Math.floor(ms * 1000);
  clock[Clock.UptimeSeconds] = Math.floor(ms / 1000);
}
