// ip nat inside|outside source static: one address, port or network for another, always. Does not: VRFs, redundancy, `reversible`, an interface's
// whole address.

import { AllOnes, formatIpv4, maskToPrefixLength, prefixLengthToMask } from '../addresses.js';
import { type ArgumentType, integer, interfaceName, ipv4, readDecimal, word } from '../arguments.js';
import type { NatSide, NatStatic } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, refused } from '../tree.js';

type GlobalEdit = Edit<'config'>;

/** `/24` */
const slashLength: ArgumentType = {
  label: '/nn',
  read(words, index) {
    const { text } = words[index];
    const length = text.startsWith('/') ? readDecimal(text.slice(1)) : null;
    return length === null || length < 1 || length > 32 ? null : { value: length, used: 1 };
  },
};

function readMask(args: Args): number {
  if (args.has('length')) return prefixLengthToMask(args.number('length'));
  if (!args.has('mask')) return AllOnes;
  const mask = args.number('mask');
  if (maskToPrefixLength(mask) === null)
    throw new ConfigError(`${formatIpv4(mask)} is not a network mask`, 'ones on the left, zeros on the right: 255.255.255.0');
  return mask;
}

function readStatic(args: Args, line: number): NatStatic {
  const mask = readMask(args);
  for (const name of ['local', 'global'])
    if (args.has(name) && (args.number(name) & ~mask) !== 0)
      throw new ConfigError(`${formatIpv4(args.number(name))} is no network with mask ${formatIpv4(mask)}`);
  return {
    line,
    side: args.text('side') as NatSide,
    protocol: args.optionalText('protocol') as NatStatic['protocol'],
    local: args.number('local'),
    localPort: args.optionalNumber('localPort'),
    global: args.optionalNumber('global'),
    interface: args.optionalText('interface'),
    globalPort: args.optionalNumber('globalPort'),
    mask,
    routeMap: args.optionalText('map'),
    extendable: args.has('extendable'),
    noAlias: args.has('noAlias'),
    noPayload: args.has('noPayload'),
    addRoute: args.has('addRoute'),
  };
}

/** What makes it this one and no other. */
function identityOf(item: NatStatic): string {
  const { side, protocol, local, localPort, global, interface: to, globalPort, mask, routeMap } = item;
  return JSON.stringify([side, protocol, local, localPort, global, to, globalPort, mask, routeMap]);
}

function addStatic(args: Args, { session, target }: GlobalEdit): void {
  const wanted = readStatic(args, session.line);
  session.mark(wanted, '');
  const at = target.nat.statics.findIndex((other) => identityOf(other) === identityOf(wanted));
  if (at < 0) target.nat.statics.push(wanted);
  else target.nat.statics[at] = wanted;
}

function removeStatic(args: Args, { session, target }: GlobalEdit): void {
  const unwanted = readStatic(args, session.line);
  const kept = target.nat.statics.filter((other) => identityOf(other) !== identityOf(unwanted));
  if (kept.length === target.nat.statics.length) session.warnAbsent(describeStatic(unwanted));
  target.nat.statics = kept;
}

const acts = { run: addStatic, no: removeStatic };

function options(side: NatSide): Node<GlobalEdit>[] {
  const next = () => options(side);
  const shared: Node<GlobalEdit>[] = [
    keyword('extendable', 'Extend this translation when used', { set: ['extendable', 1], once: true, ...acts, next }),
    keyword('no-alias', 'Do not create an alias for the global address', { set: ['noAlias', 1], once: true, ...acts, next }),
    keyword('no-payload', 'No translation of embedded address/port in the payload', { set: ['noPayload', 1], once: true, ...acts, next }),
    refused('vrf', 'VRFs are not supported'),
    refused('match-in-vrf', 'VRFs are not supported'),
    refused('redundancy', 'stateful NAT is not supported'),
    refused('mapping-id', 'mapping-id of ip nat is not supported'),
    refused('reversible', 'reversible is not needed: a static translation works from both sides', 'remove it'),
  ];
  if (side === 'inside')
    return [
      ...shared,
      keyword('route-map', 'Specify route-map', {
        once: true,
        next: [argument('map', word(), 'Route-map name', { ...acts, next })],
      }),
    ];
  return [
    ...shared,
    keyword('add-route', 'Add a static route for outside local address', { set: ['addRoute', 1], once: true, ...acts, next }),
  ];
}

