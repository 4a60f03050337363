// Searches for path MTUs without ICMP (RFC 8899 §5) over paths that are made here, by a clock of their own.
import fc from 'fast-check';
import t from 'tap';
import { CounterSet } from '../../../control/api/counters.js';
import { PathSearch, type SearchAction, Timing, volleySizes } from '../../../control/probe/path-search.js';
import { PathSearches, pathSearchCounters } from '../../../control/probe/path-searches.js';
import type { DataplaneEvent } from '../../../dataplane/tables/message.js';
import type { ToPathSearch } from '../../../dataplane/tables/probe.js';

interface Way {
  mtu: number;
  /** Which probe of those that fit is lost all the same, by its number. */
  isLost?: (number: number) => boolean;
}

/** A search, its path, and a clock. */
class Trial {
  now = 0;
  readonly used: number[] = [];
  readonly blackHoles: number[] = [];
  private nonces = 0;
  private probes = 0;
  readonly search: PathSearch;

  constructor(
    public way: Way,
    max = 1500,
  ) {
    this.search = new PathSearch(max, () => String(this.nonces++), 0);
    this.perform(this.search.begin(0));
  }

  perform(actions: readonly SearchAction[]): void {
    for (const action of actions) {
      if (action.kind === 'use') this.used.push(action.mtu);
      else if (action.kind === 'black-hole') this.blackHoles.push(action.mtu);
    }
    // An answer takes no time. Probes of a volley that has ended meanwhile are of nobody's interest.
    for (const action of actions) {
      if (action.kind !== 'probe' || action.size > this.way.mtu || this.way.isLost?.(this.probes++)) continue;
      const more = this.search.answered(action.nonce, this.now);
      if (more !== null) this.perform(more);
    }
  }

  /** @param isInUse packets pass all the time */
  run(ms: number, isInUse = true): void {
    const end = this.now + ms;
    while (this.search.deadline <= end) {
      this.now = Math.max(this.now, this.search.deadline);
      if (isInUse) this.search.used(this.now);
      this.perform(this.search.tick(this.now));
    }
    this.now = end;
  }
}

t.test('a path as wide as the interface is found at once', async (t) => {
  const { search, used } = new Trial({ mtu: 1500 });
  t.equal(search.state, 'search-complete');
  t.strictSame(used, [1500]);
});

t.test('a narrow one is found within ten seconds, to less than a block', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 160, max: 1500 }), (mtu) => {
      const trial = new Trial({ mtu });
      trial.run(18_000);
      const found = trial.search.mtu ?? 0;
      if (trial.search.state !== 'search-complete' || found > mtu || mtu - found >= 4) throw new Error(`${mtu}: ${found}`);
      if (mtu >= 1280 && trial.search.counts.sent > 80) throw new Error(`${mtu}: ${trial.search.counts.sent} probes`);
    }),
    { numRuns: 300 },
  );
  const trial = new Trial({ mtu: 1400 });
  trial.run(6000);
  t.equal(trial.search.state, 'search-complete', '1400: three volleys of what is usual, and three of what is between');
  t.strictSame(trial.used, [1400], 'nothing else is told on the way');
});

t.test('single losses do not make it smaller', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1200, max: 1500 }), fc.nat(5), (mtu, phase) => {
      const trial = new Trial({ mtu, isLost: (number) => number % 6 === phase });
      trial.run(30_000);
      const found = trial.search.mtu ?? 0;
      if (found > mtu || mtu - found >= 4) throw new Error(`${mtu}: ${found}`);
    }),
    { numRuns: 200 },
  );
  t.pass();
});

t.test('states: base, error, disabled', async (t) => {
  const small = new Trial({ mtu: 600 });
  t.equal(small.search.state, 'base');
  small.run(3000);
  t.equal(small.search.state, 'searching', '1200 does not pass, and 576 does');
  small.run(20_000);
  t.equal(small.search.state, 'search-complete');
  t.ok((small.search.mtu ?? 0) > 596 && (small.search.mtu ?? 0) <= 600);

  const tiny = new Trial({ mtu: 170 });
  tiny.run(3500);
  t.equal(tiny.search.state, 'error');

  const silent = new Trial({ mtu: 0 });
  silent.run(3000);
  t.equal(silent.search.state, 'disabled', 'who answers nothing is no member of ours, or is gone');
  t.strictSame(silent.used, [], 'and nothing follows from that');
  silent.way = { mtu: 1500 };
  silent.run(Timing.RetryMs);
  t.equal(silent.search.state, 'search-complete', 'asked again later');
});

t.test('a black hole, and a path that has become wider', async (t) => {
  const trial = new Trial({ mtu: 1500 });
  trial.way = { mtu: 1400 };
  trial.run(Timing.ConfirmMs + 3 * Timing.ProbeMs);
  t.strictSame(trial.blackHoles, [1500]);
  t.equal(trial.used.at(-1), 1200, 'at once, until more is known');
  trial.run(6000);
  t.equal(trial.used.at(-1), 1400);
  trial.way = { mtu: 1500 };
  trial.run(Timing.RaiseMs);
  t.equal(trial.search.mtu, 1500, 'after PMTU_RAISE_TIMER a larger one is tried');
});

