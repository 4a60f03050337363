// crypto map NAME gdoi fail-close: until every group of the map is registered, nothing passes the map's interfaces in the clear but what
// the list denies. IOS keeps the last policy when keys expire; here the map closes again (IOS calls that fail-close revert).

import { type Block, block } from '../blocks.js';
import type { Config, FailClose } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, keyword, type Node } from '../tree.js';
import { matchAddress } from './match-address.js';

type FailCloseEdit = Edit<'crypto-map-fail-close'>;

function opening(name: string): string {
  return `crypto map ${name} gdoi fail-close`;
}

function enterFailClose(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  let failClose = target.failClose.get(name);
  if (!failClose) {
    failClose = { line: session.line, name, matchAddress: null, activated: false };
    session.mark(failClose, '');
    target.failClose.set(name, failClose);
  }
  session.enter('crypto-map-fail-close', failClose, opening(name));
}

function removeFailClose(args: Args, edit: Edit<'config'>): void {
  const name = args.text('name');
  if (!forgetFailClose(name, edit)) edit.session.warnAbsent(opening(name));
}

/** With `no crypto map NAME` it goes too. @returns false when there was none */
export function forgetFailClose(name: string, { session, target }: Edit<'config'>): boolean {
  if (!target.failClose.delete(name)) return false;
  session.forgetLinesIn([opening(name)]);
  return true;
}

/** Behind `crypto map NAME gdoi`. */
export const failCloseNode: Node<Edit<'config'>> = keyword('fail-close', 'Drop traffic until the groups are registered', {
  run: enterFailClose,
  no: removeFailClose,
});

function setActivated(activated: boolean): (args: Args, edit: FailCloseEdit) => void {
  return (_, { session, target }) => {
    target.activated = activated;
    session.mark(target, 'activated');
  };
}

export const failCloseCommands: Node<FailCloseEdit>[] = [
  keyword('activate', 'Activate fail-close mode', { commit: true, run: setActivated(true), no: setActivated(false) }),
  matchAddress('Access list of exceptions: deny passes in the clear, permit is dropped'),
];

export function printFailCloses(config: Config): Block[] {
  return [...config.failClose.values()].map((failClose: FailClose) =>
    block(
      opening(failClose.name),
      failClose.matchAddress !== null && `match address ${failClose.matchAddress}`,
      failClose.activated && 'activate',
    ),
  );
}
