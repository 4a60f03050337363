// `show logging` and `show debugging`.

import type { Snapshot } from '../../control/api/snapshot.js';

const plural = (count: number) => `${count} message${count === 1 ? '' : 's'} logged`;

export function renderLogging({ logging }: Snapshot): string[] {
  const { console, buffered, file, trap, hosts } = logging;
  const place = (name: string, level: string | null, messages: number) =>
    `    ${name}: ${level === null ? 'disabled' : `level ${level}, ${plural(messages)}`}`;
  return [
    `Syslog logging: ${logging.enabled ? 'enabled' : 'disabled'} (${logging.dropped} messages dropped)`,
    '',
    place('Console logging', console.severity, console.messages),
    place('Buffer logging', buffered.severity, buffered.messages),
    file === null ? '    File logging: disabled' : place(`File logging: ${file.path}`, file.severity, file.messages),
    place('Trap logging', trap.severity, trap.messages),
    ...hosts.map(({ address, port }) => `        Logging to ${address}  (udp port ${port}, facility ${logging.facility})`),
    '',
    `Log Buffer (${buffered.bytes} bytes):`,
    '',
    ...logging.lines,
  ];
}

export function renderDebugging({ debugging }: Snapshot): string[] {
  const section = (title: string, lines: string[]): string[] => (lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]);
  const isCrypto = (line: string): boolean => line.startsWith('Crypto ');
  const isNat = (line: string): boolean => line.startsWith('IP NAT ');
  return [
    ...section('Cryptographic Subsystem:', debugging.filter(isCrypto)),
    ...section(
      'CRYPTO GDOI:',
      debugging.filter((line) => !isNat(line) && !isCrypto(line)),
    ),
    ...section('Generic IP:', debugging.filter(isNat)),
  ];
}
