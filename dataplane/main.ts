// The dataplane process: main thread. Does: start the workers, keep the machine as control wants it, answer control. Does not: touch
// a packet (worker.ts), decide policy (control).
//
//   main.js --instance NAME --run DIR --state DIR [--workers N] [--prepared]
//
// Ends cleanly, with everything removed and restored, on SIGTERM, SIGINT and when stdin is a pipe that reaches its end (the supervisor
// is gone). Exit status: 0 clean, 1 failed (a restart may help), 77 not permitted, 78 not possible on this machine.

import { randomUUID } from 'node:crypto';
import { accessSync, constants, fstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PathMtus } from './mem/path-mtus.js';
import { listKnownSenders, readBootId } from './mem/sender-state.js';
import { allCountersOf, allocateShared, Ctl, controlWords, MaxWorkers, pathMtuWordsOf } from './mem/shared.js';
import { tunnelWordsOf } from './mem/tunnel-words.js';
import { loadNative } from './native/native.js';
import { Applier } from './port/applier.js';
import { mayChangeNetwork } from './port/capabilities.js';
import { CaptureReader, readCaptureStart } from './port/capture-reader.js';
import { ControlSocket } from './port/control-socket.js';
import { IngressDrop } from './port/ingress-drop.js';
import { Liveness } from './port/liveness.js';
import { KernelMonitor } from './port/monitor.js';
import { NatLogReader } from './port/nat-log.js';
import { NeighbourWatch } from './port/neighbour-watch.js';
import { takePathSearch } from './port/path-search.js';
import { Ports } from './port/ports.js';
import { ProbeSockets } from './port/probe-sockets.js';
import { Publisher } from './port/publisher.js';
import { leaveToRoot } from './port/run-command.js';
import { LookMs, RxModeration } from './port/rx-moderation.js';
import { ShapeError } from './port/shape.js';
import { SnapshotMaker } from './port/snapshot.js';
import { refusedSettings } from './port/sysctl.js';
import { answerTrace } from './port/trace-request.js';
import { TunnelStates } from './port/tunnel-states.js';
import { undoAll } from './port/undo.js';
import { UndoLedger } from './port/undo-ledger.js';
import { readTables, type Tables } from './port/validate-tables.js';
import { WorkerSet } from './port/worker-set.js';
import type { DataplaneEvent } from './tables/message.js';

const RecheckMs = 10_000;

const enum Exit {
  Failed = 1,
  /** sysexits.h EX_NOPERM */
  NoPermission = 77,
  /** sysexits.h EX_CONFIG */
  NotPossible = 78,
}

function log(severity: number, mnemonic: string, text: string): void {
  process.stderr.write(`*${new Date().toISOString()}: %DATAPLANE-${severity}-${mnemonic}: ${text}\n`);
}

function fail(status: number, text: string): never {
  process.stderr.write(`groupwire dataplane: ${text}\n`);
  process.exit(status);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      instance: { type: 'string' },
      run: { type: 'string' },
      state: { type: 'string' },
      workers: { type: 'string', default: '1' },
      prepared: { type: 'boolean', default: false },
    },
  });
  const { instance, run, state, prepared } = values;
  const workers = Number(values.workers);
  if (instance === undefined || run === undefined || state === undefined)
    fail(Exit.NotPossible, '--instance, --run and --state are needed');
  if (!Number.isInteger(workers) || workers < 1 || workers > MaxWorkers) fail(Exit.NotPossible, `--workers: 1 to ${MaxWorkers}`);
  return { instance, run, state, workers, prepared };
}

function checkMachine(): void {
  if (process.platform !== 'linux') fail(Exit.NotPossible, 'Linux is needed');
  if (args.prepared) leaveToRoot();
  else if (!mayChangeNetwork()) fail(Exit.NoPermission, 'not permitted to change the network: run as root or grant CAP_NET_ADMIN');
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch (error) {
    fail(
      Exit.NotPossible,
      `/dev/net/tun: ${(error as NodeJS.ErrnoException).code}: load the module (modprobe tun) or give this container the device`,
    );
  }
}

