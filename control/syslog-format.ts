// One log record as text. Pure.
//
//   IOS       *2026-11-23T23:15:02.123Z: %GDOI-5-GM_REGS_COMPL: Registration to KS 172.16.4.2 complete for group G ...
//   RFC 5424  <189>1 2026-11-23T23:15:02.123Z R1 groupwire 4711 GDOI-5-GM_REGS_COMPL - %GDOI-5-GM_REGS_COMPL: Registration to KS ...
//   journal   <5>%GDOI-5-GM_REGS_COMPL: ...     what systemd reads from the standard error of a service (sd-daemon(3)); it has the time itself

import type { Severity } from './actions.js';
import { logFacilities } from './config/logging-model.js';

export interface LogRecord {
  /** Unix ms. */
  time: number;
  severity: Severity;
  /** `%FACILITY-SEVERITY-MNEMONIC`. */
  code: string;
  text: string;
}

/** RFC 5424 §6.2.7: 32 printable characters. */
const MaxMessageId = 32;
/** RFC 5424 §6.1: what every receiver must take is 480 bytes, should be 2048. */
const MaxBytes = 2048;

/** Line ends and other controls of foreign text (a peer's identity, a file name) never begin a line of their own. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** @returns a line with its end */
export function iosLine({ time, code, text }: LogRecord): string {
  return `*${new Date(time).toISOString()}: ${code}: ${oneLine(text)}\n`;
}

/** @returns a line with its end */
export function journalLine({ severity, code, text }: LogRecord): string {
  return `<${severity}>${code}: ${oneLine(text)}\n`;
}

export interface SyslogSource {
  hostname: string;
  processId: number;
  facility: keyof typeof logFacilities;
}

/** @returns one message without a line end, at most 2048 bytes */
export function rfc5424({ time, severity, code, text }: LogRecord, { hostname, processId, facility }: SyslogSource): string {
  const priority = logFacilities[facility] * 8 + severity;
  const id = code
    .slice(1)
    .replace(/[^!-~]/g, '_')
    .slice(0, MaxMessageId);
  const name = hostname.replace(/[^!-~]/g, '').slice(0, 255) || '-';
  const head = `<${priority}>1 ${new Date(time).toISOString()} ${name} groupwire ${processId} ${id || '-'} - `;
  const message = `${head}${code}: ${oneLine(text)}`;
  if (Buffer.byteLength(message) <= MaxBytes) return message;
  // Cut between characters.
  return new TextDecoder().decode(Buffer.from(message).subarray(0, MaxBytes)).replace(/\uFFFD$/, '');
}
