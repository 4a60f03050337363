// Where log records go: console (standard error, or the journal behind it), the buffer of `show logging`, a file, syslog servers (RFC 5426).
// A place that cannot take a record loses it and counts it; nothing waits and nothing else suffers.

import { createSocket, type Socket } from 'node:dgram';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Severity } from './actions.js';
import type { LoggingState } from './api/snapshot-logging.js';
import { formatIpv4 } from './config/addresses.js';
import { loggingDefaults } from './config/commands/logging.js';
import { type Logging, type LogSeverity, severityNames } from './config/logging-model.js';
import type { SystemLog } from './log.js';
import { iosLine, type LogRecord, rfc5424, type SyslogSource } from './syslog-format.js';

/** A file system that hangs must not fill our memory. */
const MaxFileBacklog = 1 << 20;

export class Syslog implements SystemLog {
  private logging: Logging = { hosts: [] };
  private hostname = 'Router';
  private buffer: string[] = [];
  private bufferBytes = 0;
  private file: { path: string; stream: WriteStream } | null = null;
  private socket: Socket | null = null;
  private readonly counts = { console: 0, buffered: 0, file: 0, hosts: 0, dropped: 0 };

  /** @param console takes one record as its format wants it @param clock Unix ms */
  constructor(
    private readonly console: (record: LogRecord) => void,
    private readonly clock: () => number = Date.now,
  ) {}

  /** Applies `logging ...`. Files are opened again: a log that was rotated goes on under its own name. */
  configure(logging: Logging | undefined, hostname: string): void {
    this.logging = logging ?? { hosts: [] };
    this.hostname = hostname;
    this.file?.stream.end();
    this.file = null;
    const { file, hosts, off } = this.logging;
    if (file && !off) this.openFile(file.path);
    if (hosts.length === 0 || off) {
      this.socket?.close();
      this.socket = null;
    } else if (!this.socket) {
      this.socket = createSocket('udp4').on('error', () => undefined);
      this.socket.unref();
    }
    this.trim();
  }

  write(facility: string, severity: Severity, mnemonic: string, text: string): void {
    const record = { time: this.clock(), severity, code: `%${facility}-${severity}-${mnemonic}`, text };
    if (this.takes(this.logging.console ?? loggingDefaults.console, severity)) {
      this.counts.console++;
      this.console(record);
    }
    if (this.logging.off) return;
    const { bufferSeverity } = this.bufferSettings();
    if (this.takes(bufferSeverity, severity)) this.keep(record);
    if (this.logging.file && this.takes(this.logging.file.severity, severity)) this.append(record);
    if (this.takes(this.logging.trap ?? loggingDefaults.trap, severity)) this.send(record);
  }

  /** What `show logging` prints. */
  state(): LoggingState {
    const { off, console, trap, facility, file, hosts } = this.logging;
    const { bufferBytes, bufferSeverity } = this.bufferSettings();
    const name = (severity: LogSeverity | 'off') => (severity === 'off' ? null : severityNames[severity]);
    return {
      enabled: !off,
      dropped: this.counts.dropped,
      console: { severity: name(console ?? loggingDefaults.console), messages: this.counts.console },
      buffered: { severity: name(bufferSeverity), messages: this.counts.buffered, bytes: bufferBytes },
      file: file ? { path: file.path, severity: name(file.severity), messages: this.counts.file } : null,
      trap: { severity: name(trap ?? loggingDefaults.trap), messages: this.counts.hosts },
      facility: facility ?? loggingDefaults.facility,
      hosts: hosts.map(({ address, port }) => ({ address: formatIpv4(address), port })),
      lines: this.buffer.map((line) => line.trimEnd()),
    };
  }

  /** `clear logging`. */
  clear(): void {
    this.buffer = [];
    this.bufferBytes = 0;
  }

  close(): void {
    this.file?.stream.end();
    this.socket?.close();
    this.socket = null;
    this.file = null;
  }

  private takes(level: LogSeverity | 'off', severity: Severity): boolean {
    return level !== 'off' && severity <= level;
  }

  private bufferSettings(): { bufferBytes: number; bufferSeverity: LogSeverity | 'off' } {
    const buffered = this.logging.buffered ?? loggingDefaults.buffered;
    if (buffered === 'off') return { bufferBytes: 0, bufferSeverity: 'off' };
    return { bufferBytes: buffered.bytes, bufferSeverity: buffered.severity };
  }

  private keep(record: LogRecord): void {
    const line = iosLine(record);
    this.counts.buffered++;
    this.buffer.push(line);
    this.bufferBytes += Buffer.byteLength(line);
    this.trim();
  }

  private trim(): void {
    const { bufferBytes } = this.bufferSettings();
    while (this.bufferBytes > bufferBytes) this.bufferBytes -= Buffer.byteLength(this.buffer.shift() ?? '');
  }

  private source(): SyslogSource {
    return { hostname: this.hostname, processId: process.pid, facility: this.logging.facility ?? loggingDefaults.facility };
  }

  private openFile(path: string): void {
    const stream = createWriteStream(path, { flags: 'a', mode: 0o640 });
    this.file = { path, stream };
    stream.on('error', (error) => {
      if (this.file?.stream !== stream) return;
      this.file = null; // before it is said, so that it is not said again for this line
      this.write('SYS', 3, 'LOGGING_FILE', `cannot write ${path}: ${error.message}`);
    });
  }

  private append(record: LogRecord): void {
    const { file } = this;
    if (!file || file.stream.writableLength > MaxFileBacklog) {
      this.counts.dropped++;
      return;
    }
    this.counts.file++;
    file.stream.write(`${rfc5424(record, this.source())}\n`);
  }

  private send(record: LogRecord): void {
    if (!this.socket || this.logging.hosts.length === 0) return;
    const message = Buffer.from(rfc5424(record, this.source()));
    for (const { address, port } of this.logging.hosts) {
      this.counts.hosts++;
      this.socket.send(message, port, formatIpv4(address), (error) => {
        if (error) this.counts.dropped++;
      });
    }
  }
}
