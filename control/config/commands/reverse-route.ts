// reverse-route, of an entry of a crypto map or of a dynamic map: routes to what the peer protects, while there are SAs for it or, with `static`, always; and
// `set reverse-route distance`. Does not: `remote-peer A gateway`, tags, `set reverse-route gateway`.

import { formatIpv4 } from '../addresses.js';
import { integer, ipv4 } from '../arguments.js';
import type { ReverseRoute, SiteToSite } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, keyword, type Node, refused } from '../tree.js';
import { changePeers } from './crypto-map-ipsec.js';

type MapEdit = Edit<'config-crypto-map'>;

/** As on IOS: that of a static route. */
const PlainDistance = 1;

/** What was set beside it stays. */
function turnOn(always: boolean): (args: Args, edit: MapEdit) => void {
  return (args, edit) =>
    changePeers('reverseRoute', edit, (ipsec) => {
      ipsec.reverseRoute = { always, nextHop: args.optionalNumber('hop') };
    });
}

function turnOff(_: Args, edit: MapEdit): void {
  changePeers('reverseRoute', edit, (ipsec) => {
    if (!ipsec.reverseRoute) edit.session.warnAbsent('reverse-route');
    delete ipsec.reverseRoute;
  });
}

const always = keyword<MapEdit>('static', 'Create routes based on static ACLs permanently', { run: turnOn(true) });

/** In an entry. */
export const reverseRouteNode: Node<MapEdit> = keyword('reverse-route', 'Reverse Route Injection.', {
  commit: true,
  run: turnOn(false),
  no: turnOff,
  next: [
    always,
    keyword('remote-peer', 'Create route in route table for remote tunnel endpoint', {
      next: [
        argument('hop', ipv4, 'IP address of the next hop to the remote proxy', {
          run: turnOn(false),
          next: [always, refused('gateway', 'reverse-route remote-peer A gateway is not supported', 'ip route PEER 255.255.255.255 A')],
        }),
      ],
    }),
    refused('tag', 'tags of routes are not supported', 'reverse-route'),
  ],
});

/** Behind `set`. */
export const setReverseRouteNode: Node<MapEdit> = keyword('reverse-route', 'Reverse Route Injection.', {
  next: [
    keyword('distance', 'Distance metric for these routes', {
      no: (_, edit) => changePeers('reverseDistance', edit, (ipsec) => delete ipsec.reverseDistance),
      next: [
        argument('distance', integer(1, 255), 'Distance value', {
          run: (args, edit) =>
            changePeers('reverseDistance', edit, (ipsec) => {
              ipsec.reverseDistance = args.number('distance');
            }),
        }),
      ],
    }),
    refused('tag', 'tags of routes are not supported', 'set reverse-route distance N'),
    refused('gateway', 'set reverse-route gateway is not supported', 'reverse-route remote-peer A'),
  ],
});

/** As IOS prints them: `set` with its kin, the rest behind. */
export function printReverseDistance({ reverseDistance }: SiteToSite): string | false {
  return reverseDistance !== undefined && `set reverse-route distance ${reverseDistance}`;
}

export function printReverseRoute({ reverseRoute }: SiteToSite): string | false {
  if (reverseRoute === undefined) return false;
  const { nextHop, always: isStatic } = reverseRoute;
  return `reverse-route${nextHop === null ? '' : ` remote-peer ${formatIpv4(nextHop)}`}${isStatic ? ' static' : ''}`;
}

/** @returns what its routes are to be like, null = it has none */
export function reverseRouteOf({ reverseRoute, reverseDistance }: SiteToSite): (ReverseRoute & { distance: number }) | null {
  return reverseRoute ? { ...reverseRoute, distance: reverseDistance ?? PlainDistance } : null;
}
