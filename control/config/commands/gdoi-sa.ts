// crypto gdoi group / server local / sa ipsec N: what traffic the group protects, how, and against replay. Default: counter, window 64. Ours and not IOS's:
// udp-encapsulation (ESP in UDP).
// Does not: tag cts sgt.

import { integer, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { GdoiSa } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path, refused } from '../tree.js';

type ServerEdit = Edit<'gdoi-local-server'>;
type SaEdit = Edit<'gdoi-sa-ipsec'>;

export function enterSa(args: Args, { session, target }: ServerEdit): void {
  const sequence = args.number('sequence');
  let sa = target.sas.get(sequence);
  if (!sa) {
    sa = { line: session.line, sequence, profile: null, matchAddress: null, replay: { method: 'counter', windowSize: 64 } };
    session.mark(sa, '');
    target.sas.set(sequence, sa);
  }
  session.enter('gdoi-sa-ipsec', sa, `sa ipsec ${sequence}`);
}

export function removeSa(args: Args, { session, target }: ServerEdit): void {
  const sequence = args.number('sequence');
  if (!target.sas.delete(sequence)) {
    session.warnAbsent(`sa ipsec ${sequence}`);
    return;
  }
  session.forgetLinesIn([...session.frame.path, `sa ipsec ${sequence}`]);
}

function setSa<K extends keyof GdoiSa>(field: K, read: (args: Args) => GdoiSa[K]): (args: Args, edit: SaEdit) => void {
  return (args, { session, target }) => {
    target[field] = read(args);
    session.mark(target, field);
  };
}

const setWindow = setSa('replay', (args) => ({ method: 'counter', windowSize: args.optionalNumber('window') ?? 64 }));
const setTime = setSa('replay', (args) => ({ method: 'time', windowSeconds: args.number('seconds') }));
const noReplay = setSa('replay', () => ({ method: 'none' }));
const windows = Object.fromEntries(
  [64, 128, 256, 512, 1024].map((size): [string, [number, string]] => [String(size), [size, 'Window size in packets']]),
);

export const saCommands: Node<SaEdit>[] = [
  keyword('profile', 'IPsec profile of the security association', {
    commit: true,
    no: setSa('profile', () => null),
    next: [argument('profile', word(), 'Name of the profile', { run: setSa('profile', (args) => args.text('profile')) })],
  }),
  keyword('match', 'Match characteristics of packets to protect', {
    commit: true,
    next: [
      path(
        [
          ['address', 'Access list of the traffic to protect'],
          ['ipv4', 'IPv4 access list'],
        ],
        [
          argument('list', word(), 'Access list name or number', {
            run: setSa('matchAddress', (args) => args.text('list')),
            no: setSa('matchAddress', () => null),
          }),
        ],
      ),
    ],
  }),
  keyword('replay', 'Anti-replay', {
    commit: true,
    no: noReplay,
    next: [
      keyword('counter', 'Anti-replay by sequence number', {
        run: setWindow,
        next: [keyword('window-size', 'Size of the replay window', { next: choice('window', windows, { run: setWindow }) })],
      }),
      path(
        [
          ['time', 'Anti-replay by time (TBAR), between groupwire routers'],
          ['window-size', 'How far two clocks may be apart'],
        ],
        [argument('seconds', integer(1, 100), 'Seconds', { run: setTime })],
      ),
    ],
  }),
  refused('tag', 'tag cts sgt is not supported'),
  keyword('udp-encapsulation', 'ESP in UDP 4500, between groupwire routers', {
    commit: true,
    run: setSa('udpEncapsulation', () => true),
    no: (_, { session, target }) => {
      delete target.udpEncapsulation;
      session.mark(target, 'udpEncapsulation');
    },
  }),
];

function printReplay(replay: GdoiSa['replay']): string {
  if (replay.method === 'none') return 'no replay';
  return replay.method === 'time' ? `replay time window-size ${replay.windowSeconds}` : `replay counter window-size ${replay.windowSize}`;
}

export function printSa(sa: GdoiSa): Block {
  return block(
    `sa ipsec ${sa.sequence}`,
    sa.profile !== null && `profile ${sa.profile}`,
    sa.matchAddress !== null && `match address ipv4 ${sa.matchAddress}`,
    printReplay(sa.replay),
    sa.udpEncapsulation === true && 'udp-encapsulation',
  );
}
