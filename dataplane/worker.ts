// One forwarding worker: a thread that blocks in poll() and runs passes. Between two passes it takes over newly published tables and
// the main thread's messages. It never returns to Node's event loop while it runs (yielding costs 6-11 %).
// Does not: open devices, talk to control: that is the main thread's.

import { isMainThread, type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { adoptBank, type Env, makeEnv } from './env.js';
import { Clock } from './mem/clock.js';
import { MaxLinks } from './mem/links.js';
import { readBootId, SenderState, senderStatePath } from './mem/sender-state.js';
import { Ctl, controlWords } from './mem/shared.js';
import { bindPoll } from './native/bind.js';
import { BoundWord, loadNative } from './native/native.js';
import { makePipeline } from './pipeline.js';
import type { FromWorker, ToWorker, WorkerStart } from './port/worker-messages.js';
import { ProbeKind } from './proto/mtu-probe.js';
import { Cap } from './tables/layout.js';
import type { DataplaneEvent } from './tables/message.js';

/** Longest sleep: events are told and the clock is seen at least this often. */
const PollTimeoutMs = 1000;

function takeMessages(env: Env, port: MessagePort, wakeFd: number): void {
  env.native.wakeClear(wakeFd);
  for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port)) {
    const message = received.message as ToWorker;
    if (message.kind === 'nat-clear') {
      env.nat.sessions.clear(message.wanted, message.mask);
    } else if (message.kind === 'mtu-probe') {
      const { port: out, group, destination, peerPort, size, nonce } = message;
      env.mtuProbes.ask(ProbeKind.Ask, out, group ?? -1, destination | 0, peerPort, size, ...nonce);
    } else if (message.kind === 'port-open') {
      env.links.open(message.port, message.links);
    } else if (env.links.close(message.port)) {
      port.postMessage({ kind: 'port-closed', port: message.port } satisfies FromWorker);
    }
  }
}

/** A device that vanished is closed without being asked: its `port-closed` comes unsolicited, and a `port-close` that crosses it is not answered. */
function tellLostPorts(env: Env, port: MessagePort): void {
  const { lost } = env.links;
  for (let i = 0; i < Cap.Ports; i++) {
    if (lost[i] === 0) continue;
    lost[i] = 0;
    env.links.close(i);
    port.postMessage({ kind: 'port-closed', port: i } satisfies FromWorker);
  }
}

/** Runs until Ctl.Stop. @param port the worker's end of the message channel; nobody else may listen on it */
export function runWorker(data: WorkerStart, port: MessagePort): void {
  const native = loadNative();
  const control = controlWords(data.shared);
  const senders = SenderState.open(native, senderStatePath(data.senderStatePath, data.index), readBootId());
  const { index, shared, wakeFds } = data;
  const wakeFd = wakeFds[index];
  /** When it woke last: a pass has the time that poll() brought along. */
  const wokenAt = Float64Array.of(native.monotonicMs());
  const env = makeEnv({ index, shared, native, senders, wakeFds, now: () => wokenAt[0] });
  const pass = makePipeline(env);
  const { links, handOver, qosOutput } = env;
  const polled = new Int32Array(MaxLinks + 1);
  const found = new Int32Array(MaxLinks + 1);
  const call = new Int32Array(BoundWord.Words);
  const poll = bindPoll(native, polled, found, new Int32Array(wokenAt.buffer), call);
  const tell = (event: DataplaneEvent): void => port.postMessage({ kind: 'event', event } satisfies FromWorker);
  let epoch = 0;
  let lookedAt = 0;
  let turn = 0;

  /**
   * Sleeps until a link has something, a queue may send or somebody wakes us, PollTimeoutMs at the most, and notes which links are ready: a pass then reads those and
   * no others. Once a second all are: some devices tell only the one who reads that they are gone. @returns true when somebody woke us
   */
  function wait(): boolean {
    const count = links.count;
    polled[0] = wakeFd;
    for (let i = 0; i < count; i++) polled[i + 1] = links.fd[i];
    const sleepMs = qosOutput.isEmpty() ? PollTimeoutMs : Math.ceil(qosOutput.waitMs(native.monotonicMs() * 1000));
    call[BoundWord.Count] = count + 1;
    call[BoundWord.Limit] = handOver === null || handOver.fallAsleep() ? Math.min(PollTimeoutMs, sleepMs) : 0;
    poll();
    handOver?.wakeUp();
    const now = env.clock[Clock.Seconds];
    for (let i = 0; i < count; i++) links.ready[i] = now === lookedAt ? found[i + 1] : 1;
    lookedAt = now;
    return found[0] !== 0;
  }

  // Words that others write are looked at as they lie, because Atomics.load() is a call; what was published is loaded so, and what is behind it is seen.
  while (control[Ctl.Stop] === 0) {
    if (control[Ctl.Epoch] !== epoch) {
      epoch = Atomics.load(control, Ctl.Epoch);
      for (const text of adoptBank(env, shared, epoch & 1)) tell({ kind: 'log', severity: 3, mnemonic: 'SA_INSTALL', text });
      Atomics.store(control, Ctl.Ack + index, epoch);
    }
    env.clock[Clock.Seconds] = control[Ctl.NowSeconds];
    if (control[Ctl.Turn] !== turn) {
      turn = control[Ctl.Turn]; // once a second: the workers' words share a cache line
      Atomics.store(control, Ctl.Seen + index, turn);
    }
    pass();
    tellLostPorts(env, port);
    env.events.drain(env.clock[Clock.Ms], tell);
    env.aclLog.drain(env.clock[Clock.Ms], tell);
    env.mtuProbes.drain(tell);
    if (wait()) takeMessages(env, port, wakeFd);
  }
  for (let slot = 0; slot < Cap.Sas; slot++) native.saClear(slot);
}

if (!isMainThread && parentPort !== null && (workerData as Partial<WorkerStart> | null)?.shared !== undefined) {
  runWorker(workerData as WorkerStart, parentPort);
}
