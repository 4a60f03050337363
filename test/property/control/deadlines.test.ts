// The heap of deadlines against a list that is searched.

import fc from 'fast-check';
import t from 'tap';
import { Deadlines } from '../../../control/deadlines.js';

const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), item: fc.nat(20), at: fc.nat(50) }),
  fc.record({ kind: fc.constant('delete' as const), item: fc.nat(20) }),
  fc.record({ kind: fc.constant('take' as const), now: fc.nat(60) }),
);

t.test('as a list that keeps the earliest time of each item', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Deadlines<number>();
      let list: { item: number; at: number }[] = []; // equal times in order of setting
      for (const each of steps) {
        if (each.kind === 'set') {
          heap.set(each.item, each.at);
          const known = list.find(({ item }) => item === each.item);
          if (!known || each.at < known.at) list = [...list.filter(({ item }) => item !== each.item), { item: each.item, at: each.at }];
        } else if (each.kind === 'delete') {
          heap.delete(each.item);
          list = list.filter(({ item }) => item !== each.item);
        } else {
          const first = list.reduce<(typeof list)[number] | null>((best, entry) => (best && best.at <= entry.at ? best : entry), null);
          const due = first && first.at <= each.now ? first.item : null;
          if (heap.take(each.now) !== due) throw new Error(`took another than ${due}`);
          list = list.filter(({ item }) => item !== due);
        }
        const next = list.length > 0 ? Math.min(...list.map(({ at }) => at)) : null;
        if (heap.next() !== next || heap.size !== list.length) throw new Error(`next is not ${next}`);
      }
    }),
  );
});
