// The MTU doctor's report: what the path carries, where it shrinks, what encapsulations cost, and the lines to configure with their arithmetic.

import type { Encapsulation, PathEvent, ProbeEvent } from '../control/api/probe-events.js';
import type { MtuPathCommand } from '../control/config/exec-probe.js';
import { dialects } from './ping.js';
import { printView } from './show/filter.js';

/** IPv4 and TCP headers without options. */
const TcpHeaders = 40;
/** The rule of thumb of GRE over IPsec. */
const ThumbGre = 24;
const ThumbEsp = 56;

function renderIcmp({ icmp, told }: PathEvent): string[] {
  if (icmp === 'heard' && told) {
    const next = told.mtu > 0 ? `next-hop MTU ${told.mtu}` : 'no next-hop MTU (a router older than RFC 1191)';
    return [`  ICMP fragmentation needed: heard from ${told.from}, ${next}`];
  }
  if (icmp === 'blocked')
    return ['  ICMP fragmentation needed: blocked, longer datagrams vanish without a word: hosts need ip tcp adjust-mss'];
  return ['  ICMP fragmentation needed: none was due'];
}

function renderPlace({ shrinksBehind, pathMtu, localMtu, icmp }: PathEvent): string[] {
  if (shrinksBehind) return [`  The path shrinks behind hop ${shrinksBehind.ttl}, ${shrinksBehind.address}`];
  if (pathMtu === localMtu) return ["  The path shrinks nowhere: it is the MTU of this router's own way out"];
  return icmp === null ? [] : ['  Where the path shrinks is unknown: no hop in front of it answers'];
}

function renderHops({ hops, shrinksBehind }: PathEvent): string[] {
  if (hops.length === 0) return [];
  const rows = hops.map(({ ttl, address }) => {
    const mark = ttl === shrinksBehind?.ttl ? '   <- it shrinks behind this one' : '';
    return `  ${String(ttl).padStart(3)} ${address ?? '*'}${mark}`;
  });
  return ['  Hops:', ...rows];
}

function renderEncapsulation({ name, arithmetic, largest, ruleOfThumb, lines, interface: place }: Encapsulation): string[] {
  return [
    '',
    name,
    `  ${arithmetic}`,
    `  Largest packet inside: ${largest}, TCP segment ${largest} - ${TcpHeaders} = ${largest - TcpHeaders}`,
    ...(ruleOfThumb === null ? [] : [`  By the rule of thumb (GRE ${ThumbGre} + ESP ${ThumbEsp}): ip mtu ${ruleOfThumb}`]),
    '  Configure:',
    `   interface ${place}`,
    ...lines.map((line) => `    ${line}`),
  ];
}

function renderAdvice(event: PathEvent, pathMtu: number): string[] {
  if (event.encryptedBy !== null) {
    return [
      '',
      `Sent encrypted by ${event.encryptedBy}: the path MTU is of what goes in, ESP is taken off already`,
      ...plainAdvice(pathMtu),
    ];
  }
  if (event.encapsulations.length > 0) return event.encapsulations.flatMap(renderEncapsulation);
  const thumb = pathMtu - ThumbGre - ThumbEsp;
  const rule = `For a tunnel on this path, by the rule of thumb: ip mtu ${pathMtu} - ${ThumbGre} GRE - ${ThumbEsp} ESP = ${thumb}`;
  return ['', 'Nothing is put around what goes there', ...plainAdvice(pathMtu), rule];
}

function plainAdvice(pathMtu: number): string[] {
  return [`For TCP that goes there: ip tcp adjust-mss ${pathMtu} - ${TcpHeaders} = ${pathMtu - TcpHeaders}`];
}

/** @param detail with every hop */
export function renderPath(event: PathEvent, detail: boolean): string[] {
  const { target, pathMtu, probes } = event;
  if (pathMtu === null) return [`% ${target} does not answer: no path MTU can be found`];
  return [
    `Path MTU to ${target}: ${pathMtu} bytes (${dialects(pathMtu)})`,
    ...renderIcmp(event),
    ...renderPlace(event),
    ...(detail ? [...renderHops(event), `  Echoes sent: ${probes}`] : []),
    ...renderAdvice(event, pathMtu),
  ];
}

/** Prints nothing before the end. */
export class MtuView {
  constructor(private readonly command: MtuPathCommand) {}

  take(event: ProbeEvent): string {
    if (event.kind !== 'path') return '';
    const { pipe, detail } = this.command;
    return printView({ lines: renderPath(event, detail), json: event }, pipe);
  }

  end(): string {
    return '';
  }
}
