// Who gets the packets that the dataplane records: one at a time, a capture or a packet trace.

import { type CaptureStart, type FromCapture, MaxCaptureAces, type ToCapture } from '../../dataplane/tables/capture.js';
import { Ace } from '../../dataplane/tables/layout.js';
import type { Ms } from '../actions.js';
import { appendAceRows } from '../compile/aces.js';
import type { Config } from '../config/model.js';
import { countExpanded, expandEntry } from '../config/object-groups.js';
import { type CaptureRecord, readRecords } from './records.js';

export interface Recording {
  /** As messages name it, e.g. `Capture C`. */
  readonly title: string;
  take(head: FromCapture, records: CaptureRecord[]): void;
  /** The dataplane is gone. */
  lose(): void;
}

export class Recordings {
  private running: { recording: Recording; session: number } | null = null;
  private nextSession: number;

  /** @param send returns false when there is no dataplane @param now records that a control before us asked for are not ours */
  constructor(
    private readonly send: (message: ToCapture) => boolean,
    now: Ms,
  ) {
    this.nextSession = now;
  }

  /** @returns why none can begin now, as IOS's `% ...` line; null = one can */
  get busy(): string | null {
    return this.running && `% ${this.running.recording.title} is active: stop it first`;
  }

  /** @returns what is wrong, as `busy` */
  begin(recording: Recording, what: Omit<CaptureStart, 'type' | 'session'>): string | null {
    if (this.busy !== null) return this.busy;
    const session = this.nextSession++;
    if (!this.send({ type: 'capture-start', session, ...what })) return '% the dataplane does not answer';
    this.running = { recording, session };
    return null;
  }

  /** Asks for what was recorded until now; its end is told with the last of it. @returns false when there is no dataplane */
  finish(recording: Recording): boolean {
    return this.running?.recording === recording && this.send({ type: 'capture-stop' });
  }

  /** Nothing more is wanted. */
  end(recording: Recording): void {
    if (this.running?.recording !== recording) return;
    this.send({ type: 'capture-stop' });
    this.running = null;
  }

  take(head: FromCapture, words: Int32Array): void {
    if (this.running?.session === head.session) this.running.recording.take(head, readRecords(words));
  }

  lose(): void {
    this.running?.recording.lose();
  }
}

/** @returns rows of Ace, null = everything is recorded; or what is wrong */
export function filterRows(name: string | null, config: Config): number[] | null | string {
  if (name === null) return null;
  const entries = config.accessLists.get(name)?.entries ?? [];
  if (entries.length === 0) return `access list ${name} does not exist, or is empty`;
  const words: number[] = [];
  for (const entry of entries) {
    const isShort = countExpanded(config, entry) <= MaxCaptureAces;
    if (isShort) for (const plain of expandEntry(config, entry)) appendAceRows(words, plain);
    if (!isShort || words.length > MaxCaptureAces * Ace.Words) return `access list ${name} is too long for a filter`;
  }
  return words;
}
