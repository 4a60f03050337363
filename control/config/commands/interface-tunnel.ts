// tunnel ... of an `interface Tunnel`: GRE over IPv4 (RFC 2784, RFC 2890). Does not: multipoint GRE, IPIP, IPsec modes, IPv6: each is an error
// where it is written.

import { formatIpv4 } from '../addresses.js';
import { integer, interfaceName, ipv4, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { defaultTunnelTtl, type InterfaceConfig, type TunnelConfig } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path, refused } from '../tree.js';

type InterfaceEdit = Edit<'config-if'>;
type Run = (args: Args, edit: InterfaceEdit) => void;

export function newTunnel(): TunnelConfig {
  return {
    sourceInterface: null,
    sourceAddress: null,
    destination: null,
    key: null,
    checksum: false,
    sequence: false,
    ttl: defaultTunnelTtl,
    tos: null,
    pathMtuDiscovery: false,
    keepalive: null,
    protection: null,
  };
}

/** Changes the tunnel, remembering the line. @throws ConfigError on another interface */
function change(field: string, read: (args: Args) => Partial<TunnelConfig>): Run {
  return (args, { session, target }) => {
    if (!target.tunnel) throw new ConfigError(`${target.name} is no tunnel`, 'interface Tunnel0');
    Object.assign(target.tunnel, read(args));
    session.mark(target, `tunnel ${field}`);
  };
}

const isOnlyGre = 'tunnel mode gre ip is the mode that there is';

function onOff(words: string, help: string, field: 'checksum' | 'sequence'): Node<InterfaceEdit> {
  return keyword(words, help, { run: change(field, () => ({ [field]: true })), no: change(field, () => ({ [field]: false })) });
}

/** `path-mtu-discovery [age-timer MINUTES|infinite] [min-mtu BYTES]`: a line says all of it. */
function setPathMtu(isOn: boolean): Run {
  return (args, edit) => {
    change('path-mtu-discovery', () => ({ pathMtuDiscovery: isOn }))(args, edit);
    const { tunnel } = edit.target;
    if (!tunnel) return;
    const ager = args.optionalText('never') === null ? args.optionalNumber('ager') : 'infinite';
    const least = args.optionalNumber('least');
    delete tunnel.pathMtuAger;
    delete tunnel.pathMtuLeast;
    if (isOn && ager !== null) tunnel.pathMtuAger = ager;
    if (isOn && least !== null) tunnel.pathMtuLeast = least;
  };
}

const leastNode: Node<InterfaceEdit> = keyword('min-mtu', 'Minimum MTU for tunnel path mtu discovery', {
  next: [argument('least', integer(92, 65535), 'MTU (bytes)', { run: setPathMtu(true), no: setPathMtu(false) })],
});
const pathMtuNodes: Node<InterfaceEdit>[] = [
  keyword('age-timer', 'Set PMTUD aging timer', {
    next: [
      argument('ager', integer(10, 30), 'Aging time (minutes)', { run: setPathMtu(true), no: setPathMtu(false), next: [leastNode] }),
      ...choice<InterfaceEdit>(
        'never',
        { infinite: ['infinite', 'Disable PMTUD aging timer'] },
        { run: setPathMtu(true), no: setPathMtu(false), next: [leastNode] },
      ),
    ],
  }),
  leastNode,
];

