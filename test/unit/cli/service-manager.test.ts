import t from 'tap';
import { ServiceManager } from '../../../cli/service-manager.js';
import { describeMissing } from '../../../control/liveness.js';
import { beatInterval } from '../../../dataplane/port/liveness.js';

function listen(environment: Record<string, string>): { manager: ServiceManager; said: string[][] } {
  const said: string[][] = [];
  return { manager: new ServiceManager(environment, (assignments) => said.push(assignments)), said };
}

t.test('says nothing where nobody asks', (t) => {
  const { manager, said } = listen({});
  manager.ready();
  manager.alive(0);
  manager.status('ready');
  manager.reloading();
  manager.reloaded();
  manager.stopping();
  t.strictSame(said, []);
  t.end();
});

t.test('signs of life come three times within the patience of the watchdog', (t) => {
  const { manager, said } = listen({ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '90000000' });
  for (let ms = 0; ms <= 90_000; ms += 1000) manager.alive(ms);
  t.strictSame(said, [['WATCHDOG=1'], ['WATCHDOG=1'], ['WATCHDOG=1'], ['WATCHDOG=1']], 'at 0, 30, 60 and 90 s');
  const without = listen({ NOTIFY_SOCKET: '/n' });
  without.manager.alive(0);
  t.strictSame(without.said, [], 'no watchdog, no signs of life');
  t.equal(beatInterval('60000000'), 20);
  t.equal(beatInterval('1000000'), 1);
  t.equal(beatInterval(undefined), 0);
  t.end();
});

t.test('status is told when it changes, in one line; a reload ends once', (t) => {
  const { manager, said } = listen({ NOTIFY_SOCKET: '/n' });
  manager.status('waiting: a\nb');
  manager.status('waiting: a\nb');
  t.strictSame(said.splice(0), [['STATUS=waiting: a b']]);
  manager.reloaded();
  t.strictSame(said, [], 'none was begun');
  manager.reloading();
  manager.reloaded();
  manager.reloaded();
  t.match(said, [
    ['RELOADING=1', /^MONOTONIC_USEC=\d+$/],
    ['READY=1', 'STATUS=waiting: a b'],
  ]);
  t.equal(said.length, 2);
  t.end();
});

t.test('what is missing in one line', (t) => {
  t.equal(describeMissing([]), 'ready');
  t.equal(describeMissing(['group G is not registered']), 'waiting: group G is not registered');
  t.equal(describeMissing(['a', 'b', 'c']), 'waiting: a (and 2 more)');
  t.end();
});
