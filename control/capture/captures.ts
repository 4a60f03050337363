// `monitor capture`: packets that the dataplane has seen, written to a pcapng file until a limit is reached, somebody stops it, or the file cannot grow.
// One is active at a time; what has ended is remembered until its name is taken anew or removed.

import { dropTexts } from '../../dataplane/counters/declare.js';
import { CapturePlace, type FromCapture } from '../../dataplane/tables/capture.js';
import type { Ms } from '../actions.js';
import type { CaptureState } from '../api/snapshot-capture.js';
import { readVersion } from '../api/version.js';
import type { Allocation } from '../compile/allocation.js';
import { interfacesByPort } from '../compile/interfaces-by-port.js';
import type { ExecCommand } from '../config/exec.js';
import type { CaptureCommand, CaptureTarget } from '../config/exec-capture.js';
import type { Config } from '../config/model.js';
import { done, type ExecAnswer, refused } from '../exec.js';
import type { SystemLog } from '../log.js';
import { CaptureFile, CaptureFileError } from './capture-file.js';
import { interfaceBlock, packetBlock, sectionBlock } from './pcapng.js';
import { filterRows, type Recording, type Recordings } from './recordings.js';
import type { CaptureRecord } from './records.js';

/** The dataplane has sent all that it had by then, or is gone. */
const LastRecordsMs = 2000;

export interface CaptureMeans {
  router: { readonly config: Config; readonly allocation: Pick<Allocation, 'ports'> };
  log: Pick<SystemLog, 'write'>;
  recordings: Pick<Recordings, 'busy' | 'begin' | 'finish' | 'end'>;
  now(): Ms;
}

type StartCommand = Extract<CaptureCommand, { kind: 'monitor capture' }>;

interface ActiveCapture {
  state: CaptureState;
  recording: Recording;
  file: CaptureFile;
  /** Numbers of interface blocks by port and place. */
  interfaces: Map<string, number>;
  timer: NodeJS.Timeout;
  /** Why its last records are waited for; null = they are not yet. */
  ending: string | null;
  /** Somebody waits for the end. */
  whenEnded: (() => void)[];
}

/** @returns ports of which the wire is recorded, bit by bit, and whether SAs are; or what is wrong */
function placesOf(target: CaptureTarget, { config, allocation }: CaptureMeans['router']): { wire: number; inner: boolean } | string {
  const bit = (name: string): number => 2 ** allocation.ports.take(name);
  if (target.kind === 'interface') {
    if (!config.interfaces.has(target.name)) return `There is no interface ${target.name}`;
    if (target.name.startsWith('Loopback')) return `${target.name} carries no packets`;
    return { wire: bit(target.name), inner: false };
  }
  const wanted = [...config.interfaces.values()].filter(
    ({ name, tunnel }) => !name.startsWith('Loopback') && (target.kind === 'both' || (tunnel !== undefined) === (target.kind === 'inner')),
  );
  return { wire: wanted.reduce((mask, { name }) => mask + bit(name), 0), inner: target.kind !== 'outer' };
}

export class Captures {
  private active: ActiveCapture | null = null;
  /** By name, in the order in which they began. */
  private readonly known = new Map<string, CaptureState>();

  constructor(private readonly means: CaptureMeans) {}

  /** For the snapshot. */
  states(): CaptureState[] {
    return [...this.known.values()].map((state) => ({ ...state, limits: { ...state.limits } }));
  }

  /** @returns null when the line is none of ours */
  run(command: ExecCommand | { error: string }): Promise<ExecAnswer> | null {
    if ('error' in command) return null;
    switch (command.kind) {
      case 'monitor capture':
        return Promise.resolve(this.start(command));
      case 'monitor capture stop':
        return this.stop(command.name);
      case 'no monitor capture':
        return this.remove(command.name);
      default:
        return null;
    }
  }

  close(): void {
    if (this.active) this.end(this.active, 'the router was stopped');
  }

  private start({ name, target, accessList, limits, file: path }: StartCommand): ExecAnswer {
    const { router, recordings, log, now } = this.means;
    if (recordings.busy !== null) return refused(recordings.busy);
    const places = placesOf(target, router);
    if (typeof places === 'string') return refused(`% ${places}`);
    const aces = filterRows(accessList, router.config);
    if (typeof aces === 'string') return refused(`% ${aces}`);
    let file: CaptureFile;
    try {
      file = CaptureFile.create(path, sectionBlock(`groupwire ${readVersion()}`));
    } catch (error) {
      if (error instanceof CaptureFileError) return refused(`% ${error.message}`);
      throw error;
    }
    const state: CaptureState = {
      name,
      target: target.kind === 'interface' ? target.name : target.kind,
      accessList,
      file: path,
      limits: { ...limits },
      active: true,
      ended: null,
      startedAt: now(),
      endedAt: null,
      packets: 0,
      bytes: file.size,
      dropped: 0,
      lost: 0,
    };
    const timer = setTimeout(() => void this.finish(name, 'the time is over'), limits.seconds * 1000);
    const recording: Recording = {
      title: `Capture ${name}`,
      take: (head, records) => this.take(capture, head, records),
      lose: () => this.end(capture, 'the dataplane was lost'),
    };
    const capture: ActiveCapture = { state, recording, file, interfaces: new Map(), timer, ending: null, whenEnded: [] };
    const problem = recordings.begin(recording, { ...places, aces, follow: false });
    if (problem !== null) {
      clearTimeout(timer);
      file.discard();
      return refused(problem);
    }
    this.active = capture;
    this.known.delete(name);
    this.known.set(name, state);
    log.write('BUFCAP', 6, 'ENABLE', `Capture Point ${name} enabled.`);
    return done(`Started capture point : ${name}`);
  }