t.test('one lost confirmation is no black hole', async (t) => {
  const trial = new Trial({ mtu: 1500 });
  let lost = 0;
  trial.way = { mtu: 1500, isLost: () => lost++ < 2 };
  trial.run(60_000);
  t.strictSame([trial.blackHoles, trial.search.mtu], [[], 1500]);
});

t.test('without traffic nothing is sent', async (t) => {
  const trial = new Trial({ mtu: 1400 });
  trial.run(10_000);
  const { sent } = trial.search.counts;
  trial.run(300_000, false);
  t.ok(trial.search.counts.sent - sent <= 3, `${trial.search.counts.sent - sent} probes`);
  trial.run(Timing.RaiseMs, false);
  t.ok(trial.search.isIdle(trial.now));
});

t.test('ICMP that was believed counts, and another MTU of the interface', async (t) => {
  const trial = new Trial({ mtu: 1500 });
  trial.search.tooBig(1300);
  trial.search.tooBig(1400);
  t.equal(trial.search.mtu, 1300);
  trial.perform(trial.search.limit(1280, trial.now));
  t.equal(trial.search.mtu, 1280);
  t.same(trial.search.limit(1280, trial.now), [], 'the same is nothing new');
});

t.test('answers that nobody waits for', async (t) => {
  const trial = new Trial({ mtu: 1500 });
  const { answered } = trial.search.counts;
  t.equal(trial.search.answered('0', 0), null, 'to a probe that has been answered');
  t.equal(trial.search.answered('beef', 0), null, 'made up');
  t.equal(trial.search.counts.answered, answered);
});

t.test('sizes of a volley', async (t) => {
  t.strictSame(volleySizes(1200, 1500, true), [1280, 1360, 1400, 1420, 1440, 1460, 1480, 1492, 1500]);
  t.strictSame(volleySizes(1400, 1420, false), [1404, 1408, 1412, 1416]);
  t.strictSame(volleySizes(1400, 1404, false), []);
});

t.test('many destinations: what is sent, counted, shown and refused', async (t) => {
  const counters = new CounterSet(pathSearchCounters);
  const sent: ToPathSearch[] = [];
  const logged: string[] = [];
  const config = { interfaces: new Map([['eth0', { searchPathMtu: true }]]) };
  const tables = { head: { groups: ['G'] } };
  let now = 0;
  const searches = new PathSearches({
    router: { config, interfaceOf: (port: number) => (port === 1 ? 'eth0' : 'eth1'), tables } as never,
    counters,
    log: { write: (_facility: string, _severity: number, mnemonic: string, text: string) => logged.push(`${mnemonic} ${text}`) } as never,
    send: (message) => sent.push(message),
    now: () => now,
  });
  t.teardown(() => searches.clear());
  const unknown = (destination: number, port = 1): DataplaneEvent => ({
    kind: 'path-unknown',
    destination,
    port,
    group: 0,
    peerPort: 0,
    mtu: 1500,
  });
  searches.receive(unknown(0x0a000201, 2));
  t.same(sent, [], 'an interface without the line');
  searches.receive(unknown(0x0a000201));
  searches.receive(unknown(0x0a000201));
  t.match(sent, [
    { type: 'mtu-probe', port: 1, group: 0, destination: 0x0a000201, peerPort: 0, size: 160 },
    { type: 'mtu-probe', size: 1200 },
  ]);
  t.equal(sent.length, 2, 'once');
  searches.receive({ kind: 'mtu-answer', from: 1, size: 1500, nonce: [1, 2] });
  for (let i = 0; i < 2; i++) {
    const probe = sent.at(-1);
    if (probe?.type === 'mtu-probe') searches.receive({ kind: 'mtu-answer', from: 1, size: 0, nonce: probe.nonce });
  }
  t.match(sent.at(-1), { type: 'mtu-found', destination: 0x0a000201, mtu: 1500 });
  t.match(searches.states(), [{ destination: '10.0.2.1', interface: 'eth0', state: 'search-complete', mtu: 1500, answered: 2 }]);
  const row = { destination: 0x0a000201, port: null, mtu: 1300, router: 0x0a000001, ageSeconds: 1, remainingSeconds: 600 };
  searches.observe([{ ...row, usedAgoSeconds: 0 }]);
  t.match(searches.states(), [{ mtu: 1300 }], 'what ICMP has told');
  tables.head.groups = ['F', 'G'];
  searches.receive(unknown(0x0a000202));
  t.match(sent.at(-1), { type: 'mtu-probe', group: 0, destination: 0x0a000202 });
  searches.receive({ ...unknown(0x0a000203), group: 1 } as DataplaneEvent);
  tables.head.groups = ['G'];
  now = 1500;
  searches.receive({ kind: 'interface', port: 1, up: true, mtu: 1400, mac: '' });
  t.match(sent.at(-1), { group: 0, destination: 0x0a000203 }, 'a group keeps its name when tables change');
  now = 0;
  for (let i = 0; i < 300; i++) searches.receive(unknown(0x0a010000 + i));
  t.equal(searches.states().length, 256);
  const counted = Object.fromEntries(counters.values().map(({ name, value }) => [name, value]));
  t.match(counted, { mtu_probes_answered: 2, mtu_probes_unmatched: 1, mtu_searches_refused: 47, mtu_black_holes: 0 });
  now = 700_000;
  searches.observe([]);
  t.equal(searches.states().length, 0, 'who gets nothing any more is forgotten');
  t.same(logged, []);
});