const args = readArguments();
checkMachine();
mkdirSync(args.run, { recursive: true, mode: 0o755 });
mkdirSync(args.state, { recursive: true, mode: 0o700 });

const native = loadNative();
const shared = allocateShared(args.workers);
const control = controlWords(shared);
const bootId = readBootId();
const senders = join(args.state, 'senders.bin');
const incarnation = randomUUID();
const writeClock = () => Atomics.store(control, Ctl.NowSeconds, Math.floor(Date.now() / 1000) | 0);
writeClock();
/** The kernel does not tell of every setting that somebody puts right for us. */
const recheck = setInterval(() => {
  if (refusedSettings().length > 0) applier.schedule();
}, RecheckMs);
const clock = setInterval(() => {
  writeClock();
  const stuck = workers.findStuck();
  if (stuck !== null) crash(`worker ${stuck} is stuck`);
  liveness.beat();
  if (tunnels.hasChanged) applier.schedule();
}, 1000);
const liveness = new Liveness();

const ledger = UndoLedger.open(join(args.run, 'linux-undo.json'));
if (ledger.problem) log(4, 'LEDGER', ledger.problem);

const workers = new WorkerSet(
  shared,
  native,
  {
    event: tell,
    portClosed: (worker, port) => ports.release(worker, port),
    died: (worker, reason) => crash(`worker ${worker} died: ${reason}`),
  },
  new URL('./worker.js', import.meta.url),
  senders,
);
const ingress = new IngressDrop((how) => {
  log(4, 'INGRESS', `nft ended (${how}), starting it again`);
  applier.schedule();
});
const ports = new Ports(native, () => workers, ingress, {
  lost: (port) => {
    log(4, 'PORT_LOST', `a link of port ${port} is gone, opening it again`);
    applier.schedule();
  },
  degraded: (text, severity) => tell({ kind: 'log', severity, mnemonic: 'PORT_DRIVER', text }),
});
const watch = new NeighbourWatch(
  () => applier.takeNeighbours(),
  (text) => log(4, 'MONITOR', text),
  (error) => crash(error instanceof Error ? (error.stack ?? error.message) : String(error)),
);
const tunnels = new TunnelStates(tunnelWordsOf(shared), () => Math.floor(native.monotonicMs() / 1000));
let neighboursLeft = 0;
const applier = new Applier(ledger, ports, watch, new Publisher(shared, workers, () => native.monotonicMs()), tunnels, {
  applied: (generation, errors) => socket.send({ type: 'applied', generation, errors }),
  interfaceChanged: (row, state, mac) => tell({ kind: 'interface', port: row.port, up: state.up, mtu: state.mtu, mac }),
  tunnelChanged: (port, state) => tell({ kind: 'tunnel', port, state }),
  errorsChanged: (errors) => {
    // `applied` again for the same generation: what could not be done then is done now, or the other way round.
    socket.send({ type: 'applied', generation: applier.generation, errors });
    for (const error of errors) log(4, 'APPLY', error);
  },
  neighboursLeft: (count) => {
    if (count > 0 && neighboursLeft === 0) log(4, 'NEIGHBOURS', `no room for ${count} neighbours: what is for them takes the slower way`);
    neighboursLeft = count;
  },
  failed: (error) => crash(error.stack ?? error.message),
});
const pathMtus = new PathMtus(pathMtuWordsOf(shared));
const probes = new ProbeSockets(native, (message, bytes) => socket.send(message, bytes));
const socket = new ControlSocket(join(args.run, 'dataplane.sock'), {
  hello: () => {
    probes.closeAll(); // of a control that is no more
    captures.end();
    return {
      type: 'hello',
      pid: process.pid,
      incarnation,
      workers: args.workers,
      generation: applier.generation,
      knownSenders: listKnownSenders(senders, bootId, args.workers),
    };
  },
  tables: takeTables,
  snapshot: (id) => snapshots.make(id),
  natSessions: (id, limit) => snapshots.natSessions(id, limit, Math.floor(native.monotonicMs() / 1000)),
  trace: (id, message) => answerTrace(id, message, { shared, native, senderStatePath: senders, bootId, applier, ports }),
  probe: (message, rest) => probes.take(message, rest),
  pathSearch: (message) => takePathSearch(message, workers, pathMtus, Math.floor(native.monotonicMs() / 1000)),
  capture: (message) => {
    if ((message as { type: string }).type === 'capture-stop') captures.stop();
    else captures.start(readCaptureStart(message));
  },
  natLog: (isOn) => natLog.set(isOn),
  natClear: (wanted, mask) => workers.sendAll({ kind: 'nat-clear', wanted, mask }),
  log: (text) => log(4, 'CONTROL', text),
});
const natLog = new NatLogReader(
  shared,
  (rows) => socket.send({ type: 'nat-log' }, [rows]),
  () => socket.unsentBytes,
  () => native.monotonicMs(),
);
const captures = new CaptureReader(shared, {
  send: (head, records) => socket.send(head, [records]),
  unsentBytes: () => socket.unsentBytes,
  nowMs: () => native.monotonicMs(),
});
const moderation = new RxModeration({
  blocks: allCountersOf(shared),
  list: () => ports.listXdp(),
  nowMs: () => native.monotonicMs(),
});
const looks = setInterval(() => moderation.look(), LookMs);
const snapshots = new SnapshotMaker(shared, applier, ports, moderation, native.aes, () => native.monotonicMs());
const monitor = new KernelMonitor(
  ['link', 'address', 'route', 'rule', 'netconf'],
  0,
  () => applier.schedule(),
  (text) => log(4, 'MONITOR', text),
);

