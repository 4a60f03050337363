// logging ...: where log lines go and from which severity on. `logging file` is ours: IOS has no files that a Linux user would look at.
// Does not: monitor, rate-limit, discriminators, origin-id, source-interface, TCP or TLS to a host.
// Defaults are those of IOS: console and buffer take everything, hosts take informational and above as facility local7.

import { formatIpv4 } from '../addresses.js';
import { integer, ipv4, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { type LogFacility, type Logging, type LogSeverity, logFacilities, severityNames } from '../logging-model.js';
import type { Config } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path } from '../tree.js';

type GlobalEdit = Edit<'config'>;

export const loggingDefaults = {
  console: 7,
  buffered: { bytes: 4096, severity: 7 },
  trap: 6,
  facility: 'local7',
  port: 514,
  fileSeverity: 6,
} as const;
const MaxBufferBytes = 1 << 20;
/** As on IOS. */
const MaxHosts = 16;

/** Works on the settings; what is as by default is not kept. */
function change(target: Config, edit: (logging: Logging) => void): void {
  const logging = target.logging ?? { hosts: [] };
  edit(logging);
  const { console, buffered, trap, facility } = logging;
  const plain = loggingDefaults;
  if (console === plain.console) delete logging.console;
  if (typeof buffered === 'object' && buffered.bytes === plain.buffered.bytes && buffered.severity === plain.buffered.severity)
    delete logging.buffered;
  if (trap === plain.trap) delete logging.trap;
  if (facility === plain.facility) delete logging.facility;
  if (Object.keys(logging).length === 1 && logging.hosts.length === 0) delete target.logging;
  else target.logging = logging;
}

function run(edit: (logging: Logging, args: Args) => void) {
  return (args: Args, { session, target }: GlobalEdit): void => {
    change(target, (logging) => edit(logging, args));
    session.mark(target, 'logging');
  };
}

/** A severity by name or number, at the end of a line. */
function severities(action: (args: Args, edit: GlobalEdit) => void): Node<GlobalEdit>[] {
  const names = Object.fromEntries(severityNames.map((name, value): [string, [number, string]] => [name, [value, `Severity ${value}`]]));
  return [...choice<GlobalEdit>('severity', names, { run: action }), argument('severity', integer(0, 7), 'Severity', { run: action })];
}

const severityOf = (args: Args, fallback: LogSeverity): LogSeverity => (args.optionalNumber('severity') ?? fallback) as LogSeverity;

const setConsole = run((logging, args) => {
  logging.console = severityOf(args, loggingDefaults.console);
});
const setTrap = run((logging, args) => {
  logging.trap = severityOf(args, loggingDefaults.trap);
});
const setBuffered = run((logging, args) => {
  const { bytes, severity } = loggingDefaults.buffered;
  logging.buffered = { bytes: args.optionalNumber('bytes') ?? bytes, severity: severityOf(args, severity) };
});
const setFile = run((logging, args) => {
  const path = args.text('path');
  if (!path.startsWith('/')) throw new ConfigError('the path of a log file begins with /');
  logging.file = { path, severity: severityOf(args, loggingDefaults.fileSeverity) };
});

function addHost(args: Args, { session, target }: GlobalEdit): void {
  const host = { address: args.number('address'), port: args.optionalNumber('port') ?? loggingDefaults.port };
  change(target, (logging) => {
    logging.hosts = logging.hosts.filter(({ address }) => address !== host.address);
    if (logging.hosts.length === MaxHosts) throw new ConfigError(`at most ${MaxHosts} logging hosts`);
    logging.hosts.push(host);
  });
  session.mark(target, 'logging');
}

function removeHost(args: Args, { session, target }: GlobalEdit): void {
  const address = args.number('address');
  if (!target.logging?.hosts.some((host) => host.address === address)) {
    session.warnAbsent(`logging host ${formatIpv4(address)}`);
    return;
  }
  change(target, (logging) => {
    logging.hosts = logging.hosts.filter((host) => host.address !== address);
  });
}

const hostNode = argument<GlobalEdit>('address', ipv4, 'Address of a syslog server', {
  commit: true,
  run: addHost,
  no: removeHost,
  next: [
    path(
      [
        ['transport', 'Transport to the server'],
        ['udp', 'Datagrams (RFC 5426)'],
      ],
      [keyword('port', 'UDP port', { next: [argument('port', integer(1, 65535), 'UDP port', { run: addHost })] })],
    ),
  ],
});

const loggingNodes: Node<GlobalEdit>[] = [
  hostNode,
  keyword('buffered', 'What show logging prints', {
    commit: true,
    run: setBuffered,
    no: run((logging) => {
      logging.buffered = 'off';
    }),
    next: [
      argument('bytes', integer(4096, MaxBufferBytes), 'Size of the buffer in bytes', { run: setBuffered, next: severities(setBuffered) }),
      ...severities(setBuffered),
    ],
  }),
  keyword('console', 'Standard error of the process', {
    commit: true,
    run: setConsole,
    no: run((logging) => {
      logging.console = 'off';
    }),
    next: severities(setConsole),
  }),
  keyword('facility', 'Facility of messages to hosts and files', {
    commit: true,
    no: run((logging) => {
      delete logging.facility;
    }),
    next: Object.keys(logFacilities).map((name) =>
      keyword(name, `Facility ${name}`, {
        run: run((logging) => {
          logging.facility = name as LogFacility;
        }),
      }),
    ),
  }),
  keyword('file', 'A file with one RFC 5424 message per line', {
    commit: true,
    no: run((logging) => {
      delete logging.file;
    }),
    next: [argument('path', word(255), 'Path of the file', { run: setFile, next: severities(setFile) })],
  }),
  keyword('host', 'A syslog server', { commit: true, next: [hostNode] }),
  keyword('on', 'Logging to anything but the console', {
    commit: true,
    run: run((logging) => {
      delete logging.off;
    }),
    no: run((logging) => {
      logging.off = true;
    }),
  }),
  keyword('trap', 'Severity of messages to hosts', {
    commit: true,
    run: setTrap,
    no: run((logging) => {
      logging.trap = 'off';
    }),
    next: severities(setTrap),
  }),
];

export const loggingCommands: Node<GlobalEdit>[] = [keyword('logging', 'Message logging', { next: loggingNodes })];

export function printLogging(config: Config): Block[] {
  const { logging } = config;
  if (!logging) return [];
  const { off, console, buffered, trap, facility, file, hosts } = logging;
  const level = (words: string, value: LogSeverity | 'off' | undefined) =>
    value !== undefined && (value === 'off' ? `no logging ${words}` : `logging ${words} ${severityNames[value]}`);
  const port = (value: number) => (value === loggingDefaults.port ? '' : ` transport udp port ${value}`);
  const lines = [
    off && 'no logging on',
    buffered === 'off' ? 'no logging buffered' : buffered && `logging buffered ${buffered.bytes} ${severityNames[buffered.severity]}`,
    level('console', console),
    file && `logging file ${file.path} ${severityNames[file.severity]}`,
    level('trap', trap),
    facility && `logging facility ${facility}`,
    ...hosts.map((host) => `logging host ${formatIpv4(host.address)}${port(host.port)}`),
  ];
  return lines.flatMap((line) => (line ? [block(line)] : []));
}
