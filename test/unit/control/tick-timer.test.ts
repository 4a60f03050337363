import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { TickTimer } from '../../../control/tick-timer.js';
import { until } from '../../support/netns.js';

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

t.test('what happens more often than ticks puts none off: neither the longest wait nor what is due', async (t) => {
  const idle = make(Number.POSITIVE_INFINITY, 50);
  const overdue = make(0, 1e9);
  const ticks = () => [idle.state.ticks, overdue.state.ticks];
  const hurry = async () => {
    for (let i = 0; i < 50; i++) {
      idle.timer.schedule();
      overdue.timer.schedule();
      await turn(); // far oftener than a millisecond
    }
    return Math.min(...ticks()) >= 3;
  };
  const isSo = await until('three ticks of each', hurry, 10_000, 0).then(
    () => true,
    () => false,
  );
  t.ok(isSo, `ticks: ${ticks()}`);
});

t.test('a tick comes when it is asked for, and goes on by itself', async (t) => {
  const begin = performance.now();
  const { state, timer } = make(Date.now() + 60, 1e9);
  timer.schedule();
  await until('ticks', () => state.ticks > 0, 10_000, 1);
  t.ok(state.at - begin >= 50, `after ${state.at - begin} ms, not at once`);
  const regular = make(Number.POSITIVE_INFINITY, 10);
  regular.timer.schedule();
  await until('ticks', () => regular.state.ticks >= 3, 10_000, 1);
});

t.test('what has to be done sooner is done sooner; after close() nothing is', async (t) => {
  const { state, timer } = make(Number.POSITIVE_INFINITY, 1e9);
  timer.schedule();
  state.nextAt = Date.now() + 20;
  timer.schedule();
  await until('ticks', () => state.ticks > 0, 10_000, 1);
  const { ticks } = state;
  state.nextAt = Date.now() + 20;
  timer.schedule();
  timer.close();
  await sleep(60);
  t.equal(state.ticks, ticks);
});
