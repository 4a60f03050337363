// `logging ...` as the rest of control sees it.

import type { Ipv4 } from './model.js';

/** Severity by number (RFC 5424 §6.2.1), in the words of IOS. */
export const severityNames = [
  'emergencies',
  'alerts',
  'critical',
  'errors',
  'warnings',
  'notifications',
  'informational',
  'debugging',
] as const;
export type LogSeverity = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
/** RFC 5424 §6.2.1, those that IOS names. */
export const logFacilities = {
  auth: 4,
  cron: 9,
  daemon: 3,
  kern: 0,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
  lpr: 6,
  mail: 2,
  news: 7,
  syslog: 5,
  user: 1,
  uucp: 8,
} as const;
export type LogFacility = keyof typeof logFacilities;

/** What is absent is as by default. */
export interface Logging {
  /** `no logging on`: the console alone. */
  off?: true;
  console?: LogSeverity | 'off';
  buffered?: { bytes: number; severity: LogSeverity } | 'off';
  /** Severity towards hosts. */
  trap?: LogSeverity | 'off';
  facility?: LogFacility;
  file?: { path: string; severity: LogSeverity };
  hosts: { address: Ipv4; port: number }[];
}
