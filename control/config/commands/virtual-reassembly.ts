// ip virtual-reassembly of an interface: bounds of what is known of datagrams in fragments. `in` is what there is: fragments are looked at as they arrive.

import { integer } from '../arguments.js';
import type { InterfaceConfig, VirtualReassembly } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, keyword, type Node, refused } from '../tree.js';

type InterfaceEdit = Edit<'config-if'>;

/** A line says all of it. */
function set(args: Args, { session, target }: InterfaceEdit): void {
  const bounds: VirtualReassembly = {};
  const [datagrams, fragments, seconds] = ['datagrams', 'fragments', 'seconds'].map((name) => args.optionalNumber(name));
  if (datagrams !== null) bounds.maxDatagrams = datagrams;
  if (fragments !== null) bounds.maxFragments = fragments;
  if (seconds !== null) bounds.timeoutSeconds = seconds;
  if (args.has('drop')) bounds.dropFragments = true;
  target.virtualReassembly = bounds;
  session.mark(target, 'virtualReassembly');
}

function remove(_: Args, { target }: InterfaceEdit): void {
  delete target.virtualReassembly;
}

const ends = { run: set, no: remove };

/** Each may be left out; they stand in IOS's order. */
const dropNode: Node<InterfaceEdit> = keyword('drop-fragments', 'Drop all incoming fragments', {
  ...ends,
  set: ['drop', 'fragments'],
});
const timeoutNode: Node<InterfaceEdit> = keyword('timeout', 'Reassembly timeout', {
  next: [argument('seconds', integer(1, 60), 'Timeout in seconds (default 3)', { ...ends, next: [dropNode] })],
});
const fragmentsNode: Node<InterfaceEdit> = keyword('max-fragments', 'Maximum number of fragments of a datagram', {
  next: [argument('fragments', integer(1, 255), 'Number of fragments', { ...ends, next: [timeoutNode, dropNode] })],
});
const datagramsNode: Node<InterfaceEdit> = keyword('max-reassemblies', 'Maximum number of datagrams that are reassembled at a time', {
  next: [argument('datagrams', integer(1, 1024), 'Number of datagrams', { ...ends, next: [fragmentsNode, timeoutNode, dropNode] })],
});
const options = [datagramsNode, fragmentsNode, timeoutNode, dropNode];

export const virtualReassemblyNodes: Node<InterfaceEdit>[] = [
  keyword('virtual-reassembly', 'Enable Virtual Fragment Reassembly', {
    commit: true,
    ...ends,
    next: [
      keyword('in', 'Of what arrives', { ...ends, next: options }),
      refused('out', 'ip virtual-reassembly out is not supported', 'ip virtual-reassembly in on the interface that it comes by'),
      ...options,
    ],
  }),
];

export function printVirtualReassembly({ virtualReassembly: bounds }: InterfaceConfig): string | false {
  if (!bounds) return false;
  return [
    'ip virtual-reassembly in',
    bounds.maxDatagrams !== undefined && `max-reassemblies ${bounds.maxDatagrams}`,
    bounds.maxFragments !== undefined && `max-fragments ${bounds.maxFragments}`,
    bounds.timeoutSeconds !== undefined && `timeout ${bounds.timeoutSeconds}`,
    bounds.dropFragments && 'drop-fragments',
  ]
    .filter(Boolean)
    .join(' ');
}
