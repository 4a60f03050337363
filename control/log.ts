// Log lines of the control process. pino does levels and structure; the line an operator sees is IOS's:
//   *2026-11-23T23:15:02.123Z: %GDOI-5-GM_REGS_COMPL: Registration to KS 172.16.4.2 complete for group G using address 172.16.2.2
// With GROUPWIRE_LOG=json the same records come out as pino's JSON. The last lines are kept for `show logging`.

import { type Logger, pino } from 'pino';
import type { Severity } from './actions.js';

/** pino levels by syslog severity 0..7. */
const levels = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'] as const;

interface Record {
  time: number;
  severity: Severity;
  code: string;
  msg: string;
}

function formatLine(record: Record): string {
  return `*${new Date(record.time).toISOString()}: ${record.code}: ${record.msg}\n`;
}

export interface SystemLog {
  /** @param mnemonic as in `%FACILITY-SEVERITY-MNEMONIC`; @param text never holds key material */
  write(facility: string, severity: Severity, mnemonic: string, text: string): void;
}

/** @param out where lines go, e.g. process.stderr */
export function openLog(out: { write(line: string): unknown }): SystemLog {
  const json = process.env.GROUPWIRE_LOG === 'json';
  const destination = { write: (line: string) => void out.write(json ? line : formatLine(JSON.parse(line) as Record)) };
  const logger: Logger = pino({ base: null, level: 'debug', timestamp: () => `,"time":${Date.now()}` }, destination);
  return {
    write(facility, severity, mnemonic, text) {
      logger[levels[severity]]({ severity, code: `%${facility}-${severity}-${mnemonic}` }, text);
    },
  };
}
