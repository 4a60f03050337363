// The control process: arguments, start-up, and the only I/O loops of control. Everything that decides sits in router.ts and the
// engines below it. It exits when its stdin ends (the supervisor died), on SIGTERM and SIGINT; SIGHUP reloads the configuration.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CounterSet } from './api/counters.js';
import { splitAddress, startMetrics } from './api/metrics.js';
import { readProcesses } from './api/processes.js';
import { RateMeter } from './api/rates.js';
import { startApi } from './api/server.js';
import { readVersion } from './api/version.js';
import { args, fail, required } from './arguments.js';
import { formatIpv4 } from './config/addresses.js';
import { checkConfig } from './config/check.js';
import type { Config, Problem } from './config/model.js';
import { DataplaneLink } from './dataplane-link.js';
import { ensureKeyOf, runExec } from './exec.js';
import { gdoiCounters } from './gdoi/counters.js';
import { ipsecCounters } from './ipsec/counters.js';
import { ikeCounters } from './isakmp/counters.js';
import { GdoiPort } from './isakmp/ports.js';
import { KeyLog } from './key-log.js';
import { listenAddresses, listenPorts } from './local-ends.js';
import { openLog } from './log.js';
import { MulticastSockets } from './multicast-sockets.js';
import { NatLog, natDebugFilter } from './nat-log.js';
import { RsaKeys } from './pki/rsa-keys.js';
import { Trustpoints } from './pki/trustpoints.js';
import { Prober, probeCounters } from './probe/prober.js';
import { findMissing } from './readiness.js';
import { type DataplaneHello, Router, routerCounters } from './router.js';
import { buildSnapshot } from './snapshot/build.js';
import { natTranslations } from './snapshot/nat.js';
import { sampleQosRates } from './snapshot/qos-interfaces.js';
import { SealedStore } from './store/sealed-store.js';
import { tracePacket } from './trace/packet-tracer.js';
import { UdpSockets } from './udp-sockets.js';
import { noteVolumes } from './volumes.js';

/** Engines ask for their next tick; this bounds the wait. */
const MaxTickMs = 1000;
const SocketsWaitMs = 1000;
/** Interface rates are averages over five minutes. */
const RateSampleMs = 5000;
const TrustpointRefreshMs = 10_000;
const LastGoodConfig = 'configuration';

const runDirectory = required('run');
const configFile = required('config');
const log = openLog(process.stderr);

/** @returns false when one is an error */
function tellProblems(problems: readonly Problem[]): boolean {
  for (const problem of problems) {
    const where = `${configFile}:${problem.line}`;
    log.write(
      'PARSER',
      problem.severity === 'error' ? 3 : 4,
      'CFGLOG',
      `${where}: ${problem.message}${problem.hint ? ` (${problem.hint})` : ''}`,
    );
  }
  return !problems.some(({ severity }) => severity === 'error');
}

/** Checks a configuration text. @returns null when it has errors: they are logged */
function readConfig(text: string) {
  const { config, problems, execLines } = checkConfig(text);
  return tellProblems(problems) ? { config, execLines } : null;
}

/** The file, or null when it has errors. What was good is kept sealed (it holds pre-shared keys). @param conflicts of it with what runs */
function loadFile(conflicts: (config: Config) => Problem[] = () => []) {
  const text = readFileSync(configFile, 'utf8');
  const read = readConfig(text);
  const loaded = read && tellProblems(conflicts(read.config)) ? read : null;
  if (loaded) store.save(LastGoodConfig, new TextEncoder().encode(text));
  return loaded;
}

/** At the start of this process: a file that was broken by an edit must not end a router that runs. */
function loadAtStart() {
  const loaded = loadFile();
  if (loaded) return loaded;
  const saved = store.load(LastGoodConfig);
  if (!saved) return fail(`${configFile} has errors, see above`);
  log.write('SYS', 2, 'CONFIG_FALLBACK', `${configFile} has errors: going on with the last good configuration`);
  return readConfig(new TextDecoder().decode(saved)) ?? fail('the last good configuration has errors too');
}

const store = await SealedStore.open(required('state'), (message) => log.write('SYS', 3, 'STATE_DAMAGED', message));
const loaded = loadAtStart();
log.configure(loaded.config.logging, loaded.config.hostname);
const natLog = new NatLog(log);
natLog.configure(loaded.config.nat.logging);
const rsaKeys = new RsaKeys(store);
const trustpoints = new Trustpoints(store, rsaKeys, log);
const counters = new CounterSet(ikeCounters, ipsecCounters, gdoiCounters, routerCounters, probeCounters);
// Before a trustpoint or a group makes a key of that label with another modulus.
for (const { line, text } of loaded.execLines) {
  const answer = ensureKeyOf(text, loaded.config, { rsaKeys });
  if (answer.error) log.write('PARSER', 3, 'CFGLOG', `${configFile}:${line}: ${answer.error}`);
}
const keyLog = args['key-log'] === undefined ? null : new KeyLog(args['key-log']);
if (keyLog) log.write('CRYPTO', 1, 'KEY_LOG', `--key-log is on: ${args['key-log']} holds the keys of this router's traffic in the clear`);

