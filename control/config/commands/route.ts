// ip route: static routes, installed in the kernel. Does not: VRFs, tracking, tags, names, Null0.

import { formatIpv4, maskToPrefixLength } from '../addresses.js';
import { integer, interfaceName, ipv4 } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, StaticRoute } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';

type GlobalEdit = Edit<'config'>;
type RouteTarget = Pick<StaticRoute, 'prefix' | 'mask' | 'interface' | 'nextHop'>;

function readTarget(args: Args): RouteTarget {
  const prefix = args.number('prefix');
  const mask = args.number('mask');
  if (maskToPrefixLength(mask) === null)
    throw new ConfigError(`${formatIpv4(mask)} is not a network mask`, 'ones on the left, zeros on the right: 255.255.255.0');
  if ((prefix & ~mask) !== 0) {
    throw new ConfigError(
      'Inconsistent address and mask',
      `${formatIpv4(prefix & mask)} ${formatIpv4(mask)} is the network of ${formatIpv4(prefix)}`,
    );
  }
  return { prefix, mask, interface: args.optionalText('interface'), nextHop: args.optionalNumber('nextHop') };
}

function isSame(route: StaticRoute, target: RouteTarget): boolean {
  return (
    route.prefix === target.prefix && route.mask === target.mask && route.interface === target.interface && route.nextHop === target.nextHop
  );
}

function addRoute(args: Args, { session, target }: GlobalEdit): void {
  const wanted = readTarget(args);
  const route: StaticRoute = { line: session.line, ...wanted, distance: args.optionalNumber('distance') ?? 1 };
  session.mark(route, '');
  const at = target.staticRoutes.findIndex((other) => isSame(other, wanted));
  if (at < 0) target.staticRoutes.push(route);
  else target.staticRoutes[at] = route;
}

function removeRoute(args: Args, { session, target }: GlobalEdit): void {
  const wanted = readTarget(args);
  const all = wanted.interface === null && wanted.nextHop === null;
  const kept = target.staticRoutes.filter(
    (route) => !(all ? route.prefix === wanted.prefix && route.mask === wanted.mask : isSame(route, wanted)),
  );
  if (kept.length === target.staticRoutes.length) session.warnAbsent('this route');
  target.staticRoutes = kept;
}

const options = ['name', 'permanent', 'tag', 'track', 'dhcp', 'multicast', 'global'].map((name) =>
  refused<GlobalEdit>(name, `"${name}" of a static route is not supported yet`, 'remove it'),
);
const distance = argument<GlobalEdit>('distance', integer(1, 255), 'Distance metric for this route', {
  run: addRoute,
  no: removeRoute,
  next: options,
});
const nextHop = argument<GlobalEdit>('nextHop', ipv4, "Forwarding router's address", {
  run: addRoute,
  no: removeRoute,
  next: [distance, ...options],
});

export const routeCommands: Node<GlobalEdit>[] = [
  path(
    [['ip', 'Global IP configuration subcommands']],
    [
      keyword('route', 'Establish static routes', {
        commit: true,
        next: [
          refused('vrf', 'VRFs are not supported'),
          argument('prefix', ipv4, 'Destination prefix', {
            next: [
              argument('mask', ipv4, 'Destination prefix mask', {
                no: removeRoute,
                next: [
                  nextHop,
                  refused('null0', 'routes to Null0 are not supported yet'),
                  argument('interface', interfaceName, 'Interface towards the destination', {
                    run: addRoute,
                    no: removeRoute,
                    next: [nextHop, distance, ...options],
                  }),
                ],
              }),
            ],
          }),
        ],
      }),
    ],
  ),
];

export function printRoutes(config: Config): Block[] {
  return config.staticRoutes.map((route) =>
    block(
      [
        'ip route',
        formatIpv4(route.prefix),
        formatIpv4(route.mask),
        route.interface,
        route.nextHop === null ? null : formatIpv4(route.nextHop),
      ]
        .filter((part) => part !== null)
        .join(' ') + (route.distance === 1 ? '' : ` ${route.distance}`),
    ),
  );
}
