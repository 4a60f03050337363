// `monitor capture NAME interface IF|inner|outer|both [filter LIST] [packets N] [bytes N] [seconds N] export FILE`, `monitor capture NAME stop`,
// `no monitor capture NAME`, `show monitor capture [NAME]`. Options in any order in front of `export`.

import { integer, interfaceName, word } from './arguments.js';
import { type ExecNode, type ExecSink, give, show } from './exec-node.js';
import { argument, keyword, path } from './tree.js';

export interface CaptureLimits {
  packets: number;
  /** Of the file. */
  bytes: number;
  seconds: number;
}

/** An interface, or what stands for several places. */
export type CaptureTarget = { kind: 'interface'; name: string } | { kind: 'inner' | 'outer' | 'both' };

export type CaptureCommand =
  | {
      kind: 'monitor capture';
      name: string;
      target: CaptureTarget;
      accessList: string | null;
      limits: CaptureLimits;
      file: string;
    }
  | { kind: 'monitor capture stop'; name: string }
  | { kind: 'no monitor capture'; name: string };

/** Every capture ends by itself. */
const defaults: CaptureLimits = { packets: 100_000, bytes: 100_000_000, seconds: 600 };

const start = give((args) => ({
  kind: 'monitor capture',
  name: args.text('name'),
  target: args.has('place')
    ? { kind: args.text('place') as 'inner' | 'outer' | 'both' }
    : { kind: 'interface', name: args.text('interface') },
  accessList: args.optionalText('accessList'),
  limits: {
    packets: args.optionalNumber('packets') ?? defaults.packets,
    bytes: args.optionalNumber('bytes') ?? defaults.bytes,
    seconds: args.optionalNumber('seconds') ?? defaults.seconds,
  },
  file: args.text('file'),
}));

function limit(name: keyof CaptureLimits, least: number, most: number, help: string): ExecNode {
  return keyword(name, help, { once: true, next: [argument(name, integer(least, most), help, { next: optionNodes })] });
}

/** One list for every place, so that each option is taken once in a line. */
let options: ExecNode[] | null = null;

function optionNodes(): ExecNode[] {
  options ??= [
    keyword('filter', 'Only what an access list permits', {
      once: true,
      next: [argument('accessList', word(), 'Access list', { next: optionNodes })],
    }),
    limit('packets', 1, 100_000_000, 'End after so many packets'),
    limit('bytes', 10_000, 1e12, 'End before the file is larger'),
    limit('seconds', 1, 1_000_000, 'End after so long'),
    keyword('export', 'Write to a file', { next: [argument('file', word(1024), 'A new file, pcapng', { run: start })] }),
  ];
  return options;
}

function place(name: 'inner' | 'outer' | 'both', help: string): ExecNode {
  return keyword<ExecSink>(name, help, { set: ['place', name], next: optionNodes });
}

const nameArgument = (next: ExecNode[]): ExecNode => argument('name', word(32), 'Name of the capture', { next });

export const captureNode: ExecNode = path(
  [
    ['monitor', 'Monitoring functions'],
    ['capture', 'Capture packets'],
  ],
  [
    nameArgument([
      keyword('interface', 'Where packets are seen', {
        next: [
          place('inner', 'What SAs seal and open, and what tunnels carry'),
          place('outer', 'What interfaces receive and send'),
          place('both', 'Both'),
          argument('interface', interfaceName, 'Interface name', { next: optionNodes }),
        ],
      }),
      keyword('stop', 'End it', { run: give((args) => ({ kind: 'monitor capture stop', name: args.text('name') })) }),
    ]),
  ],
);

/** Behind `no`. */
export const noCaptureNode: ExecNode = path(
  [
    ['monitor', 'Monitoring functions'],
    ['capture', 'Capture packets'],
  ],
  [argument('name', word(32), 'Name of the capture', { run: give((args) => ({ kind: 'no monitor capture', name: args.text('name') })) })],
);

const showCapture = show((args) => ({ topic: 'monitor capture', name: args.optionalText('name') }));

/** Behind `show`. */
export const showCaptureNode: ExecNode = path(
  [['monitor', 'Monitoring functions']],
  [
    keyword('capture', 'Captures of packets', {
      run: showCapture,
      next: [argument('name', word(32), 'Name of the capture', { run: showCapture })],
    }),
  ],
);
