// `ping`, `traceroute` and `show mtu path`: what is asked of the network, in IOS's words (options in any order, each once).

import { type ArgumentType, integer, interfaceName, ipv4 } from './arguments.js';
import { type ExecNode, type ExecSink, give, type Pipe } from './exec-node.js';
import { ConfigError } from './session.js';
import { type Args, argument, keyword } from './tree.js';

/** Address, or name of the interface whose primary address it is; null = the kernel chooses. */
export type ProbeSource = { address: number } | { interface: string } | null;

export interface Sweep {
  min: number;
  max: number;
  interval: number;
}

export interface PingCommand {
  kind: 'ping';
  target: number;
  repeat: number;
  /** Bytes of the whole IPv4 datagram. */
  size: number;
  timeoutSeconds: number;
  dontFragment: boolean;
  source: ProbeSource;
  tos: number;
  /** 16 bits; null = {@link defaultPattern}. */
  pattern: number | null;
  validate: boolean;
  /** In place of `size`. */
  sweep: Sweep | null;
}

export interface TracerouteCommand {
  kind: 'traceroute';
  target: number;
  source: ProbeSource;
  timeoutSeconds: number;
  /** Probes per hop. */
  probes: number;
  minTtl: number;
  maxTtl: number;
  port: number;
}

export interface MtuPathCommand {
  kind: 'mtu path';
  target: number;
  source: ProbeSource;
  detail: boolean;
  pipe: Pipe | null;
}

export type ProbeCommand = PingCommand | TracerouteCommand | MtuPathCommand;

export const defaultPattern = 0xabcd;

/** Ranges and defaults of IOS; the dialogue asks for the same. */
export const pingLimits = {
  repeat: { low: 1, high: 2147483647, usual: 5 },
  size: { low: 36, high: 18024, usual: 100 },
  timeout: { low: 0, high: 3600, usual: 2 },
  tos: { low: 0, high: 255, usual: 0 },
  interval: { low: 1, high: 18024, usual: 1 },
} as const;

function range({ low, high }: { low: number; high: number }): ArgumentType {
  return integer(low, high);
}

/** `0xABCD` or `ABCD`. */
export const hexPattern: ArgumentType = {
  label: '<0-FFFF>',
  read(words, index) {
    const match = /^(?:0x)?([0-9a-f]{1,4})$/i.exec(words[index].text);
    return match ? { value: Number.parseInt(match[1], 16), used: 1 } : null;
  },
};

function sourceOf(args: Args): ProbeSource {
  if (args.has('sourceAddress')) return { address: args.number('sourceAddress') };
  return args.has('sourceInterface') ? { interface: args.text('sourceInterface') } : null;
}

function sourceNode(run: ExecNode['run'], next: () => ExecNode[]): ExecNode {
  const spec = run ? { run, next } : { next };
  return keyword<ExecSink>('source', 'Source address or interface', {
    once: true,
    next: [argument('sourceAddress', ipv4, 'Source address', spec), argument('sourceInterface', interfaceName, 'Source interface', spec)],
  });
}

const runPing = give((args) => ({
  kind: 'ping',
  target: args.number('target'),
  repeat: args.optionalNumber('repeat') ?? pingLimits.repeat.usual,
  size: args.optionalNumber('size') ?? pingLimits.size.usual,
  timeoutSeconds: args.optionalNumber('timeout') ?? pingLimits.timeout.usual,
  dontFragment: args.has('dontFragment'),
  source: sourceOf(args),
  tos: args.optionalNumber('tos') ?? pingLimits.tos.usual,
  pattern: args.optionalNumber('pattern'),
  validate: args.has('validate'),
  sweep: args.has('min') ? readSweep(args) : null,
}));

function readSweep(args: Args): Sweep {
  const sweep = { min: args.number('min'), max: args.number('max'), interval: args.number('interval') };
  if (sweep.max < sweep.min) throw new ConfigError(`Sweep max size ${sweep.max} is below the min size ${sweep.min}`);
  return sweep;
}

function pingOption(name: string, help: string, field: string, type: ArgumentType, argumentHelp: string): ExecNode {
  return keyword<ExecSink>(name, help, { once: true, next: [argument(field, type, argumentHelp, { run: runPing, next: pingOptions })] });
}

/** One list for every place, so that each option is taken once in a line. */
let madePingOptions: ExecNode[] | null = null;

