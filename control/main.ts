// The control process: arguments, start-up, and the only I/O loops of control. Everything that decides sits in router.ts and the
// engines below it. It exits when its stdin ends (the supervisor died), on SIGTERM and SIGINT; SIGHUP reloads the configuration.

import { join } from 'node:path';
import { CounterSet } from './api/counters.js';
import { KeptCounters } from './api/kept-counters.js';
import { readProcesses } from './api/processes.js';
import type { Ready } from './api/ready.js';
import { startApi } from './api/server.js';
import { args, fail, required } from './arguments.js';
import { Captures } from './capture/captures.js';
import { PacketTraces } from './capture/packet-traces.js';
import { Recordings } from './capture/recordings.js';
import { formatIpv4 } from './config/addresses.js';
import { ConfigFile } from './config-file.js';
import { makeConfiguration } from './configuration.js';
import { type DataplaneHello, DataplaneLink } from './dataplane-link.js';
import { ensureKeyOf } from './exec.js';
import { makeExecLine } from './exec-line.js';
import { gdoiCounters } from './gdoi/counters.js';
import { ipsecCounters } from './ipsec/counters.js';
import { ikeCounters } from './isakmp/counters.js';
import { GdoiPort } from './isakmp/ports.js';
import { joinSinks, KeyExport } from './key-export.js';
import { KeyLog } from './key-log.js';
import { Lifecycle } from './lifecycle.js';
import { Liveness } from './liveness.js';
import { listenAddresses, listenPorts } from './local-ends.js';
import { openLog } from './log.js';
import { MulticastSockets } from './multicast-sockets.js';
import { NatLog, natDebugFilter } from './nat-log.js';
import { Observer } from './observer.js';
import { pageCounters } from './page/feed.js';
import { RsaKeys } from './pki/rsa-keys.js';
import { Trustpoints } from './pki/trustpoints.js';
import { PathSearches, pathSearchCounters } from './probe/path-searches.js';
import { monotonicNow, Prober, probeCounters } from './probe/prober.js';
import { findMissing } from './readiness.js';
import { Router, routerCounters } from './router.js';
import { nameRun } from './run-record.js';
import { natTranslations } from './snapshot/nat.js';
import { startStatusListener } from './status-listener.js';
import { SealedStore } from './store/sealed-store.js';
import { TickTimer } from './tick-timer.js';
import { tracePacket } from './trace/packet-tracer.js';
import { UdpSockets } from './udp-sockets.js';

const SocketsWaitMs = 1000;
/** Interface rates are averages over five minutes. */
const SampleMs = 5000;
const TrustpointRefreshMs = 10_000;

const runDirectory = required('run');
const configFile = required('config');
const log = openLog(process.stderr);

const store = await SealedStore.open(required('state'), (message) => log.write('SYS', 3, 'STATE_DAMAGED', message));
const file = new ConfigFile(configFile, log, store);
const run = nameRun(process.ppid);
const loaded = file.loadAtStart(Lifecycle.runningOf(store, run)) ?? fail(`${configFile} has errors, see above`);
log.configure(loaded.config.logging, loaded.config.hostname);
const natLog = new NatLog(log);
natLog.configure(loaded.config.nat.logging);
const rsaKeys = new RsaKeys(store);
const trustpoints = new Trustpoints(store, rsaKeys, log);
const counters = new CounterSet(ikeCounters, ipsecCounters, gdoiCounters, routerCounters, probeCounters, pathSearchCounters, pageCounters);
const keptCounters = new KeptCounters(join(runDirectory, 'counters.json'), run, counters, (reason) =>
  log.write('API', 4, 'COUNTERS', `counters begin at 0 when control is restarted: ${reason}`),
);
keptCounters.restore();
// Before a trustpoint or a group makes a key of that label with another modulus.
for (const { line, text } of loaded.execLines) {
  const answer = ensureKeyOf(text, loaded.config, { rsaKeys });
  if (answer.error) log.write('PARSER', 3, 'CFGLOG', `${configFile}:${line}: ${answer.error}`);
}
const keyLog = args['key-log'] === undefined ? null : new KeyLog(args['key-log']);
if (keyLog) log.write('CRYPTO', 1, 'KEY_LOG', `--key-log is on: ${args['key-log']} holds the keys of this router's traffic in the clear`);

const keyExport = new KeyExport({ isPermitted: () => router.config.keyExport, phase1: () => router.ike.sas(), log });

