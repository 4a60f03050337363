// Bound calls (BoundCalls of native.ts) of any implementation: the addon's own, or plain calls with the same words. Parameters as there.

import { type BoundCall, type BoundCalls, BoundWord, type Native } from './native.js';

/** What is bound of an implementation. */
export type Bindable = Pick<Native, 'rx' | 'tx' | 'seal' | 'open' | 'poll' | 'monotonicMs' | 'bound'>;

export function bindRx(native: Bindable, ...[pool, offsets, lengths, words]: Parameters<BoundCalls['rx']>): BoundCall {
  if (native.bound !== undefined) return native.bound.rx(pool, offsets, lengths, words);
  return () => {
    words[BoundWord.Result] = native.rx(words[BoundWord.Fd], pool, offsets, lengths, words[BoundWord.Count], words[BoundWord.Limit]);
  };
}

export function bindTx(native: Bindable, ...[pool, offsets, lengths, results, words]: Parameters<BoundCalls['tx']>): BoundCall {
  if (native.bound !== undefined) return native.bound.tx(pool, offsets, lengths, results, words);
  return () => {
    words[BoundWord.Result] = native.tx(words[BoundWord.Fd], pool, offsets, lengths, words[BoundWord.Count], results);
  };
}

export function bindSeal(native: Bindable, ...[pool, jobs, words]: Parameters<BoundCalls['seal']>): BoundCall {
  if (native.bound !== undefined) return native.bound.seal(pool, jobs, words);
  return () => native.seal(pool, jobs, words[BoundWord.Count]);
}

export function bindOpen(native: Bindable, ...[pool, jobs, words]: Parameters<BoundCalls['open']>): BoundCall {
  if (native.bound !== undefined) return native.bound.open(pool, jobs, words);
  return () => native.open(pool, jobs, words[BoundWord.Count]);
}

export function bindPoll(native: Bindable, ...[fds, ready, now, words]: Parameters<BoundCalls['poll']>): BoundCall {
  if (native.bound !== undefined) return native.bound.poll(fds, ready, now, words);
  const time = new Float64Array(now.buffer, now.byteOffset, 1);
  return () => {
    words[BoundWord.Result] = native.poll(fds, words[BoundWord.Count], words[BoundWord.Limit], ready);
    time[0] = native.monotonicMs();
  };
}