function tell(event: DataplaneEvent): void {
  socket.send({ type: 'event', event });
  if (event.kind === 'log') log(event.severity, event.mnemonic, event.text);
}

function takeTables(head: unknown, rest: Uint8Array): void {
  let tables: Tables;
  try {
    tables = readTables(head, rest);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const generation = Number((head as { generation?: unknown }).generation);
    log(3, 'TABLES', `tables refused, the old ones stay: ${error.message}`);
    socket.send({
      type: 'applied',
      generation: Number.isSafeInteger(generation) ? generation : 0,
      errors: [`tables refused: ${error.message}`],
    });
    return;
  }
  applier.setTables(tables);
}

/** Ends without tidying up: the TUNs go, the leak guard stays, the supervisor starts a new process that takes over. */
function crash(text: string): never {
  log(2, 'FAILED', text);
  process.exit(Exit.Failed);
}

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  clearInterval(clock);
  clearInterval(recheck);
  clearInterval(looks);
  liveness.stopping();
  natLog.set(false);
  captures.end();
  monitor.close();
  watch.close();
  await applier.stop();
  await workers.stop();
  probes.closeAll();
  moderation.end();
  ports.closeAll();
  if (args.prepared) ledger.remove();
  else for (const line of undoAll(ledger)) log(4, 'UNDO', line);
  socket.close();
  process.exit(0);
}

function endNow(): void {
  end().catch((error: unknown) => crash(error instanceof Error ? (error.stack ?? error.message) : String(error)));
}

process.on('uncaughtException', (error) => crash(error.stack ?? error.message));
process.on('SIGTERM', endNow);
process.on('SIGINT', endNow);
const stdin = fstatSync(0);
if (stdin.isFIFO() || stdin.isSocket()) {
  process.stdin.resume();
  process.stdin.once('end', endNow);
  process.stdin.once('error', endNow);
}
await socket.open();
monitor.open();
liveness.ready();
