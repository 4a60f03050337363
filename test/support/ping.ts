// ping(8) in a way that a busy machine does not make answers late that count as lost.

/**
 * Options for so many echo requests, all sent at once. Once one is answered, ping(8) waits for the others for twice the longest round trip seen
 * or its interval, whichever is longer, and not for -W: with a short interval an answer that is late by 50 ms counts as lost.
 * @param seconds how long an answer may take
 */
export function pings(count: number, seconds = 5): string[] {
  return ['-n', '-c', String(count), '-l', String(count), '-i', String(seconds), '-W', String(seconds)];
}
