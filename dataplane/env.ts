// What one worker's stages share: slots, vectors, tables, counters, ports, clock. Made once per worker; a stage takes what it
// needs in its factory and keeps it in const locals. Does not: decide anything about packets, beyond reading their headers
// into columns and counting those that are dropped.

import { type Drop, SaCount } from './counters/declare.js';
import { AclLog } from './mem/acl-log.js';
import { Capture } from './mem/capture.js';
import { Clock, setClock } from './mem/clock.js';
import { makeDrop } from './mem/drop.js';
import { Events } from './mem/events.js';
import { FragmentTable } from './mem/fragments.js';
import { type GroupUdp, makeGroupUdp } from './mem/group-udp.js';
import { HandOver } from './mem/hand-over.js';
import { Links } from './mem/links.js';
import { MtuProbes } from './mem/mtu-probes.js';
import { Nat } from './mem/nat.js';
import { NatBegin } from './mem/nat-begin.js';
import { NatLog, natLogOf } from './mem/nat-log.js';
import { NatRules } from './mem/nat-rules.js';
import { Neighbours } from './mem/neighbours.js';
import { makeClassify, makePermits } from './mem/packet-lists.js';
import { makeParse } from './mem/parse.js';
import { PathMtus } from './mem/path-mtus.js';
import { makeColor } from './mem/qos-meters.js';
import { makeQosOutput, type QosOutput } from './mem/qos-output.js';
import { makeQosPolicy, type QosPolicy } from './mem/qos-policy.js';
import { makeQueueOutput } from './mem/queue-output.js';
import { Reassembly } from './mem/reassembly.js';
import { SenderKind, type SenderState, SenderState as Senders } from './mem/sender-state.js';
import {
  allCountersOf,
  bankOf,
  type CounterBlocks,
  controlWords,
  countersOf,
  metersOf,
  natRowsOf,
  pathMtuWordsOf,
  type SharedState,
} from './mem/shared.js';
import { Slots } from './mem/slots.js';
import { keepHits, Tables } from './mem/tables.js';
import { tunnelWordsOf } from './mem/tunnel-words.js';
import { Vector } from './mem/vector.js';
import type { Native } from './native/native.js';
import type { Ipv4Fault } from './proto/ipv4.js';
import { redChance } from './proto/red.js';
import { ReplayTable } from './proto/replay.js';
import { Cap, Sa, SaFlag, SaKey } from './tables/layout.js';

/** Words of {@link Env.senderRows} per SA slot: its sequence, then one per sender ID of its row. */
export const enum SenderRow {
  Sequence = 0,
  Iv = 1,
  Words = 17, // 1 + Cap.Sids
}

function makeVectors() {
  return {
    ipInput: new Vector(),
    espOpen: new Vector(),
    policyIn: new Vector(),
    route: new Vector(),
    multicast: new Vector(),
    cryptoMap: new Vector(),
    pmtu: new Vector(),
    espSeal: new Vector(),
    tx: new Vector(),
    /** For the host itself. */
    punt: new Vector(),
    /** To be dropped, after an ICMP error about it (columns error, reason). */
    refused: new Vector(),
  };
}

export interface Env {
  readonly workerIndex: number;
  readonly workers: number;
  /** null when there is one worker. */
  readonly handOver: HandOver | null;
  readonly native: Native;
  /** Monotonic milliseconds, for the clock of the next pass. */
  readonly now: () => number;
  readonly slots: Slots;
  readonly vec: ReturnType<typeof makeVectors>;
  readonly tables: Tables;
  readonly counters: CounterBlocks;
  readonly clock: Float64Array;
  readonly events: Events;
  readonly aclLog: AclLog;
  readonly capture: Capture;
  readonly replay: ReplayTable;
  readonly nat: Nat;
  readonly natRules: NatRules;
  readonly natBegin: NatBegin;
  readonly fragments: FragmentTable;
  readonly reassembly: Reassembly;
  readonly groupUdp: GroupUdp;
  readonly senders: SenderState;
  /** Per SA slot {@link SenderRow}: index into `senders.numbers`, -1 = must not be used. */
  readonly senderRows: Int32Array;
  readonly links: Links;
  readonly neighbours: Neighbours;
  readonly pathMtus: PathMtus;
  readonly mtuProbes: MtuProbes;
  /** By worker: the last sequence number that it has sent of each SA slot. */
  readonly lastSequences: readonly Float64Array[];
  /** TunnelWord of each port, shared by all workers. */
  readonly tunnelWords: Int32Array;
  /** Counts and frees. The one way a packet ends without leaving. */
  readonly drop: (id: number, reason: Drop) => void;
  /** Checks the IPv4 datagram at off/len and fills its columns; cuts link padding off. Flags other than the fragment bits stay. */
  readonly parse: (id: number) => Ipv4Fault;
  /** First match of a packet in a compiled list. @param list as in {@link classify} @returns row, or -1 */
  readonly classify: (list: number, id: number) => number;
  /** Does a list on an interface let a packet pass? Counts the hit, notes it for the log. @param list as for {@link classify} */
  readonly permits: (list: number, id: number) => boolean;
  readonly qosPolicy: QosPolicy;
  readonly qosOutput: QosOutput;
  /** Puts what leaves into the queues of its port, and takes out what may go. @param tunnelPorts ports that are tunnels, or the others */
  readonly queueOutput: (tunnelPorts: boolean) => void;
}