function pingOptions(): ExecNode[] {
  madePingOptions ??= [
    pingOption('data', 'Specify data pattern', 'pattern', hexPattern, 'Data pattern'),
    keyword('df-bit', "Enable don't fragment bit in IP header", { set: ['dontFragment', 1], once: true, run: runPing, next: pingOptions }),
    pingOption('repeat', 'Specify repeat count', 'repeat', range(pingLimits.repeat), 'Repeat count'),
    pingOption('size', 'Specify datagram size', 'size', range(pingLimits.size), 'Datagram size: the whole IP datagram'),
    sourceNode(runPing, pingOptions),
    keyword('sweep', 'Sweep range of sizes', {
      once: true,
      next: [
        argument('min', range(pingLimits.size), 'Sweep min size', {
          next: [
            argument('max', range(pingLimits.size), 'Sweep max size', {
              next: [argument('interval', range(pingLimits.interval), 'Sweep interval', { run: runPing, next: pingOptions })],
            }),
          ],
        }),
      ],
    }),
    pingOption('timeout', 'Specify timeout interval', 'timeout', range(pingLimits.timeout), 'Seconds'),
    pingOption('tos', 'Specify type of service value', 'tos', range(pingLimits.tos), 'ToS octet'),
    keyword('validate', 'Validate reply data', { set: ['validate', 1], once: true, run: runPing, next: pingOptions }),
  ];
  return madePingOptions;
}

const pingTarget = argument<ExecSink>('target', ipv4, 'Ping destination address', { run: runPing, next: pingOptions });

export const pingNode: ExecNode = keyword('ping', 'Send echo messages', {
  run: give(() => ({ kind: 'ping dialogue' })),
  next: [keyword('ip', 'IP echo', { next: [pingTarget] }), pingTarget],
});

const runTraceroute = give((args) => {
  const [minTtl, maxTtl] = [args.optionalNumber('minTtl') ?? 1, args.optionalNumber('maxTtl') ?? 30];
  if (maxTtl < minTtl) throw new ConfigError(`Maximum time to live ${maxTtl} is below the minimum ${minTtl}`);
  return {
    kind: 'traceroute',
    target: args.number('target'),
    source: sourceOf(args),
    timeoutSeconds: args.optionalNumber('timeout') ?? 3,
    probes: args.optionalNumber('probes') ?? 3,
    minTtl,
    maxTtl,
    port: args.optionalNumber('port') ?? 33434,
  };
});

function traceOption(name: string, help: string, field: string, type: ArgumentType, argumentHelp: string): ExecNode {
  return keyword<ExecSink>(name, help, {
    once: true,
    next: [argument(field, type, argumentHelp, { run: runTraceroute, next: traceOptions })],
  });
}

let madeTraceOptions: ExecNode[] | null = null;

function traceOptions(): ExecNode[] {
  madeTraceOptions ??= [
    keyword('numeric', 'Display numeric address: names are never looked up', { once: true, run: runTraceroute, next: traceOptions }),
    traceOption('port', 'Specify port number', 'port', integer(1, 65535), 'UDP port of the first probe'),
    traceOption('probe', 'Specify number of probes per hop', 'probes', integer(1, 65535), 'Number of probes'),
    sourceNode(runTraceroute, traceOptions),
    traceOption('timeout', 'Specify time out', 'timeout', range(pingLimits.timeout), 'Seconds'),
    keyword('ttl', 'Specify minimum and maximum ttl', {
      once: true,
      next: [
        argument('minTtl', integer(1, 255), 'Minimum time to live', {
          next: [argument('maxTtl', integer(1, 255), 'Maximum time to live', { run: runTraceroute, next: traceOptions })],
        }),
      ],
    }),
  ];
  return madeTraceOptions;
}

const traceTarget = argument<ExecSink>('target', ipv4, 'Trace route to destination address', { run: runTraceroute, next: traceOptions });

export const tracerouteNode: ExecNode = keyword('traceroute', 'Trace route to destination', {
  next: [keyword('ip', 'IP trace', { next: [traceTarget] }), traceTarget],
});

const runMtuPath = give((args) => ({
  kind: 'mtu path',
  target: args.number('target'),
  source: sourceOf(args),
  detail: args.has('detail'),
  pipe: null,
}));

function mtuOptions(): ExecNode[] {
  madeMtuOptions ??= [
    keyword('detail', 'Show every hop', { set: ['detail', 1], once: true, run: runMtuPath, next: mtuOptions }),
    sourceNode(runMtuPath, mtuOptions),
  ];
  return madeMtuOptions;
}

let madeMtuOptions: ExecNode[] | null = null;

export const showMtuNode: ExecNode = keyword('mtu', 'Maximum transmission units', {
  next: [
    keyword('path', 'Find the path MTU by asking, and what to configure', {
      next: [argument('target', ipv4, 'Destination address', { run: runMtuPath, next: mtuOptions })],
    }),
  ],
});
