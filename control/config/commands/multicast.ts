// ip multicast-routing and, on an interface, ip igmp static-group: static multicast. Does not: PIM, IGMP, `source` of a static group.

import { formatIpv4, isMulticast } from '../addresses.js';
import { ipv4 } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, InterfaceConfig } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';

type InterfaceEdit = Edit<'config-if'>;

export const multicastGlobalCommands: Node<Edit<'config'>>[] = [
  path(
    [['ip', 'Global IP configuration subcommands']],
    [
      keyword('multicast-routing', 'Enable IP multicast forwarding', {
        commit: true,
        run: (_, { target }) => {
          target.multicastRouting = true;
        },
        no: (_, { target }) => {
          target.multicastRouting = false;
        },
        next: [
          keyword('distributed', 'Distributed multicast switching', {
            run: (_, { target }) => {
              target.multicastRouting = true;
            },
          }),
        ],
      }),
    ],
  ),
];

function addGroup(args: Args, { session, target }: InterfaceEdit): void {
  const group = args.number('group');
  if (!isMulticast(group)) throw new ConfigError(`${formatIpv4(group)} is no multicast address`);
  if (group >>> 8 === 0xe00000)
    throw new ConfigError(`${formatIpv4(group)} never leaves its link`, 'groups from 224.0.1.0 on are forwarded');
  if (!target.staticGroups.includes(group)) target.staticGroups.push(group);
  session.mark(target, `group ${group}`);
}

function removeGroup(args: Args, { session, target }: InterfaceEdit): void {
  const at = target.staticGroups.indexOf(args.number('group'));
  if (at < 0) session.warnAbsent(`ip igmp static-group ${formatIpv4(args.number('group'))}`);
  else target.staticGroups.splice(at, 1);
}

/** Below `ip` of an interface. */
export const multicastInterfaceNodes: Node<InterfaceEdit>[] = [
  keyword('igmp', 'IGMP interface commands', {
    commit: true,
    next: [
      keyword('static-group', 'A group that is sent out of this interface', {
        next: [argument('group', ipv4, 'IP group address', { run: addGroup, no: removeGroup })],
      }),
      refused('join-group', 'ip igmp join-group is not supported', 'ip igmp static-group A'),
    ],
  }),
  refused('pim', 'PIM is not supported', 'ip igmp static-group A on the interfaces that are to have a group'),
];

export function printStaticGroups({ staticGroups }: InterfaceConfig): Block[] {
  return staticGroups.map((group) => block(`ip igmp static-group ${formatIpv4(group)}`));
}

export function printMulticast(config: Config): Block[] {
  return config.multicastRouting ? [block('ip multicast-routing')] : [];
}