/** The two addresses of a statement, in its order: for inside the local one first. @param between what may stand in place of the second @param isWhole the line may end there */
function pair(side: NatSide, between: Node<GlobalEdit>[], isWhole: boolean, next: Node<GlobalEdit>[]): Node<GlobalEdit> {
  const [first, second] = side === 'inside' ? (['local', 'global'] as const) : (['global', 'local'] as const);
  const help = { local: 'Local IP address', global: 'Global IP address' };
  return argument<GlobalEdit>(first, ipv4, `${side === 'inside' ? 'Inside' : 'Outside'} ${help[first].toLowerCase()}`, {
    next: [...between, argument(second, ipv4, help[second], { ...(isWhole ? acts : {}), next })],
  });
}

function portForm(side: NatSide): Node<GlobalEdit>[] {
  const port = integer(1, 65535);
  const [first, second] = side === 'inside' ? (['local', 'global'] as const) : (['global', 'local'] as const);
  const last = argument<GlobalEdit>(`${second}Port`, port, `${second === 'global' ? 'Global' : 'Local'} UDP/TCP port`, {
    ...acts,
    next: () => options(side),
  });
  const toInterface = keyword<GlobalEdit>('interface', 'Specify interface for global address', {
    next: [argument('interface', interfaceName, 'Interface name', { next: [last] })],
  });
  return (['tcp', 'udp'] as const).map((protocol) =>
    keyword(protocol, protocol === 'tcp' ? 'Transmission Control Protocol' : 'User Datagram Protocol', {
      set: ['protocol', protocol],
      next: [
        argument(first, ipv4, `${first === 'local' ? 'Local' : 'Global'} IP address`, {
          next: [
            argument(`${first}Port`, port, `${first === 'local' ? 'Local' : 'Global'} UDP/TCP port`, {
              next: [
                argument(second, ipv4, `${second === 'local' ? 'Local' : 'Global'} IP address`, { next: [last] }),
                ...(side === 'inside' ? [toInterface] : []),
              ],
            }),
          ],
        }),
      ],
    }),
  );
}

/** Below `ip nat inside|outside source`. */
export function natStaticNode(side: NatSide): Node<GlobalEdit> {
  const masks = [
    argument<GlobalEdit>('length', slashLength, 'Prefix length', { ...acts, next: () => options(side) }),
    argument<GlobalEdit>('mask', ipv4, 'Network mask', { ...acts, next: () => options(side) }),
  ];
  const whole = refused<GlobalEdit>(
    'interface',
    "static translation of an interface's whole address is not supported: nobody could reach the router",
    'ip nat inside source static tcp|udp LOCAL PORT interface IF PORT',
  );
  return keyword('static', 'Specify static local->global mapping', {
    set: ['side', side],
    next: [
      ...portForm(side),
      keyword('network', 'Subnet translation', { next: [pair(side, [], false, masks)] }),
      pair(side, side === 'inside' ? [whole] : [], true, options(side)),
    ],
  });
}

/** The line, as print writes it. */
export function describeStatic(item: NatStatic): string {
  const { side, protocol, mask } = item;
  const local = [formatIpv4(item.local), item.localPort];
  const global = [item.global === null ? `interface ${item.interface}` : formatIpv4(item.global), item.globalPort];
  const words = [
    `ip nat ${side} source static`,
    protocol,
    mask === AllOnes ? null : 'network',
    ...(side === 'inside' ? [...local, ...global] : [...global, ...local]),
    mask === AllOnes ? null : `/${maskToPrefixLength(mask)}`,
    item.routeMap === null ? null : `route-map ${item.routeMap}`,
    item.extendable && 'extendable',
    item.noAlias && 'no-alias',
    item.noPayload && 'no-payload',
    item.addRoute && 'add-route',
  ];
  return words.filter((word) => word !== null && word !== false).join(' ');
}