export interface EnvOptions {
  index: number;
  shared: SharedState;
  native: Native;
  /** This worker's own, opened for this boot. */
  senders: SenderState;
  /** By worker; not needed when there is one. */
  wakeFds?: readonly number[];
  /** See Env.now; native.monotonicMs() when left out. */
  now?: () => number;
  /** A whole number of 0 to RedChances - 1: chance in random early detection. */
  random?: () => number;
  /** Memory of its own in place of what is shared: a trace (trace/tracer.ts) counts nothing, makes no session and logs none. */
  own?: WorkerMemory;
  /** Told of each packet that is dropped, before its slot is free. */
  noteDrop?: Env['drop'];
}

interface WorkerMemory {
  counters: CounterBlocks;
  natRows: Int32Array;
  control: Int32Array;
  workers: number;
  meters: ReturnType<typeof metersOf>;
}

function sharedMemoryOf(shared: SharedState, index: number): WorkerMemory {
  return {
    counters: countersOf(shared, index),
    natRows: natRowsOf(shared, index),
    control: controlWords(shared),
    workers: shared.workers,
    meters: metersOf(shared),
  };
}

/** Everything one worker needs. Call once per thread (DESIGN §3: arrays fold into the code only then). */
export function makeEnv(options: EnvOptions): Env {
  const { index, shared, native } = options;
  const slots = new Slots();
  const { counters, natRows, control, workers, meters } = options.own ?? sharedMemoryOf(shared, index);
  const tables = new Tables(shared);
  const nat = new Nat(slots, natRows, tables.natTimeouts, counters.nat);
  for (const words of nat.sessions.memory) native.adviseHuge(words);
  const classify = makeClassify(slots, tables);
  const aclLog = new AclLog();
  const clock = new Float64Array(Clock.Count);
  const natLog = new NatLog(natLogOf(shared, index), control, clock, counters.nat);
  const natRules = new NatRules(slots, tables, counters.aceHits, classify, nat.clauseHits);
  const wake = (fd: number): void => native.wakeSignal(fd);
  const parse = makeParse(slots);
  const capture = new Capture(slots, shared, index, control, clock, counters);
  const drop = makeDrop(slots, counters, capture, options.noteDrop);
  const handOver = shared.workers > 1 ? new HandOver(slots, shared, index, options.wakeFds ?? [], wake) : null;
  const vec = makeVectors();
  const qosPolicy = makeQosPolicy(slots, tables, counters, makeColor(meters.rows, meters.locks, workers > 1, clock));
  const qosOutput = makeQosOutput(slots, tables, counters, qosPolicy, drop, clock, options.random ?? redChance);
  const queue = { slots, tables, counters, output: qosOutput, handOver, workerIndex: index, workers, tx: vec.tx, drop };
  return {
    workerIndex: index,
    workers: shared.workers,
    handOver,
    native,
    now: options.now ?? (() => native.monotonicMs()),
    slots,
    vec,
    tables,
    counters,
    clock,
    events: new Events(),
    aclLog,
    capture,
    replay: new ReplayTable(),
    nat,
    natRules,
    natBegin: new NatBegin(slots, tables, nat, natRules, counters.nat, control, workers, index, natLog),
    fragments: new FragmentTable(drop, tables.ports),
    reassembly: new Reassembly(slots, counters.path, parse, drop),
    groupUdp: makeGroupUdp(slots, tables),
    senders: options.senders,
    senderRows: new Int32Array(Cap.Sas * SenderRow.Words).fill(-1),
    links: new Links(),
    neighbours: new Neighbours(),
    pathMtus: new PathMtus(options.own ? pathMtuWordsOf(shared).slice() : pathMtuWordsOf(shared)),
    mtuProbes: new MtuProbes(),
    lastSequences: allCountersOf(shared).map(({ saSequences }) => saSequences),
    tunnelWords: options.own ? tunnelWordsOf(shared).slice() : tunnelWordsOf(shared),
    drop,
    parse,
    classify,
    permits: makePermits(slots, tables, counters, classify, aclLog),
    qosPolicy,
    qosOutput,
    queueOutput: makeQueueOutput(queue),
  };
}

