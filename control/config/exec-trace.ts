// `packet-tracer input IF PROTOCOL ...`: what would become of a packet, asked of the tables that are in force. Words and order as on ASA; the
// options behind the addresses are ours.
//
//   tcp|udp SOURCE PORT DESTINATION PORT · icmp SOURCE TYPE CODE DESTINATION · esp SOURCE SPI DESTINATION · PROTOCOL SOURCE DESTINATION

import { integer, interfaceName, ipv4, type word } from './arguments.js';
import { protocolNumbers, tcpPorts, udpPorts } from './commands/service-names.js';
import { type ExecNode, type ExecSink, give } from './exec-node.js';
import { type Args, argument, keyword } from './tree.js';

/** The packet that is asked about. */
export interface TracedFlow {
  /** IP protocol. */
  protocol: number;
  source: number;
  destination: number;
  /** Of protocols with ports. */
  ports: { source: number; destination: number } | null;
  icmp: { type: number; code: number } | null;
  spi: number | null;
  /** Bytes of the datagram; null = as many as its headers need. */
  size: number | null;
  dontFragment: boolean;
  tos: number;
  /** TCP: ACK instead of SYN. */
  established: boolean;
}

export interface TraceCommand {
  kind: 'packet-tracer';
  interface: string;
  flow: TracedFlow;
  /** As if it had come out of an SA. */
  decrypted: boolean;
  detailed: boolean;
  json: boolean;
}

const Icmp = 1;
const Esp = 50;
const withPorts: readonly [string, number, Map<string, number>][] = [
  ['tcp', 6, tcpPorts],
  ['udp', 17, udpPorts],
];
const icmpTypes = new Map([
  ['echo', 8],
  ['echo-reply', 0],
  ['unreachable', 3],
  ['time-exceeded', 11],
]);
/** RFC 4303 §2.1: below are reserved. */
const LeastSpi = 256;
/** Bytes that a packet slot takes. */
const MostBytes = 1856;

function readTrace(args: Args): TraceCommand {
  const ports = args.has('sourcePort') ? { source: args.number('sourcePort'), destination: args.number('destinationPort') } : null;
  return {
    kind: 'packet-tracer',
    interface: args.text('interface'),
    flow: {
      protocol: args.number('protocol'),
      source: args.number('source'),
      destination: args.number('destination'),
      ports,
      icmp: args.has('icmpType') ? { type: args.number('icmpType'), code: args.number('icmpCode') } : null,
      spi: args.optionalNumber('spi'),
      size: args.optionalNumber('size'),
      dontFragment: args.has('dontFragment'),
      tos: args.optionalNumber('tos') ?? 0,
      established: args.has('established'),
    },
    decrypted: args.has('decrypted'),
    detailed: args.has('detailed'),
    json: args.has('json'),
  };
}

const run = give(readTrace);

function flag(name: string, field: string, help: string): ExecNode {
  return keyword(name, help, { set: [field, 1], once: true, run, next: optionNodes });
}

/** One list for every place, so that each option is taken once in a line. */
let options: ExecNode[] | null = null;

function optionNodes(): ExecNode[] {
  options ??= makeOptionNodes();
  return options;
}

function makeOptionNodes(): ExecNode[] {
  return [
    flag('decrypted', 'decrypted', 'As if it had come out of an IPsec SA'),
    flag('detailed', 'detailed', 'Show what each stage saw'),
    flag('df-bit', 'dontFragment', "Set the don't fragment bit"),
    flag('established', 'established', 'TCP: ACK instead of SYN'),
    flag('json', 'json', 'Show as JSON'),
    keyword('size', 'Bytes of the datagram', {
      once: true,
      next: [argument('size', integer(28, MostBytes), 'Bytes', { run, next: optionNodes })],
    }),
    keyword('tos', 'Type of service', { once: true, next: [argument('tos', integer(0, 255), 'ToS octet', { run, next: optionNodes })] }),
  ];
}

/** A number, or one of the names. */
function numberNodes(field: string, highest: number, names: ReadonlyMap<string, number>, help: string, next: ExecNode[]): ExecNode[] {
  return [
    argument(field, integer(0, highest), help, { next }),
    ...[...names].map(([name, value]) => keyword<ExecSink>(name, `${help} ${value}`, { set: [field, value], next })),
  ];
}

const destination: ExecNode = argument('destination', ipv4, 'Destination address', { run, next: optionNodes });

function portFlow(names: Map<string, number>): ExecNode[] {
  const last = [...names, ['', -1] as const].flatMap(([name, value]): ExecNode[] =>
    name === ''
      ? [argument('destinationPort', integer(0, 65535), 'Destination port', { run, next: optionNodes })]
      : [keyword(name, `Destination port ${value}`, { set: ['destinationPort', value], run, next: optionNodes })],
  );
  const middle: ExecNode[] = [argument('destination', ipv4, 'Destination address', { next: last })];
  return [argument('source', ipv4, 'Source address', { next: numberNodes('sourcePort', 65535, names, 'Source port', middle) })];
}

const icmpFlow: ExecNode[] = [
  argument('source', ipv4, 'Source address', {
    next: numberNodes('icmpType', 255, icmpTypes, 'ICMP type', [
      argument('icmpCode', integer(0, 255), 'ICMP code', { next: [destination] }),
    ]),
  }),
];

const spi = {
  label: `<${LeastSpi}-4294967295>`,
  read(words: Parameters<ReturnType<typeof word>['read']>[0], index: number) {
    const { text } = words[index];
    const value = /^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text) ? Number(text) : -1;
    return value >= LeastSpi && value <= 0xffffffff ? { value, used: 1 } : null;
  },
};

const espFlow: ExecNode[] = [
  argument('source', ipv4, 'Source address', { next: [argument('spi', spi, 'Security parameters index', { next: [destination] })] }),
];

const plainFlow: ExecNode[] = [argument('source', ipv4, 'Source address', { next: [destination] })];

const special = new Set([Icmp, Esp, ...withPorts.map(([, number]) => number)]);

const protocolNodes: ExecNode[] = [
  ...withPorts.map(([name, number, names]) =>
    keyword<ExecSink>(name, `A ${name.toUpperCase()} packet`, { set: ['protocol', number], next: portFlow(names) }),
  ),
  keyword('icmp', 'An ICMP packet', { set: ['protocol', Icmp], next: icmpFlow }),
  keyword('esp', 'An ESP packet', { set: ['protocol', Esp], next: espFlow }),
  ...[...protocolNumbers]
    .filter(([, number]) => !special.has(number))
    .map(([name, number]) => keyword<ExecSink>(name, `A packet of IP protocol ${number}`, { set: ['protocol', number], next: plainFlow })),
  argument('protocol', integer(1, 255), 'A packet of an IP protocol', { next: plainFlow }),
];

export const traceNode: ExecNode = keyword('packet-tracer', 'What would become of a packet', {
  next: [
    keyword('input', 'Interface by which it arrives', {
      next: [argument('interface', interfaceName, 'Interface name', { next: protocolNodes })],
    }),
  ],
});
