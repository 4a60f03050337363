// ip nat: inside and outside interfaces, timeouts, max-entries; statements, static translations and pools are in nat-source.ts, nat-static.ts and
// nat-pool.ts. What is not there is an error where it is written.

import { formatIpv4 } from '../addresses.js';
import { integer, ipv4, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { type Config, defaultNatTimeouts, type InterfaceConfig, LongestNatTimeout, type NatSide, natTimeoutNames } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { describePool, natPoolNode } from './nat-pool.js';
import { describePortTimeout, natPortTimeoutNode } from './nat-port-timeout.js';
import { describeDestination, describeOutside, describeStatement, natInsideNodes, natOutsideNodes } from './nat-source.js';
import { describeStatic } from './nat-static.js';

type GlobalEdit = Edit<'config'>;
type InterfaceEdit = Edit<'config-if'>;

const MostEntries = 2147483647;

function sideNode(side: NatSide, help: string): Node<InterfaceEdit> {
  return keyword(side, help, {
    run: (_, { session, target }) => {
      target.nat = side;
      session.mark(target, 'nat');
    },
    no: (_, { session, target }) => {
      if (target.nat === side) delete target.nat;
      else session.warnAbsent(`ip nat ${side}`);
    },
  });
}

/** Below `ip` of an interface. */
export const natInterfaceNodes: Node<InterfaceEdit>[] = [
  keyword('nat', 'NAT interface commands', {
    commit: true,
    next: [
      sideNode('inside', 'Inside interface for address translation'),
      sideNode('outside', 'Outside interface for address translation'),
      refused('enable', 'ip nat enable is not supported', 'ip nat inside, ip nat outside'),
      refused('allow-static-host', 'ip nat allow-static-host is not supported'),
    ],
  }),
];

export function printInterfaceNat({ nat }: InterfaceConfig): string | false {
  return nat !== undefined && `ip nat ${nat}`;
}

const timeoutHelp: Record<(typeof natTimeoutNames)[number], string> = {
  timeout: 'Timeout of translations without ports',
  'tcp-timeout': 'Timeout of TCP flows',
  'udp-timeout': 'Timeout of UDP flows',
  'dns-timeout': 'Timeout of DNS flows',
  'icmp-timeout': 'Timeout of ICMP flows',
  'syn-timeout': 'Timeout of TCP flows that no answer came to',
  'finrst-timeout': 'Timeout of TCP flows after a FIN or RST',
};

const timeoutNodes = natTimeoutNames.map((name) => {
  const set = (value: number | 'never', { target }: GlobalEdit): void => {
    if (value === defaultNatTimeouts[name]) delete target.nat.timeouts[name];
    else target.nat.timeouts[name] = value;
  };
  return keyword<GlobalEdit>(name, timeoutHelp[name], {
    no: (_, edit) => set(defaultNatTimeouts[name], edit),
    next: [
      keyword('never', 'Never timeout', { run: (_, edit) => set('never', edit) }),
      argument('seconds', integer(1, LongestNatTimeout), 'Timeout in seconds', { run: (args, edit) => set(args.number('seconds'), edit) }),
    ],
  });
});

/** As many hosts as have a limit of their own. */
const MostHosts = 47;

function setHostLimit(args: Args, { session, target }: GlobalEdit): void {
  const wanted = { line: session.line, address: args.number('host'), entries: args.number('entries') };
  const at = target.nat.hostLimits.findIndex(({ address }) => address === wanted.address);
  if (at < 0 && target.nat.hostLimits.length === MostHosts)
    throw new ConfigError(`at most ${MostHosts} hosts have limits of their own`, 'max-entries all-host N');
  if (at < 0) target.nat.hostLimits.push(wanted);
  else target.nat.hostLimits[at] = wanted;
}

function removeHostLimit(args: Args, { session, target }: GlobalEdit): void {
  const kept = target.nat.hostLimits.filter(({ address }) => address !== args.number('host'));
  if (kept.length === target.nat.hostLimits.length) session.warnAbsent(`max-entries host ${formatIpv4(args.number('host'))}`);
  target.nat.hostLimits = kept;
}

const maxEntries = keyword<GlobalEdit>('max-entries', 'Maximum number of NAT entries', {
  no: (_, { target }) => {
    target.nat.maxEntries = null;
  },
  next: [
    argument('entries', integer(1, MostEntries), 'Number of entries', {
      run: (args, { target }) => {
        target.nat.maxEntries = args.number('entries');
      },
    }),
    keyword('all-host', 'Of each inside host', {
      no: (_, { target }) => {
        delete target.nat.hostEntries;
      },
      next: [
        argument('entries', integer(1, MostEntries), 'Number of entries', {
          run: (args, { target }) => {
            target.nat.hostEntries = args.number('entries');
          },
        }),
      ],
    }),
    keyword('host', 'Of one inside host', {
      next: [
        argument('host', ipv4, 'Inside local address', {
          no: removeHostLimit,
          next: [argument('entries', integer(1, MostEntries), 'Number of entries', { run: setHostLimit })],
        }),
      ],
    }),
    ...['list', 'all-vrf', 'vrf'].map((whom) =>
      refused<GlobalEdit>(whom, `ip nat translation max-entries ${whom} is not supported`, 'max-entries N, all-host N, host A N'),
    ),
  ],
});

const logNodes: Node<GlobalEdit>[] = [
  keyword('syslog', 'As log messages', {
    run: (_, { target }) => {
      target.nat.logging.syslog = true;
    },
    no: (_, { target }) => {
      target.nat.logging.syslog = false;
    },
  }),
  keyword('file', 'As JSON lines in a file', {
    no: (_, { target }) => {
      target.nat.logging.file = null;
    },
    next: [
      argument('path', word(255), 'Path of the file', {
        run: (args, { target }) => {
          if (!args.text('path').startsWith('/')) throw new ConfigError('the path of a log file begins with /');
          target.nat.logging.file = args.text('path');
        },
      }),
    ],
  }),
  refused('flow-export', 'flow-export of NAT is not supported', 'ip nat log translations file PATH'),
];

/** What else IOS has below `ip nat`. */
const others = ['create', 'name', 'piggyback-support', 'portmap', 'scale', 'service', 'settings', 'stateful', 'switchover'];

export const natCommands: Node<GlobalEdit>[] = [
  path(
    [['ip', 'Global IP configuration subcommands']],
    [
      keyword('nat', 'NAT configuration commands', {
        commit: true,
        next: [
          keyword('inside', 'Inside address translation', { next: natInsideNodes }),
          keyword('translation', 'NAT translation entry configuration', {
            next: [
              ...timeoutNodes,
              natPortTimeoutNode,
              maxEntries,
              ...['arp-ping-timeout', 'pptp-timeout', 'routemap-entry-timeout'].map((what) =>
                refused<GlobalEdit>(what, `ip nat translation ${what} is not supported yet`),
              ),
            ],
          }),
          keyword('outside', 'Outside address translation', { next: natOutsideNodes }),
          natPoolNode,
          path(
            [
              ['log', 'NAT logging'],
              ['translations', 'Beginnings and ends of translations'],
            ],
            logNodes,
          ),
          refused('source', 'ip nat source (NAT virtual interface) is not supported', 'ip nat inside source'),
          ...others.map((what) => refused<GlobalEdit>(what, `ip nat ${what} is not supported yet`)),
        ],
      }),
    ],
  ),
];

export function printNat({ nat }: Config): Block[] {
  const timeouts = natTimeoutNames.filter((name) => nat.timeouts[name] !== undefined);
  return [
    ...(nat.logging.syslog ? [block('ip nat log translations syslog')] : []),
    ...(nat.logging.file === null ? [] : [block(`ip nat log translations file ${nat.logging.file}`)]),
    ...timeouts.map((name) => block(`ip nat translation ${name} ${nat.timeouts[name]}`)),
    ...nat.portTimeouts.map((item) => block(describePortTimeout(item))),
    ...(nat.maxEntries === null ? [] : [block(`ip nat translation max-entries ${nat.maxEntries}`)]),
    ...(nat.hostEntries === undefined ? [] : [block(`ip nat translation max-entries all-host ${nat.hostEntries}`)]),
    ...nat.hostLimits.map(({ address, entries }) => block(`ip nat translation max-entries host ${formatIpv4(address)} ${entries}`)),
    ...nat.pools.map((item) => block(describePool(item))),
    ...nat.statements.map((item) => block(describeStatement(item))),
    ...nat.statics.map((item) => block(describeStatic(item))),
    ...nat.destinations.map((item) => block(describeDestination(item))),
    ...nat.outsideSources.map((item) => block(describeOutside(item))),
  ];
}