/**
 * Takes a published bank over, between two passes: copies it, keys and unkeys SAs whose serial changed, finds the counters of our
 * sender IDs. After it the bank may be written again. @param bankIndex 0 or 1 @returns one line per SA that could not be keyed
 */
export function adoptBank(env: Env, shared: SharedState, bankIndex: number): string[] {
  const bank = bankOf(shared, bankIndex);
  const { tables, counters, native } = env;
  const errors: string[] = [];
  const before = new Int32Array(Cap.Sas);
  for (let slot = 0; slot < Cap.Sas; slot++) before[slot] = tables.sas[slot * Sa.Words + Sa.Serial];
  keepHits(tables, bank, counters);
  if (tables.copyFrom(bank)) counters.policies.fill(0);
  env.qosPolicy.adopt();
  if (tables.hasNewQos) {
    setClock(env.clock, env.now());
    env.qosOutput.adopt(env.vec.tx);
  }
  env.neighbours.copyFrom(bank);
  env.natBegin.adopt();
  for (let slot = 0; slot < Cap.Sas; slot++) {
    const row = tables.sas.subarray(slot * Sa.Words, (slot + 1) * Sa.Words);
    const serial = row[Sa.Serial];
    if (serial === before[slot]) continue;
    if (before[slot] !== 0) native.saClear(slot);
    env.replay.clearSa(slot);
    counters.sas.fill(0, slot * SaCount.Count, (slot + 1) * SaCount.Count);
    counters.saSequences[slot] = 0;
    counters.saSerials[slot] = serial;
    if (serial === 0) continue;
    try {
      const keys = bank.saKeys.subarray(slot * SaKey.Bytes, (slot + 1) * SaKey.Bytes);
      native.saSet(slot, row[Sa.Cipher], row[Sa.Auth], keys, row[Sa.CipherKeyLen], row[Sa.AuthKeyLen]);
    } catch (error) {
      errors.push(`SA with SPI 0x${(row[Sa.Spi] >>> 0).toString(16)}: ${(error as Error).message}`);
    }
  }
  findSenderRows(env);
  env.handOver?.adopt(tables.sas);
  return errors;
}

/** SAs that send get their counters from the sender-state file. */
function findSenderRows(env: Env): void {
  const { sas } = env.tables;
  const live = new Set<number>();
  for (let slot = 0; slot < Cap.Sas; slot++) if (sas[slot * Sa.Words + Sa.Serial] !== 0) live.add(sas[slot * Sa.Words + Sa.Spi] >>> 0);
  const isLive = (spi: number) => live.has(spi);
  env.senderRows.fill(-1);
  for (let slot = 0; slot < Cap.Sas; slot++) {
    const row = slot * Sa.Words;
    if (sas[row + Sa.Serial] === 0 || (sas[row + Sa.Flags] & SaFlag.Outbound) === 0) continue;
    const spi = sas[row + Sa.Spi] >>> 0;
    const at = slot * SenderRow.Words;
    env.senderRows[at + SenderRow.Sequence] = numberOf(env, SenderKind.Sequence, spi, 0, isLive);
    const sids = sas[row + Sa.SidBits] > 0 ? Math.min(sas[row + Sa.SidCount], Cap.Sids) : 0;
    for (let i = 0; i < sids; i++) {
      env.senderRows[at + SenderRow.Iv + i] = numberOf(env, SenderKind.Iv, spi, sas[row + Sa.Sids + i] >>> 0, isLive);
    }
  }
  env.senders.flush();
}

function numberOf(env: Env, kind: SenderKind, spi: number, sid: number, isLive: (spi: number) => boolean): number {
  const row = env.senders.take(kind, spi, sid, isLive);
  return row < 0 ? -1 : Senders.numberAt(row);
}