export const tunnelCommands: Node<InterfaceEdit>[] = [
  keyword('tunnel', 'protocol-over-protocol tunneling', {
    commit: true,
    next: [
      onOff('checksum', 'enable end to end checksumming of packets', 'checksum'),
      keyword('destination', 'destination of tunnel', {
        no: change('destination', () => ({ destination: null })),
        next: [
          argument('address', ipv4, 'ip address', { run: change('destination', (args) => ({ destination: args.number('address') })) }),
          refused('dynamic', 'tunnel destination dynamic is not supported', 'tunnel destination A.B.C.D'),
        ],
      }),
      keyword('key', 'security or selector key', {
        no: change('key', () => ({ key: null })),
        next: [argument('key', integer(0, 0xffffffff), 'key', { run: change('key', (args) => ({ key: args.number('key') })) })],
      }),
      keyword('mode', 'tunnel encapsulation method', {
        no: change('mode', () => ({})),
        next: [
          keyword('gre', 'generic route encapsulation protocol', {
            next: [
              keyword('ip', 'over IP', { run: change('mode', () => ({})) }),
              refused('multipoint', 'tunnel mode gre multipoint is not supported', isOnlyGre),
              refused('ipv6', 'tunnel mode gre ipv6 is not supported', isOnlyGre),
            ],
          }),
          refused('ipsec', 'tunnel mode ipsec is not supported yet', isOnlyGre),
          refused('ipip', 'tunnel mode ipip is not supported', isOnlyGre),
          refused('ipv6ip', 'tunnel mode ipv6ip is not supported', isOnlyGre),
        ],
      }),
      keyword('path-mtu-discovery', 'Enable Path MTU Discovery on tunnel', {
        run: setPathMtu(true),
        no: setPathMtu(false),
        next: pathMtuNodes,
      }),
      keyword('protection', 'Enable tunnel protection', {
        no: change('protection', () => ({ protection: null })),
        next: [
          path(
            [['ipsec', 'Use ipsec to protect this tunnel interface']],
            [
              keyword('profile', 'Determine the ipsec policy profile to use.', {
                no: change('protection', () => ({ protection: null })),
                next: [
                  argument('profile', word(), 'Name of the ipsec profile', {
                    run: change('protection', (args) => ({ protection: args.text('profile') })),
                    no: change('protection', () => ({ protection: null })),
                    next: [
                      refused('shared', 'tunnel protection ... shared is not supported', 'a key and a source of its own for each tunnel'),
                    ],
                  }),
                ],
              }),
            ],
          ),
        ],
      }),
      onOff('sequence-datagrams', 'drop datagrams arriving out of order', 'sequence'),
      keyword('source', 'source of tunnel packets', {
        no: change('source', () => ({ sourceAddress: null, sourceInterface: null })),
        next: [
          argument('address', ipv4, 'ip address', {
            run: change('source', (args) => ({ sourceAddress: args.number('address'), sourceInterface: null })),
          }),
          argument('interface', interfaceName, 'Interface name', {
            run: change('source', (args) => ({ sourceInterface: args.text('interface'), sourceAddress: null })),
          }),
        ],
      }),
      keyword('tos', 'set type of sevice byte', {
        no: change('tos', () => ({ tos: null })),
        next: [
          argument('tos', integer(0, 255), 'tos byte value; the ECN bits are always those of the payload', {
            run: change('tos', (args) => ({ tos: args.number('tos') })),
          }),
        ],
      }),
      keyword('ttl', 'set time to live', {
        no: change('ttl', () => ({ ttl: defaultTunnelTtl })),
        next: [argument('ttl', integer(1, 255), 'ttl', { run: change('ttl', (args) => ({ ttl: args.number('ttl') })) })],
      }),
    ],
  }),
  keepalive(),
];

/** IOS: every 10 seconds, down when three in a row do not come back. */
const defaultKeepalive = { seconds: 10, retries: 3 };

function keepalive(): Node<InterfaceEdit> {
  const run = change('keepalive', (args) => ({
    keepalive: {
      seconds: args.optionalNumber('seconds') ?? defaultKeepalive.seconds,
      retries: args.optionalNumber('retries') ?? defaultKeepalive.retries,
    },
  }));
  const no: Run = (args, edit) => {
    if (edit.target.tunnel) change('keepalive', () => ({ keepalive: null }))(args, edit);
  };
  const retries = argument<InterfaceEdit>('retries', integer(1, 255), 'Keepalive retries', { run, no });
  const seconds = argument<InterfaceEdit>('seconds', integer(1, 32767), 'Keepalive period (default 10 seconds)', {
    run,
    no,
    next: [retries],
  });
  return keyword('keepalive', 'Enable keepalive', { commit: true, run, no, next: [seconds] });
}

function pathMtuWords({ pathMtuAger, pathMtuLeast }: TunnelConfig): string {
  const ager = pathMtuAger === undefined ? '' : ` age-timer ${pathMtuAger}`;
  return `path-mtu-discovery${ager}${pathMtuLeast === undefined ? '' : ` min-mtu ${pathMtuLeast}`}`;
}

export function printTunnel({ tunnel }: InterfaceConfig): Block[] {
  if (!tunnel) return [];
  const { sourceInterface, sourceAddress, destination, key, checksum, sequence, ttl, tos, pathMtuDiscovery, keepalive, protection } =
    tunnel;
  const source = sourceInterface ?? (sourceAddress === null ? null : formatIpv4(sourceAddress));
  return [
    source !== null && `source ${source}`,
    destination !== null && `destination ${formatIpv4(destination)}`,
    key !== null && `key ${key}`,
    sequence && 'sequence-datagrams',
    checksum && 'checksum',
    ttl !== defaultTunnelTtl && `ttl ${ttl}`,
    tos !== null && `tos ${tos}`,
    pathMtuDiscovery && pathMtuWords(tunnel),
    protection !== null && `protection ipsec profile ${protection}`,
  ]
    .flatMap((words) => (words === false ? [] : [block(`tunnel ${words}`)]))
    .concat(keepalive === null ? [] : [block(`keepalive ${keepalive.seconds} ${keepalive.retries}`)]);
}