let applied = { generation: 0, errors: ['not applied yet'] };
const ticks = new TickTimer(
  () => {
    router.tick(Date.now());
    lifecycle.tick(Date.now());
    liveness.beat(() => readiness().missing);
  },
  () => Math.min(router.nextTick() ?? Number.POSITIVE_INFINITY, lifecycle.nextTick() ?? Number.POSITIVE_INFINITY),
);
const liveness = new Liveness();
const sockets = new UdpSockets(
  (datagram) => {
    router.receive(datagram, Date.now());
    scheduleTick();
  },
  () => startWhenReady(),
  ({ address, port }, reason) =>
    log.write('CRYPTO', port === GdoiPort ? 3 : 4, 'UDP_BIND', `cannot listen on ${formatIpv4(address)} port ${port}: ${reason}`),
);
const multicast = new MulticastSockets(
  GdoiPort,
  (datagram) => {
    router.receiveMulticast(datagram, Date.now());
    scheduleTick();
  },
  (group, local, reason) => log.write('GDOI', 3, 'MCAST_JOIN', `cannot join ${group} for rekeys on ${local || 'any interface'}: ${reason}`),
);
const link = new DataplaneLink(args.dataplane ?? join(runDirectory, 'dataplane.sock'), {
  hello: (hello) => void greet(hello),
  applied: (generation, errors) => {
    applied = { generation, errors };
    router.applied(generation);
    liveness.ready();
    listen();
    startWhenReady();
    for (const error of errors) log.write('SYS', 3, 'DATAPLANE', error);
  },
  event: (event) => {
    if (event.kind === 'log') log.write('SYS', event.severity as 3, event.mnemonic, event.text);
    else router.dataplaneEvent(event, Date.now());
    pathSearches.receive(event);
    scheduleTick();
  },
  natLog: (rows) => natLog.take(rows, router.debug.nat, Date.now(), natDebugFilter(router.config, router.debug.natList)),
  captured: (head, records) => recordings.take(head, records),
  lost: () => {
    recordings.lose();
    router.dataplaneDown();
    pathSearches.clear();
    applied = { generation: 0, errors: ['the dataplane is not running'] };
    log.write('SYS', 3, 'DATAPLANE_DOWN', 'lost the dataplane: waiting for it to come back');
  },
});
const router = new Router(
  loaded.config,
  {
    log,
    counters,
    store,
    rsaKeys,
    trustpoints,
    keyLog: joinSinks(keyLog ? [keyLog, keyExport] : [keyExport]),
    send: (datagram) => sockets.send(datagram),
    publish: (head, blobs) => link.publish(head, blobs),
    join: (memberships) => multicast.set(memberships),
  },
  Date.now(),
);

const sendSearch = link.sendPathSearch.bind(link);
const pathSearches = new PathSearches({ router, counters, log, send: sendSearch, now: monotonicNow });
const recordings = new Recordings((message) => link.capture(message), Date.now());
const captures = new Captures({ router, recordings, log, now: Date.now });
const packetTraces = new PacketTraces({ router, recordings });

function listen(): void {
  sockets.listen(listenAddresses(router.config), listenPorts(router.config));
}

/** A dataplane is there: take its numbers over, start or go on, publish. */
async function greet(hello: DataplaneHello): Promise<void> {
  const snapshot = await link.snapshot();
  if (!link.connected) return;
  router.dataplaneUp(hello, snapshot, Date.now());
  listen();
  scheduleTick();
}

/** Members register once their interfaces and sockets are there; a wrong interface does not hold the others up for long. */
function startWhenReady(late = false): void {
  if (router.running || applied.generation === 0) return;
  if (sockets.missing(GdoiPort).length > 0 && !late) {
    setTimeout(() => startWhenReady(true), SocketsWaitMs).unref();
    return;
  }
  router.start(false, Date.now());
  scheduleTick();
}

function scheduleTick(): void {
  link.setNatLog(natLog.wants(router.debug.nat));
  ticks.schedule();
}

function readiness(): Ready {
  const waiting = { unboundAddresses: sockets.missing(GdoiPort), unjoinedGroups: multicast.missing() };
  const missing = findMissing(router, { connected: link.connected, ...applied, ...waiting }, Date.now());
  return { ready: missing.length === 0, missing };
}

const { editor, lifecycle, reload } = makeConfiguration({
  router,
  log,
  natLog,
  rsaKeys,
  store,
  file,
  run,
  changed: () => {
    keyExport.review();
    listen();
    scheduleTick();
  },
});

rsaKeys.ensure(loaded.config, log);
const observer = new Observer({
  router,
  link,
  counters,
  keptCounters,
  rsaKeys,
  captures,
  packetTraces,
  pathSearches,
  log,
  instance: args.instance,
  processes: () => readProcesses(runDirectory, args.dataplane === undefined ? null : link.process),
  changed: scheduleTick,
});
const snapshot = () => observer.snapshot();
/** Certificates and revocation lists are renewed by replacing their files. */
const trustpointTimer = setInterval(() => trustpoints.refresh(), TrustpointRefreshMs);
const sampleTimer = setInterval(() => void observer.sample(), SampleMs);

const prober = new Prober(link, router, counters);
const execLine = makeExecLine({
  router,
  link,
  lifecycle,
  captures,
  packetTraces,
  keyExport,
  cleared: observer.cleared,
  rsaKeys,
  counters,
  log,
  changed: scheduleTick,
});
const api = await startApi({
  socketPath: join(runDirectory, 'control.sock'),
  snapshot,
  natTranslations: async () => {
    const sessions = await link.natSessions();
    return sessions && natTranslations(sessions, router.config, Date.now());
  },
  packetTrace: (line) => tracePacket(line, router, link),
  probe: (line, signal, tell) => prober.run(line, signal, tell),
  ready: readiness,
  exec: (line) => execLine(line, null),
  execWithFile: (line, text) => execLine(line, text),
  edit: ({ session, line }) => {
    const answer = line === null ? editor.open(session, Date.now()) : editor.edit(session, line, Date.now());
    return { ...answer, hostname: router.config.hostname };
  },
});

const metrics = await startStatusListener({ router, counters, log, snapshot, wake: scheduleTick });

async function stop(): Promise<void> {
  ticks.close();
  clearInterval(sampleTimer);
  clearInterval(trustpointTimer);
  captures.close();
  packetTraces.close();
  link.close();
  sockets.close();
  multicast.close();
  await api.close();
  await metrics?.close();
  natLog.close();
  log.close();
  process.exit(0);
}
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.on('SIGHUP', () => {
  reload();
  liveness.reloaded();
});
process.stdin.on('end', () => void stop());
process.stdin.on('error', () => void stop());
process.stdin.resume();
// A reader of our log that goes away must not end the router.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
link.open();
scheduleTick();
