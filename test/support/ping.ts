// ping(8) in a way that a busy machine does not make answers late that count as lost.

/**
 * Options for so many echo requests, all sent at once. Once one is answered, ping(8) waits for the others for twice the longest round trip seen
 * or its interval, whichever is longer, and not for -W: with a short interval an answer that is late by 50 ms counts as lost.
 * @param seconds how long an answer may take
 */
export function pings(count: number, seconds = 5): string[] {
  return ['-n', '-c', String(count), '-l', String(count), '-i', String(seconds), '-W', String(seconds)];
}

/** More requests than are asked for go out for so long, so that an answer to the last of them may be late. */
const LateSeconds = 2;

/**
 * Options for `count` echo requests in steady time, and some more. Needs ping's lines about each answer: no -q.
 * @param interval between two, seconds
 */
export function steadyPings(count: number, interval: number): string[] {
  return ['-n', '-c', String(count + Math.ceil(LateSeconds / interval)), '-i', String(interval)];
}

/** @param output of ping(8) with steadyPings @returns which of the first `count` requests were not answered, from 1 on */
export function unanswered(output: string, count: number): number[] {
  const answered = new Set([...output.matchAll(/ icmp_seq=(\d+) ttl=/g)].map(([, sequence]) => Number(sequence)));
  return Array.from({ length: count }, (_, i) => i + 1).filter((sequence) => !answered.has(sequence));
}
