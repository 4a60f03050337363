// ip nat: inside and outside interfaces, `ip nat inside source list|route-map ... interface IF overload` (PAT), timeouts, max-entries. Does
// not: pools, static translations, outside source, inside destination, translation without overload, VRFs: each is an error where it is written.

import { integer, interfaceName, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { type Config, defaultNatTimeouts, type InterfaceConfig, type NatSide, type NatSource, natTimeoutNames } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';

type GlobalEdit = Edit<'config'>;
type InterfaceEdit = Edit<'config-if'>;

/** 17 years, what IOS takes. */
const LongestTimeout = 536870912;
const MostEntries = 2147483647;
const onlyOverload = 'ip nat inside source list ACL | route-map RM, interface IF overload';

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

function readSource(args: Args): NatSource {
  return args.has('list') ? { kind: 'list', name: args.text('list') } : { kind: 'route-map', name: args.text('map') };
}

function describeSource({ kind, name }: NatSource): string {
  return `${kind} ${name}`;
}

function addStatement(args: Args, { session, target }: GlobalEdit): void {
  const source = readSource(args);
  const wanted = { line: session.line, ...source, interface: args.text('interface') };
  const same = target.nat.statements.find(({ kind, name }) => kind === source.kind && name === source.name);
  if (same?.interface === wanted.interface) return;
  if (same)
    throw new ConfigError(
      `line ${same.line} translates ${describeSource(source)} already, to ${same.interface}`,
      'the first that matches decides: another list, or a route-map with match interface',
    );
  target.nat.statements.push(wanted);
  session.mark(wanted, '');
}

function removeStatement(args: Args, { session, target }: GlobalEdit): void {
  const source = readSource(args);
  const name = args.optionalText('interface');
  const kept = target.nat.statements.filter(
    (other) => other.kind !== source.kind || other.name !== source.name || (name !== null && other.interface !== name),
  );
  if (kept.length === target.nat.statements.length) session.warnAbsent(`ip nat inside source ${describeSource(source)}`);
  target.nat.statements = kept;
}

function refuseWithoutOverload(): void {
  throw new ConfigError('ip nat inside source without overload is not supported yet', 'append overload');
}

const vrf = refused<GlobalEdit>('vrf', 'VRFs are not supported');
const rest: Node<GlobalEdit>[] = [
  vrf,
  refused('match-in-vrf', 'VRFs are not supported'),
  refused('mapping-id', 'mapping-id of ip nat is not supported'),
  refused('redundancy', 'stateful NAT is not supported'),
  refused('oer', 'oer of ip nat is not supported'),
];

/** What stands behind the list or route-map. */
const translation: Node<GlobalEdit>[] = [
  keyword('interface', 'Specify interface for global address', {
    next: [
      argument('interface', interfaceName, 'Interface name', {
        run: refuseWithoutOverload,
        no: removeStatement,
        next: [keyword('overload', 'Overload an address translation', { run: addStatement, no: removeStatement, next: rest }), ...rest],
      }),
    ],
  }),
  refused('pool', 'ip nat pool is not supported yet', onlyOverload),
  ...rest,
];

const insideNodes: Node<GlobalEdit>[] = [
  keyword('source', 'Source address translation', {
    next: [
      keyword('list', 'Specify access list describing local addresses', {
        next: [argument('list', word(), 'Access list name or number', { no: removeStatement, next: translation })],
      }),
      keyword('route-map', 'Specify route-map', {
        next: [argument('map', word(), 'Route-map name', { no: removeStatement, next: translation })],
      }),
      refused('static', 'ip nat inside source static is not supported yet', onlyOverload),
    ],
  }),
  refused('destination', 'ip nat inside destination is not supported yet', onlyOverload),
];

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
      argument('seconds', integer(1, LongestTimeout), 'Timeout in seconds', { run: (args, edit) => set(args.number('seconds'), edit) }),
    ],
  });
});

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
    ...['all-host', 'host', 'list', 'all-vrf', 'vrf'].map((whom) =>
      refused<GlobalEdit>(whom, `ip nat translation max-entries ${whom} is not supported yet`, 'max-entries N limits all together'),
    ),
  ],
});

/** What else IOS has below `ip nat`. */
const others = ['create', 'log', 'name', 'piggyback-support', 'portmap', 'scale', 'service', 'settings', 'stateful', 'switchover'];

export const natCommands: Node<GlobalEdit>[] = [
  path(
    [['ip', 'Global IP configuration subcommands']],
    [
      keyword('nat', 'NAT configuration commands', {
        commit: true,
        next: [
          keyword('inside', 'Inside address translation', { next: insideNodes }),
          keyword('translation', 'NAT translation entry configuration', {
            next: [
              ...timeoutNodes,
              maxEntries,
              ...['arp-ping-timeout', 'port-timeout', 'pptp-timeout', 'routemap-entry-timeout'].map((what) =>
                refused<GlobalEdit>(what, `ip nat translation ${what} is not supported yet`),
              ),
            ],
          }),
          keyword('outside', 'Outside address translation', {
            next: [refused('source', 'ip nat outside source is not supported yet', onlyOverload)],
          }),
          refused('pool', 'ip nat pool is not supported yet', onlyOverload),
          refused('source', 'ip nat source (NAT virtual interface) is not supported', onlyOverload),
          ...others.map((what) => refused<GlobalEdit>(what, `ip nat ${what} is not supported yet`)),
        ],
      }),
    ],
  ),
];

export function printNat({ nat }: Config): Block[] {
  const timeouts = natTimeoutNames.filter((name) => nat.timeouts[name] !== undefined);
  return [
    ...timeouts.map((name) => block(`ip nat translation ${name} ${nat.timeouts[name]}`)),
    ...(nat.maxEntries === null ? [] : [block(`ip nat translation max-entries ${nat.maxEntries}`)]),
    ...nat.statements.map((item) => block(`ip nat inside source ${describeSource(item)} interface ${item.interface} overload`)),
  ];
}
