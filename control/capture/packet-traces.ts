// `debug platform packet-trace`: the next packets that a list permits, each followed from where it comes in to where it leaves or ends. The list is asked where a packet is seen
// first. It ends when so many have been seen, after a minute, or by `undebug`; what it found stays until the next one.

import type { FromCapture } from '../../dataplane/tables/capture.js';
import type { PacketTraceState } from '../api/snapshot-packet-trace.js';
import { interfacesByPort } from '../compile/interfaces-by-port.js';
import type { ExecCommand } from '../config/exec.js';
import { done, type ExecAnswer, refused } from '../exec.js';
import type { CaptureMeans } from './captures.js';
import { describeRecord, describeWay, type SeenRecord } from './followed-packet.js';
import { filterRows, type Recording } from './recordings.js';
import type { CaptureRecord } from './records.js';

const MostMs = 60_000;
/** The last packet may wait in a queue for so long. */
const LastMs = 1000;

export class PacketTraces implements Recording {
  readonly title = 'debug platform packet-trace';
  private wanted = 0;
  private accessList: string | null = null;
  private active = false;
  private timer: NodeJS.Timeout | null = null;
  /** Records by number of the packet, in the order in which they came. */
  private readonly packets = new Map<number, SeenRecord[]>();

  constructor(private readonly means: Pick<CaptureMeans, 'router' | 'recordings'>) {}

  /** For the snapshot. */
  state(): PacketTraceState {
    const { active, wanted, accessList } = this;
    return { active, wanted, accessList, packets: [...this.packets.values()].map(describeWay) };
  }

  /** @returns null when the line is none of ours */
  run(command: ExecCommand | { error: string }): ExecAnswer | null {
    if ('error' in command) return null;
    if (command.kind === 'debug packet-trace') return this.start(command.packets, command.accessList);
    if (command.kind === 'debug' && command.selection === null) this.close(); // undebug all: others have to hear it too
    if (command.kind !== 'undebug packet-trace') return null;
    this.close();
    return done('Packet tracing is off');
  }

  take({ wallMs, last }: FromCapture, records: readonly CaptureRecord[]): void {
    const { config, allocation } = this.means.router;
    const names = interfacesByPort(config, allocation);
    for (const record of records) {
      const known = this.packets.get(record.packet);
      if (known === undefined && this.packets.size === this.wanted) continue;
      const name = names.get(record.port) ?? `port ${record.port}`;
      const isTunnel = config.interfaces.get(name)?.tunnel !== undefined;
      const seen = describeRecord({ ...record, micros: Math.floor(wallMs * 1000) + record.micros }, name, isTunnel);
      if (known) known.push(seen);
      else this.packets.set(record.packet, [seen]);
      if (known === undefined && this.packets.size === this.wanted) this.endIn(LastMs);
    }
    if (last) this.close();
  }

  lose(): void {
    this.close();
  }

  /** What was found stays. */
  close(): void {
    this.active = false;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.means.recordings.end(this);
  }

  private start(wanted: number, accessList: string | null): ExecAnswer {
    const { router, recordings } = this.means;
    const aces = filterRows(accessList, router.config);
    if (typeof aces === 'string') return refused(`% ${aces}`);
    const ports = [...router.config.interfaces.keys()].map((name) => 2 ** router.allocation.ports.take(name));
    const wire = ports.reduce((mask, bit) => mask + bit, 0);
    const problem = recordings.begin(this, { wire, inner: true, aces, follow: true });
    if (problem !== null) return refused(problem);
    this.packets.clear();
    this.wanted = wanted;
    this.accessList = accessList;
    this.active = true;
    this.endIn(MostMs);
    const which = accessList === null ? '' : ` that access list ${accessList} permits`;
    return done(`The next ${wanted} packets${which} are traced`);
  }

  private endIn(ms: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), ms);
  }
}
