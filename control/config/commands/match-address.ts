// `match address LIST`, and `no match address`, as crypto maps and their fail-close have it.

import { word } from '../arguments.js';
import type { Edit } from '../session.js';
import { argument, keyword, type Node } from '../tree.js';

type MatchEdit = Edit<'config-crypto-map'> | Edit<'crypto-map-fail-close'>;

/** @param help what the list decides */
export function matchAddress<E extends MatchEdit>(help: string): Node<E> {
  const set = ({ session, target }: E, list: string | null): void => {
    target.matchAddress = list;
    session.mark(target, 'matchAddress');
  };
  return keyword('match', 'Match values', {
    commit: true,
    next: [
      keyword('address', help, {
        no: (_, edit) => set(edit, null),
        next: [argument('list', word(), 'Access list name or number', { run: (args, edit) => set(edit, args.text('list')) })],
      }),
    ],
  });
}
