// Small formatting shared by the show files: durations, addresses, port and protocol names as IOS prints them.

import type { AceState } from '../../control/api/snapshot.js';

/** IP protocol names that IOS prints instead of numbers. */
const protocolNames: Record<number, string> = {
  1: 'icmp',
  2: 'igmp',
  4: 'ipinip',
  6: 'tcp',
  17: 'udp',
  46: 'rsvp',
  47: 'gre',
  50: 'esp',
  51: 'ahp',
  88: 'eigrp',
  89: 'ospf',
  94: 'nos',
  103: 'pim',
  108: 'pcp',
};

export function formatProtocol(protocol: number | null): string {
  return protocol === null ? 'ip' : (protocolNames[protocol] ?? String(protocol));
}

/** `hh:mm:ss`; hours grow beyond two digits. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** Remaining times are shown in whole seconds and never below zero. */
export function formatSeconds(seconds: number): string {
  return String(Math.max(0, Math.floor(seconds)));
}

/** `0x5A69F51E(1516893470)`. */
export function formatSpi(spi: number): string {
  return `0x${spi.toString(16).toUpperCase()}(${spi})`;
}

/** `any`, `host 10.0.0.1` or `10.0.0.0 0.0.255.255`. */
export function formatMatch(address: string, wildcard: string): string {
  if (wildcard === '255.255.255.255') return 'any';
  if (wildcard === '0.0.0.0') return `host ${address}`;
  return `${address} ${wildcard}`;
}

/** One ACE in the words of the configuration: `deny udp any eq 848 any eq 848`. */
export function formatAce(ace: AceState): string {
  const port = (match: AceState['sourcePort']) => (match ? ` ${match.operator} ${match.ports.join(' ')}` : '');
  const source = formatMatch(ace.source, ace.sourceWildcard) + port(ace.sourcePort);
  const destination = formatMatch(ace.destination, ace.destinationWildcard) + port(ace.destinationPort);
  return `${ace.action} ${formatProtocol(ace.protocol)} ${source} ${destination}`;
}

/** The same in the words of `show crypto gdoi`, which writes `port = 848` where the configuration has `eq 848`. */
export function formatGroupAce(ace: AceState): string {
  return formatAce(ace).replace(/ eq (\d+)/g, ' port = $1');
}

export function isValue<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** `10.0.0.0/16` -> mask in dots. */
export function formatMask(prefixLength: number): string {
  const mask = prefixLength === 0 ? 0 : (-1 << (32 - prefixLength)) >>> 0;
  return [mask >>> 24, (mask >>> 16) & 255, (mask >>> 8) & 255, mask & 255].join('.');
}

/** Blocks with an empty line between them. */
export function joinBlocks(blocks: string[][]): string[] {
  return blocks.flatMap((lines, index) => (index > 0 ? ['', ...lines] : lines));
}
