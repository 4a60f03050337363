// Ports of access list entries and of service groups: `eq 80 443`, `neq`, `gt`, `lt`, `range`, by number and by name.

import { integer } from '../arguments.js';
import type { PortMatch } from '../model.js';
import { ConfigError } from '../session.js';
import { type Action, type Args, argument, keyword, type Node } from '../tree.js';
import { describePort } from './service-names.js';

export type End = 'source' | 'destination';

/** Behind `eq` and `neq`, as on IOS. */
export const MostPorts = 10;

/** The name in `args` of an end's n-th port, from 1. */
function portName(end: End, index: number): string {
  return `${end}Port${index}`;
}

interface PortSpec<C> {
  names: Map<string, number>;
  /** What may follow. */
  next: Node<C>[];
  run: Action<C> | undefined;
}

/** Ports from the n-th to the last; `range` takes both of its own. What follows is the same whichever port it was, and is made once. */
function portChain<C>(end: End, index: number, last: number, isRange: boolean, spec: PortSpec<C>): Node<C>[] {
  let below: Node<C>[] | null = null;
  const ends = !isRange || index === last;
  const next = (): Node<C>[] => {
    below ??= [...(index < last ? portChain(end, index + 1, last, isRange, spec) : []), ...(ends ? spec.next : [])];
    return below;
  };
  const common = { run: ends ? spec.run : undefined, next };
  const name = portName(end, index);
  return [
    argument(name, integer(0, 65535), 'Port number', common),
    ...[...spec.names].map(([word, number]) => keyword<C>(word, `Port ${number}`, { ...common, set: [name, number] })),
  ];
}

const operatorHelp: Record<PortMatch['operator'], string> = {
  eq: 'Match only packets on a given port number',
  gt: 'Match only packets with a greater port number',
  lt: 'Match only packets with a lower port number',
  neq: 'Match only packets not on a given port number',
  range: 'Match only packets in the range of port numbers',
};

/** @param most ports behind `eq` and `neq` */
export function portNodes<C>(end: End, spec: PortSpec<C>, most = MostPorts): Node<C>[] {
  const last = { eq: most, neq: most, gt: 1, lt: 1, range: 2 };
  return (Object.keys(operatorHelp) as PortMatch['operator'][]).map((operator) =>
    keyword<C>(operator, operatorHelp[operator], {
      set: [`${end}Operator`, operator],
      next: portChain(end, 1, last[operator], operator === 'range', spec),
    }),
  );
}

/** One port without a word in front of it: `eq`, as service groups have it. */
export function barePortNodes<C>(end: End, spec: PortSpec<C>): Node<C>[] {
  return portChain(end, 1, 1, false, spec);
}

/** @throws ConfigError for a range that is none */
export function readPorts(args: Args, end: End): PortMatch | null {
  const ports: number[] = [];
  for (let index = 1; args.has(portName(end, index)); index++) ports.push(args.number(portName(end, index)));
  if (ports.length === 0) return null;
  const operator = (args.optionalText(`${end}Operator`) ?? 'eq') as PortMatch['operator'];
  if (operator === 'range' && ports[1] < ports[0])
    throw new ConfigError(`range ${ports[0]} ${ports[1]}: the first port is above the second`);
  return { operator, ports: operator === 'range' ? ports : [...new Set(ports)] };
}

/** With a space in front; empty for null. */
export function describePorts(match: PortMatch | null, protocol: number | null): string {
  return match === null ? '' : ` ${match.operator} ${match.ports.map((port) => describePort(port, protocol)).join(' ')}`;
}
