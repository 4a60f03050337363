// Log lines of the control process. The line an operator sees is IOS's (syslog-format.ts); under systemd the journal gets each with its
// severity; with GROUPWIRE_LOG=json the records come out as pino's JSON. Other places: syslog.ts.

import { fstatSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import type { Severity } from './actions.js';
import { Syslog } from './syslog.js';
import { iosLine, journalLine, type LogRecord } from './syslog-format.js';

/** pino levels by syslog severity 0..7. */
const levels = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'] as const;

export interface SystemLog {
  /** @param mnemonic as in `%FACILITY-SEVERITY-MNEMONIC`; @param text never holds key material */
  write(facility: string, severity: Severity, mnemonic: string, text: string): void;
}

/** Whether standard error is systemd's journal: it says so by device and inode (systemd.exec(5), JOURNAL_STREAM). */
function isJournal(stream = process.env.JOURNAL_STREAM): boolean {
  if (!stream) return false;
  try {
    const { dev, ino } = fstatSync(2);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** @param out where lines go, e.g. process.stderr */
function consoleOf(out: { write(line: string): unknown }): (record: LogRecord) => void {
  if (process.env.GROUPWIRE_LOG !== 'json') {
    const format = isJournal() ? journalLine : iosLine;
    return (record) => void out.write(format(record));
  }
  const logger: Logger = pino(
    { base: null, level: 'debug', timestamp: () => `,"time":${Date.now()}` },
    { write: (line) => void out.write(line) },
  );
  return ({ severity, code, text }) => logger[levels[severity]]({ severity, code }, text);
}

export function openLog(out: { write(line: string): unknown }): Syslog {
  return new Syslog(consoleOf(out));
}
