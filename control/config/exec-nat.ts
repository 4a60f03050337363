// The exec commands of NAT: `show ip nat ...`, `show route-map`, `clear ip nat translation ...`.

import { formatIpv4 } from './addresses.js';
import { integer, ipv4, word } from './arguments.js';
import { type ExecNode, type ExecSink, give, show } from './exec-node.js';
import { type Args, argument, keyword, path, refused } from './tree.js';

/** Which translations are meant; null = any. Addresses are unsigned. */
export interface NatFilter {
  /** IP protocol number. */
  protocol: number | null;
  insideGlobal: number | null;
  insideGlobalPort: number | null;
  insideLocal: number | null;
  insideLocalPort: number | null;
  outsideLocal: number | null;
  outsideLocalPort: number | null;
  outsideGlobal: number | null;
  outsideGlobalPort: number | null;
}

/** Which translations are shown. Addresses as they are printed; each fits the local or the global end. */
export interface NatSelection {
  /** In the words of a translation; null = any. */
  protocol: string | null;
  inside: string | null;
  outside: string | null;
  /** Their number alone. */
  total: boolean;
}

const addressOf = (args: Args, name: string): string | null => (args.has(name) ? formatIpv4(args.number(name)) : null);
const showTranslations = show((args) => ({
  topic: 'ip nat translations',
  verbose: args.has('verbose'),
  selection: {
    protocol: args.optionalText('protocol'),
    inside: addressOf(args, 'inside'),
    outside: addressOf(args, 'outside'),
    total: args.has('total'),
  },
}));
const showRouteMap = show((args) => ({ topic: 'route-map', name: args.optionalText('name'), all: args.has('all') }));

function selectionNodes(): ExecNode[] {
  const end = (side: 'inside' | 'outside'): ExecNode =>
    keyword(side, `${side === 'inside' ? 'Inside' : 'Outside'} entries`, {
      once: true,
      next: [argument(side, ipv4, 'Local or global address', { run: showTranslations, next: selectionNodes })],
    });
  return [
    ...['esp', 'gre', 'icmp', 'tcp', 'udp'].map((name) =>
      keyword<ExecSink>(name, `${name.toUpperCase()} entries`, { set: ['protocol', name], run: showTranslations, next: selectionNodes }),
    ),
    end('inside'),
    end('outside'),
    keyword('total', 'Their number', { set: ['total', 1], run: showTranslations }),
    keyword('verbose', 'Show extra information', { set: ['verbose', 1], run: showTranslations }),
  ];
}

/** Below `show ip`. */
export const showNatNodes: ExecNode[] = [
  path(
    [['nat', 'IP NAT information']],
    [
      keyword('statistics', 'Translation statistics', { run: show(() => ({ topic: 'ip nat statistics' })) }),
      keyword('translations', 'Translation entries', { run: showTranslations, next: selectionNodes }),
    ],
  ),
];

/** Below `show`. */
export const showRouteMapNode: ExecNode = keyword('route-map', 'Route-map information', {
  run: showRouteMap,
  next: [
    keyword('all', 'All route-maps, static and dynamic', { set: ['all', 1], run: showRouteMap }),
    argument('name', word(), 'Route-map name', { run: showRouteMap }),
  ],
});

const clear = give((args) => ({
  kind: 'clear ip nat translation',
  filter: {
    protocol: args.optionalNumber('protocol'),
    insideGlobal: args.optionalNumber('insideGlobal'),
    insideGlobalPort: args.optionalNumber('insideGlobalPort'),
    insideLocal: args.optionalNumber('insideLocal'),
    insideLocalPort: args.optionalNumber('insideLocalPort'),
    outsideLocal: args.optionalNumber('outsideLocal'),
    outsideLocalPort: args.optionalNumber('outsideLocalPort'),
    outsideGlobal: args.optionalNumber('outsideGlobal'),
    outsideGlobalPort: args.optionalNumber('outsideGlobalPort'),
  },
}));

/** The two addresses of a side, in IOS's order: inside global first, outside local first. @param withPorts a port behind each */
function ends(side: 'inside' | 'outside', withPorts: boolean, next: ExecNode[]): ExecNode {
  const forced: ExecNode = keyword('forced', 'Also while it is in use', { run: clear });
  const order = side === 'inside' ? (['Global', 'Local'] as const) : (['Local', 'Global'] as const);
  const address = (which: 'Global' | 'Local', then: ExecNode[], isLast: boolean): ExecNode => {
    const run = isLast ? { run: clear } : {};
    const port = argument<ExecSink>(`${side}${which}Port`, integer(1, 65535), `${which} port`, { ...run, next: then });
    return argument(`${side}${which}`, ipv4, `${which} address`, withPorts ? { next: [port] } : { ...run, next: then });
  };
  const last = address(order[1], [...next, forced], true);
  return keyword(side, `${side === 'inside' ? 'Inside' : 'Outside'} addresses`, { next: [address(order[0], [last], false)] });
}

/** Below `clear`. */
export const clearNatNode: ExecNode = path(
  [
    ['ip', 'IP'],
    ['nat', 'Clear NAT'],
  ],
  [
    keyword('translation', 'Clear dynamic translations', {
      next: [
        keyword('*', 'Delete all dynamic translations', { run: clear }),
        keyword('forced', 'Delete all dynamic translations, also those in use', { run: clear }),
        ends('inside', false, [ends('outside', false, [])]),
        ends('outside', false, []),
        ...(
          [
            ['tcp', 6],
            ['udp', 17],
          ] as const
        ).map(([name, protocol]) =>
          keyword<ExecSink>(name, `${name.toUpperCase()} entries`, {
            set: ['protocol', protocol],
            next: [ends('inside', true, [ends('outside', true, [])])],
          }),
        ),
        refused('vrf', 'VRFs are not supported'),
      ],
    }),
    refused('statistics', 'counters are Prometheus counters and never go back'),
  ],
);

/** Below `debug`, and with `on` false below `undebug`. */
export function debugNatNode(on: boolean): ExecNode {
  const set = (level: 'on' | 'detailed') =>
    give((args) => ({ kind: 'debug ip nat', level: on ? level : 'off', list: on ? args.optionalText('list') : null }));
  const detailed = keyword<ExecSink>('detailed', 'NAT detailed events', { run: set('detailed') });
  const list = argument<ExecSink>('list', word(), 'Access list: of what it permits alone', { run: set('on'), next: [detailed] });
  return path([['ip', 'IP information']], [keyword('nat', 'NAT events', { run: set('on'), next: [detailed, list] })]);
}