let applied = { generation: 0, errors: ['not applied yet'] };
let tickTimer: NodeJS.Timeout | null = null;
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
const link = new DataplaneLink(join(runDirectory, 'dataplane.sock'), {
  hello: (hello) => void greet(hello),
  applied: (generation, errors) => {
    applied = { generation, errors };
    router.applied(generation);
    listen();
    startWhenReady();
    for (const error of errors) log.write('SYS', 3, 'DATAPLANE', error);
  },
  event: (event) => {
    if (event.kind === 'log') log.write('SYS', event.severity as 3, event.mnemonic, event.text);
    else router.dataplaneEvent(event, Date.now());
    scheduleTick();
  },
  natLog: (rows) => natLog.take(rows, router.debug.nat, Date.now(), natDebugFilter(router.config, router.debug.natList)),
  lost: () => {
    router.dataplaneDown();
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
    keyLog,
    send: (datagram) => sockets.send(datagram),
    publish: (head, blobs) => link.publish(head, blobs),
    join: (memberships) => multicast.set(memberships),
  },
  Date.now(),
);

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
  if (tickTimer) clearTimeout(tickTimer);
  const now = Date.now();
  const wait = Math.min(Math.max((router.nextTick() ?? now + MaxTickMs) - now, 1), MaxTickMs);
  tickTimer = setTimeout(() => {
    router.tick(Date.now());
    scheduleTick();
  }, wait);
}

function reload(): void {
  const next = loadFile((config) => router.gdoi.conflicts(config));
  if (!next) {
    log.write('SYS', 3, 'RELOAD', `${configFile} has errors: the running configuration stays`);
    return;
  }
  log.configure(next.config.logging, next.config.hostname);
  natLog.configure(next.config.nat.logging);
  const changed = router.reconfigure(next.config, Date.now());
  listen();
  scheduleTick();
  log.write(
    'SYS',
    5,
    'RELOAD',
    changed.length > 0 ? `applied ${configFile}: ${changed.join(', ')} changed` : `${configFile} has not changed`,
  );
}

rsaKeys.ensure(loaded.config, log);
const rates = new RateMeter();
const snapshot = async () =>
  buildSnapshot({
    router,
    instance: args.instance,
    version: readVersion(),
    counters,
    rates,
    publicKeys: rsaKeys.list(),
    processes: readProcesses(runDirectory),
    logging: log.state(),
    dataplane: await link.snapshot(),
    now: Date.now(),
  });

async function sampleRates(): Promise<void> {
  for (const { name, counters: counted } of (await snapshot()).interfaces) rates.sample(name, Date.now(), counted);
  const dataplane = await link.snapshot();
  if (dataplane && router.tables) sampleQosRates(rates, router.tables.qosOrigins, dataplane.qos, Date.now());
  if (router.ipsec.pairs.size === 0) return;
  noteVolumes(router, dataplane, Date.now());
  scheduleTick();
}
/** Certificates and revocation lists are renewed by replacing their files. */
const trustpointTimer = setInterval(() => trustpoints.refresh(), TrustpointRefreshMs);
const rateTimer = setInterval(() => void sampleRates(), RateSampleMs);

const prober = new Prober(link, router, counters);
const api = await startApi({
  socketPath: join(runDirectory, 'control.sock'),
  snapshot,
  natTranslations: async () => {
    const sessions = await link.natSessions();
    return sessions && natTranslations(sessions, router.config, Date.now());
  },
  packetTrace: (line) => tracePacket(line, router, link),
  probe: (line, signal, tell) => prober.run(line, signal, tell),
  ready: () => {
    const waiting = { unboundAddresses: sockets.missing(GdoiPort), unjoinedGroups: multicast.missing() };
    const missing = findMissing(router, { connected: link.connected, ...applied, ...waiting }, Date.now());
    return { ready: missing.length === 0, missing };
  },
  exec: async (line) => {
    const { aceHits = null } = (await link.snapshot()) ?? {};
    const means = { rsaKeys, counters, log, logBuffer: log, clearNat: link.natClear.bind(link), aceHits };
    const answer = runExec(line, router, means, Date.now());
    scheduleTick();
    if (answer.error) throw new Error(answer.error);
    return answer.output;
  },
});
const metrics =
  args.metrics === 'off' ? null : await startMetrics({ ...metricsAddress(args.metrics), instance: args.instance, snapshot, log });

function metricsAddress(text: string): NonNullable<ReturnType<typeof splitAddress>> {
  return splitAddress(text) ?? fail(`--metrics ${text}: expected ADDRESS:PORT or off`);
}

async function stop(): Promise<void> {
  if (tickTimer) clearTimeout(tickTimer);
  clearInterval(rateTimer);
  clearInterval(trustpointTimer);
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
process.on('SIGHUP', reload);
process.stdin.on('end', () => void stop());
process.stdin.on('error', () => void stop());
process.stdin.resume();
// A reader of our log that goes away must not end the router.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
link.open();
scheduleTick();
