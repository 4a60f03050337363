// Beginnings and ends of NAT sessions as an operator wants them: syslog lines (`ip nat log translations syslog`), a file of JSON lines
// (`ip nat log translations file PATH`) with the names of IPFIX (RFC 7012's registry, RFC 8158), and `debug ip nat`. What is too much is lost and counted.

import { createWriteStream, type WriteStream } from 'node:fs';
import { NatLogEvent, NatLogRow, NatRow, NatRuleBase } from '../dataplane/tables/layout.js';
import type { Ms } from './actions.js';
import { permitsFlow } from './compile/acl-flow.js';
import { formatIpv4 } from './config/addresses.js';
import { describeProtocol } from './config/commands/service-names.js';
import type { Config, NatLogging } from './config/model.js';
import type { SystemLog } from './log.js';

/** Lines of one batch, of which there are five a second: more are counted and not written. */
const MaxLines = 200;
const MaxDebugLines = 20;
/** A file system that hangs must not fill our memory. */
const MaxFileBacklog = 1 << 20;

/** IANA's natEvent (RFC 8158 §4.3). */
const natEvents = { [NatLogEvent.Created]: 4, [NatLogEvent.Ended]: 5 } as const;

/** @param row words of a session that has begun or ended @param now Unix ms @returns one JSON line's object */
export function ipfixRecord(row: Int32Array, now: Ms) {
  const protocol = row[NatRow.Protocol];
  const high = (word: NatRow): number => row[word] >>> 16;
  const low = (word: NatRow): number => row[word] & 0xffff;
  const address = (word: NatRow): string => formatIpv4(row[word] >>> 0);
  return {
    observationTimeMilliseconds: now - row[NatLogRow.At],
    natEvent: natEvents[row[NatLogRow.Event] as NatLogEvent],
    protocolIdentifier: protocol,
    sourceIPv4Address: address(NatRow.InsideAddress),
    postNATSourceIPv4Address: address(NatRow.GlobalAddress),
    destinationIPv4Address: address(NatRow.OutsideLocal),
    postNATDestinationIPv4Address: address(NatRow.OutsideAddress),
    sourceTransportPort: high(NatRow.InsidePorts),
    postNAPTSourceTransportPort: high(NatRow.OutsidePorts),
    destinationTransportPort: low(NatRow.InsidePorts),
    postNAPTDestinationTransportPort: low(NatRow.OutsidePorts),
    packetsOut: row[NatRow.PacketsOut] >>> 0,
    packetsIn: row[NatRow.PacketsIn] >>> 0,
  };
}
type Ipfix = ReturnType<typeof ipfixRecord>;

/** As on IOS: protocol, inside local, inside global, outside local, outside global. */
function describe(record: Ipfix): string {
  const isIcmp = record.protocolIdentifier === 1;
  const end = (address: string, port: number, own: number): string => `${address}:${isIcmp ? own : port}`;
  return [
    describeProtocol(record.protocolIdentifier),
    end(record.sourceIPv4Address, record.sourceTransportPort, record.sourceTransportPort),
    end(record.postNATSourceIPv4Address, record.postNAPTSourceTransportPort, record.postNAPTSourceTransportPort),
    end(record.destinationIPv4Address, record.destinationTransportPort, record.sourceTransportPort),
    end(record.postNATDestinationIPv4Address, record.postNAPTDestinationTransportPort, record.postNAPTSourceTransportPort),
  ].join(' ');
}

export type NatDebugLevel = 'off' | 'on' | 'detailed';

export class NatLog {
  private logging: NatLogging = { syslog: false, file: null };
  private file: { path: string; stream: WriteStream } | null = null;
  private suppressed = 0;

  constructor(private readonly log: SystemLog) {}

  /** Opens the file again: one that was rotated goes on under its own name. */
  configure(logging: NatLogging): void {
    this.logging = logging;
    this.file?.stream.end();
    this.file = null;
    if (logging.file === null) return;
    const stream = createWriteStream(logging.file, { flags: 'a', mode: 0o640 });
    stream.on('error', (error) => {
      this.log.write('IPNAT', 3, 'LOG_FILE', `${logging.file}: ${error.message}`);
      if (this.file?.stream === stream) this.file = null;
    });
    this.file = { path: logging.file, stream };
  }

  /** Is there anybody to tell? */
  wants(debug: NatDebugLevel): boolean {
    return this.logging.syslog || this.logging.file !== null || debug !== 'off';
  }

  /** @param rows words of sessions as the packet path sends them @param now Unix ms @param isShown of which `debug ip nat` is to tell */
  take(rows: Int32Array, debug: NatDebugLevel, now: Ms, isShown: (row: Int32Array) => boolean = () => true): void {
    let lost = 0;
    let shown = 0;
    const count = Math.floor(rows.length / NatRow.Words);
    for (let i = 0; i < count; i++) {
      const row = rows.subarray(i * NatRow.Words, (i + 1) * NatRow.Words);
      const record = ipfixRecord(row, now);
      if (this.file && !this.append(record)) lost++;
      if (this.logging.syslog) {
        if (i < MaxLines) this.log.write('IPNAT', 6, record.natEvent === 4 ? 'CREATED' : 'DELETED', describe(record));
        else lost++;
      }
      if (debug !== 'off' && shown < MaxDebugLines && isShown(row)) {
        shown++;
        this.log.write('IPNAT', 7, 'DEBUG', debugLine(record, row, debug));
      }
    }
    if (lost > 0) this.suppressed += lost;
    if (lost > 0) this.log.write('IPNAT', 4, 'LOG_LOST', `${lost} beginnings and ends of translations were not logged: too many at once`);
  }

  /** How many were not written for want of room. */
  get lost(): number {
    return this.suppressed;
  }

  close(): void {
    this.file?.stream.end();
  }

  private append(record: Ipfix): boolean {
    const stream = this.file?.stream;
    if (!stream || stream.writableLength > MaxFileBacklog) return false;
    stream.write(`${JSON.stringify(record)}\n`);
    return true;
  }
}

/** `debug ip nat LIST`: sessions whose packets, as the inside sends them, the list permits. @param list null = all; one that is gone permits nothing */
export function natDebugFilter(config: Config, list: string | null): (row: Int32Array) => boolean {
  if (list === null) return () => true;
  return (row) => {
    const entries = config.accessLists.get(list);
    const flow = {
      protocol: row[NatRow.Protocol],
      source: row[NatRow.InsideAddress] >>> 0,
      sourcePort: row[NatRow.InsidePorts] >>> 16,
      destination: row[NatRow.OutsideLocal] >>> 0,
      destinationPort: row[NatRow.InsidePorts] & 0xffff,
    };
    return entries !== undefined && permitsFlow(config, entries, flow);
  };
}

/** As IOS's `debug ip nat` names a packet. */
function debugLine(record: Ipfix, row: Int32Array, level: NatDebugLevel): string {
  const what = record.natEvent === 4 ? 'created' : 'deleted';
  const short = `NAT: s=${record.sourceIPv4Address}->${record.postNATSourceIPv4Address}, d=${record.destinationIPv4Address}`;
  const translated =
    record.destinationIPv4Address === record.postNATDestinationIPv4Address ? short : `${short}->${record.postNATDestinationIPv4Address}`;
  if (level !== 'detailed') return `${translated} ${what}`;
  const mapping = (row[NatRow.Rule] & NatRuleBase.Mask) + 1;
  return `${translated} ${what}: ${describe(record)}, mapping ${mapping}, ${record.packetsOut} packets out, ${record.packetsIn} in`;
}
