// ip nat pool: addresses that translations give to hosts. Does not: pools of several ranges, `add-route`, `accounting`.

import { formatIpv4, maskToPrefixLength, prefixLengthToMask } from '../addresses.js';
import { integer, ipv4, word } from '../arguments.js';
import type { NatPool, NatPoolType } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, refused } from '../tree.js';

type GlobalEdit = Edit<'config'>;

/** As many as one pool may have. */
const MostAddresses = 65536;

function readMask(args: Args): number {
  const mask = args.has('length') ? prefixLengthToMask(args.number('length')) : args.number('mask');
  if (maskToPrefixLength(mask) === null)
    throw new ConfigError(`${formatIpv4(mask)} is not a network mask`, 'ones on the left, zeros on the right: 255.255.255.0');
  return mask;
}

function setPool(args: Args, { session, target }: GlobalEdit): void {
  const [first, last, mask] = [args.number('first'), args.number('last'), readMask(args)];
  if (last < first) throw new ConfigError('% End address less than start address', 'the lower address comes first');
  if (((first ^ last) & mask) !== 0)
    throw new ConfigError(
      '% Pool addresses not in the same network',
      `${formatIpv4(first)} and ${formatIpv4(last)} are not of one network with mask ${formatIpv4(mask)}`,
    );
  if (last - first >= MostAddresses)
    throw new ConfigError(`a pool has at most ${MostAddresses} addresses`, 'several pools, each with a list');
  const type = (args.optionalText('type') ?? 'generic') as NatPoolType;
  const wanted: NatPool = { line: session.line, name: args.text('name'), first, last, mask, type };
  session.mark(wanted, '');
  const at = target.nat.pools.findIndex(({ name }) => name === wanted.name);
  if (at < 0) target.nat.pools.push(wanted);
  else target.nat.pools[at] = wanted;
}

function removePool(args: Args, { session, target }: GlobalEdit): void {
  const name = args.text('name');
  const kept = target.nat.pools.filter((pool) => pool.name !== name);
  if (kept.length === target.nat.pools.length) session.warnAbsent(`ip nat pool ${name}`);
  target.nat.pools = kept;
}

const types: Node<GlobalEdit>[] = [
  keyword('type', 'Specify the pool type', {
    next: [
      keyword('rotary', 'Rotary address pool', { set: ['type', 'rotary'], run: setPool }),
      keyword('match-host', 'Keep host numbers the same after translation', { set: ['type', 'match-host'], run: setPool }),
    ],
  }),
  refused('accounting', 'accounting of a pool is not supported'),
  refused('add-route', 'add-route of a pool is not supported', 'ip route'),
];
const severalRanges = 'an address pool of several ranges is not supported';

export const natPoolNode: Node<GlobalEdit> = keyword('pool', 'Define pool of addresses', {
  next: [
    argument('name', word(), 'Pool name', {
      no: removePool,
      next: [
        argument('first', ipv4, 'Start IP address', {
          next: [
            argument('last', ipv4, 'End IP address', {
              next: [
                keyword('netmask', 'Specify the network mask', {
                  next: [argument('mask', ipv4, 'Network mask', { run: setPool, next: types })],
                }),
                keyword('prefix-length', 'Specify the prefix length', {
                  next: [argument('length', integer(1, 32), 'Prefix length', { run: setPool, next: types })],
                }),
              ],
            }),
          ],
        }),
        refused('netmask', severalRanges, 'ip nat pool NAME FIRST LAST netmask M'),
        refused('prefix-length', severalRanges, 'ip nat pool NAME FIRST LAST prefix-length N'),
      ],
    }),
  ],
});

export function describePool({ name, first, last, mask, type }: NatPool): string {
  const ending = type === 'generic' ? '' : ` type ${type}`;
  return `ip nat pool ${name} ${formatIpv4(first)} ${formatIpv4(last)} netmask ${formatIpv4(mask)}${ending}`;
}
