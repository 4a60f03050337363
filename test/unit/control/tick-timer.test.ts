import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { TickTimer } from '../../../control/tick-timer.js';

/** A timer that counts its ticks. `nextAt` can be changed. */
function make(nextAt: number, longestMs: number) {
  const state = { nextAt, ticks: 0, at: performance.now() };
  const timer = new TickTimer(
    () => {
      state.ticks++;
      state.at = performance.now();
    },
    () => state.nextAt,
    longestMs,
  );
  t.teardown(() => timer.close());
  return { state, timer };
}

/** Until `isSo`, or ten seconds have passed. */
async function within(isSo: () => boolean, wait: () => Promise<unknown>): Promise<boolean> {
  const end = performance.now() + 10_000;
  while (!isSo() && performance.now() < end) await wait();
  return isSo();
}

t.test('what happens more often than ticks puts none off: neither the longest wait nor what is due', async (t) => {
  const idle = make(Number.POSITIVE_INFINITY, 50);
  const overdue = make(0, 1e9);
  const isSo = await within(
    () => idle.state.ticks >= 3 && overdue.state.ticks >= 3,
    () => {
      idle.timer.schedule();
      overdue.timer.schedule();
      return turn(); // far oftener than a millisecond
    },
  );
  t.ok(isSo, `ticks: ${idle.state.ticks}, ${overdue.state.ticks}`);
});

t.test('a tick comes when it is asked for, and goes on by itself', async (t) => {
  const begin = performance.now();
  const { state, timer } = make(Date.now() + 60, 1e9);
  timer.schedule();
  t.ok(
    await within(
      () => state.ticks > 0,
      () => sleep(1),
    ),
  );
  t.ok(state.at - begin >= 50, `after ${state.at - begin} ms, not at once`);
  const regular = make(Number.POSITIVE_INFINITY, 10);
  regular.timer.schedule();
  t.ok(
    await within(
      () => regular.state.ticks >= 3,
      () => sleep(1),
    ),
  );
});

t.test('what has to be done sooner is done sooner; after close() nothing is', async (t) => {
  const { state, timer } = make(Number.POSITIVE_INFINITY, 1e9);
  timer.schedule();
  state.nextAt = Date.now() + 20;
  timer.schedule();
  t.ok(
    await within(
      () => state.ticks > 0,
      () => sleep(1),
    ),
  );
  const { ticks } = state;
  state.nextAt = Date.now() + 20;
  timer.schedule();
  timer.close();
  await sleep(60);
  t.equal(state.ticks, ticks);
});