  private async stop(name: string): Promise<ExecAnswer> {
    const state = this.known.get(name);
    if (!state) return refused(`% Capture ${name} does not exist`);
    if (!state.active) return refused(`% Capture ${name} is not active: ${state.ended}`);
    await this.finish(name, 'stopped');
    return done(`Stopped capture point : ${name}`, `${state.packets} packets, ${state.bytes} bytes in ${state.file}`);
  }

  private async remove(name: string): Promise<ExecAnswer> {
    const state = this.known.get(name);
    if (!state) return refused(`% Capture ${name} does not exist`);
    if (state.active) await this.finish(name, 'removed');
    if (this.known.get(name) === state) this.known.delete(name);
    return done();
  }

  /** Ends the active capture when all that was recorded until now is written. */
  private finish(name: string, why: string): Promise<void> {
    const capture = this.active;
    if (capture?.state.name !== name) return Promise.resolve();
    return new Promise((resolve) => {
      capture.whenEnded.push(resolve);
      capture.ending ??= why;
      clearTimeout(capture.timer);
      capture.timer = setTimeout(() => this.end(capture, why), LastRecordsMs);
      if (!this.means.recordings.finish(capture.recording)) this.end(capture, why);
    });
  }

  private take(capture: ActiveCapture, { wallMs, lost, last }: FromCapture, records: readonly CaptureRecord[]): void {
    capture.state.lost = lost;
    try {
      for (const record of records) if (!this.write(capture, record, wallMs)) return;
    } catch (error) {
      if (!(error instanceof CaptureFileError)) throw error;
      this.means.log.write('BUFCAP', 3, 'FILE', `Capture Point ${capture.state.name}: ${error.message}`);
      this.end(capture, error.message);
      return;
    }
    if (last) this.end(capture, capture.ending ?? 'stopped');
  }

  /** @returns false when the capture has ended instead. @throws CaptureFileError */
  private write(capture: ActiveCapture, record: CaptureRecord, wallMs: number): boolean {
    const { state, file, interfaces } = capture;
    const key = `${record.port} ${record.place}`;
    const known = interfaces.get(key);
    const number = known ?? interfaces.size;
    const blocks = known === undefined ? [this.describe(record)] : [];
    const text = record.reason < 0 ? null : dropTexts[record.reason];
    blocks.push(
      packetBlock({
        interface: number,
        micros: Math.floor(wallMs * 1000) + record.micros,
        direction: record.direction,
        comment: text ? `dropped: ${text.name}: ${text.help}` : null,
        packet: record.packet,
        bytes: record.bytes,
      }),
    );
    if (file.size + blocks.reduce((sum, { length }) => sum + length, 0) > state.limits.bytes) {
      this.end(capture, 'the file is as large as it may be');
      return false;
    }
    for (const block of blocks) file.append(block);
    interfaces.set(key, number);
    state.packets++;
    state.dropped += text ? 1 : 0;
    state.bytes = file.size;
    if (state.packets < state.limits.packets) return true;
    this.end(capture, 'as many packets as it may have');
    return false;
  }

  private describe({ port, place }: CaptureRecord): Uint8Array {
    const { config, allocation } = this.means.router;
    const name = interfacesByPort(config, allocation).get(port) ?? `port ${port}`;
    if (place === CapturePlace.Inner) return interfaceBlock(`${name} inner`, `in front of and behind the SAs of ${name}`);
    const isTunnel = config.interfaces.get(name)?.tunnel !== undefined;
    return interfaceBlock(name, isTunnel ? `in front of and behind the encapsulation of ${name}` : `the wire of ${name}`);
  }

  private end(capture: ActiveCapture, why: string): void {
    const { state, recording, file, timer, whenEnded } = capture;
    if (this.active !== capture) return;
    this.active = null;
    clearTimeout(timer);
    this.means.recordings.end(recording);
    file.close();
    state.active = false;
    state.ended = why;
    state.endedAt = this.means.now();
    this.means.log.write('BUFCAP', 6, 'DISABLE', `Capture Point ${state.name} disabled.`);
    for (const tell of whenEnded) tell();
  }
}
