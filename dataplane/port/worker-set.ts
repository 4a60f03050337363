// The forwarding workers as the main thread sees them: start, messages, wake-ups, acknowledgements, end. Does not: forward.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Ctl, controlWords, type SharedState } from '../mem/shared.js';
import type { Native } from '../native/native.js';
import type { DataplaneEvent } from '../tables/message.js';
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.js';

export interface WorkerEvents {
  event(event: DataplaneEvent): void;
  /** A worker stopped using the port's descriptor: asked to, or because the device is gone. */
  portClosed(worker: number, port: number): void;
  /** A worker ended although it was not told to. */
  died(worker: number, reason: string): void;
}

/** A worker that does not answer for so long is stuck. */
const AnswerMs = 10_000;
/** Turns of a second each that a worker may miss: no pass, no bank takes so long. */
const MissedTurns = 15;
const StopMs = 2000;

export class WorkerSet {
  private readonly workers: Worker[] = [];
  private readonly wakeFds: readonly number[];
  private readonly control: Int32Array;
  private stopping = false;

  /** @param script path or URL of dataplane/worker.js @param senderStatePath see WorkerStart */
  constructor(
    shared: SharedState,
    private readonly native: Native,
    private readonly events: WorkerEvents,
    script: string | URL,
    senderStatePath: string,
  ) {
    this.control = controlWords(shared);
    this.wakeFds = Array.from({ length: shared.workers }, () => native.wakeOpen());
    for (let index = 0; index < shared.workers; index++) {
      const workerData: WorkerStart = { index, shared, wakeFds: this.wakeFds, senderStatePath, native: native.kind === 'addon' };
      const worker = new Worker(script, { workerData });
      worker.on('message', (message: FromWorker) => this.take(index, message));
      worker.on('error', (error) => this.lose(index, error instanceof Error ? (error.stack ?? error.message) : String(error)));
      worker.on('exit', (code) => this.lose(index, `exit status ${code}`));
      this.workers.push(worker);
    }
  }

  get count(): number {
    return this.workers.length;
  }

  send(worker: number, message: ToWorker): void {
    this.workers[worker].postMessage(message);
    this.native.wakeSignal(this.wakeFds[worker]);
  }

  sendAll(message: ToWorker): void {
    for (let worker = 0; worker < this.count; worker++) this.send(worker, message);
  }

  wakeAll(): void {
    for (const fd of this.wakeFds) this.native.wakeSignal(fd);
  }

  /** Resolves when every worker uses the published epoch. Rejects with an Error when one does not within 10 s. */
  async waitAcknowledged(): Promise<void> {
    const epoch = Atomics.load(this.control, Ctl.Epoch);
    const deadline = performance.now() + AnswerMs;
    for (let worker = 0; worker < this.count; worker++) {
      while (!this.stopping && Atomics.load(this.control, Ctl.Ack + worker) !== epoch) {
        if (performance.now() > deadline) throw new Error(`worker ${worker} did not take over epoch ${epoch} within ${AnswerMs / 1000} s`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  /** Call once a second. @returns the first worker that has not run for MissedTurns of these calls, null when all run */
  findStuck(): number | null {
    const turn = Atomics.add(this.control, Ctl.Turn, 1) + 1;
    for (let worker = 0; worker < this.count; worker++) {
      const seen = Atomics.load(this.control, Ctl.Seen + worker);
      if (seen !== 0 && turn - seen > MissedTurns) return worker;
    }
    return null;
  }

  /** Ends all workers: asked first, then forced. */
  async stop(): Promise<void> {
    this.stopping = true;
    Atomics.store(this.control, Ctl.Stop, 1);
    this.wakeAll();
    const gone = Promise.all(this.workers.map((worker) => (worker.threadId === -1 ? null : once(worker, 'exit'))));
    const late = new Promise((resolve) => setTimeout(resolve, StopMs).unref());
    await Promise.race([gone, late]);
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private take(index: number, message: FromWorker): void {
    if (message.kind === 'event') this.events.event(message.event);
    else this.events.portClosed(index, message.port);
  }

  private lose(index: number, reason: string): void {
    if (this.stopping) return;
    this.stopping = true; // 'error' and 'exit' of one death
    this.events.died(index, reason);
  }
}
