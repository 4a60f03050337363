// Asks the pipeline what it would do with one datagram (README.md): its own stages over the live tables, in memory of their own.

import {
  Drop,
  GroupCap,
  GroupCount,
  NatCount,
  PathCount,
  PolicyCount,
  PortCount,
  QosCount,
  RedCount,
  SaCount,
} from '../counters/declare.js';
import { dropsByReason } from '../counters/drops.js';
import { Latency } from '../counters/latency.js';
import { adoptBank, type Env, makeEnv } from '../env.js';
import { Clock, setClock } from '../mem/clock.js';
import { isLocal } from '../mem/hash.js';
import { LinkKind } from '../mem/links.js';
import { SenderState, senderStatePath } from '../mem/sender-state.js';
import { type CounterBlocks, Ctl, controlWords, metersOf, natRowsOf, type SharedState } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import type { Native } from '../native/native.js';
import { makePipeline } from '../pipeline.js';
import { holdsEsp } from '../proto/esp-in-udp.js';
import { Ip4, IpProto, isMulticast } from '../proto/ipv4.js';
import { hasPorts, Port } from '../proto/l4.js';
import { Cap, Dscp, QosCap } from '../tables/layout.js';
import type { TraceSent, TraceStep } from '../tables/trace.js';
import { ForeseenHandOver } from './foreseen-hand-over.js';
import { addressesIn, copySessions, findRelated, lendAgain, rowsFor } from './live-sessions.js';
import { descriptorOf, type LinkShape, linkName, QuietNative, type Written } from './quiet-native.js';
import { describePacket, isMade, Recorder } from './recorder.js';

/** What a trace reads besides shared memory. */
export interface TracerMeans {
  native: Pick<Native, 'monotonicMs'>;
  /** See WorkerStart. */
  senderStatePath: string;
  bootId: string;
  /** Links of an open port, as a worker has them. @returns empty = it is not open */
  linksOf(port: number, worker: number): readonly LinkShape[];
  /** The most specific route. @param address signed */
  routeTo(address: number): TraceStep['route'];
}

export interface Arrival {
  port: number;
  datagram: Uint8Array;
  /** It came out of an SA. */
  decrypted: boolean;
}

export interface TraceRun {
  worker: number;
  steps: TraceStep[];
  /** In the order in which they leave; what is sealed is not encrypted. */
  sent: (Written & { made: boolean })[];
  /** Packets by Drop: the traced one, and ICMP errors that went nowhere. */
  drops: number[];
}

/** So often a packet passes from worker to worker at the most: to its owner, to who seals. */
const MostWorkers = 4;

/** @throws RangeError when the port is not open */
export function trace(shared: SharedState, means: TracerMeans, arrival: Arrival): TraceRun {
  if (means.linksOf(arrival.port, 0).length === 0) throw new RangeError('the interface is not open');
  let run = new Attempt(shared, means, arrival, 0);
  run.start();
  let steps = run.recorder.steps;
  for (let i = 0; i < MostWorkers && run.givenTo >= 0; i++) {
    const next = new Attempt(shared, means, arrival, run.givenTo);
    const stage = steps.at(-1)?.stage;
    if (stage === '67-hand-to-sealer' || stage === '33-nat-hairpin') {
      next.goOn(run, stage === '33-nat-hairpin' ? 'ipInput' : 'espSeal');
      steps = [...steps, ...next.recorder.steps];
    } else {
      next.start();
      steps = next.recorder.steps;
    }
    run = next;
  }
  return { worker: run.worker, steps, sent: run.sent, drops: run.drops };
}

function ownCounters(): CounterBlocks {
  return {
    drops: new Float64Array(Cap.Ports * Drop.Count),
    ports: new Float64Array(Cap.Ports * PortCount.Count),
    sas: new Float64Array(Cap.Sas * SaCount.Count),
    saSerials: new Float64Array(Cap.Sas),
    saSequences: new Float64Array(Cap.Sas),
    groups: new Float64Array(GroupCap * GroupCount.Count),
    aceHits: new Float64Array(Cap.Aces),
    aceTotals: new Float64Array(Cap.AceCounters),
    path: new Float64Array(PathCount.Count),
    nat: new Float64Array(NatCount.Count),
    policies: new Float64Array(Cap.PolicyEntries * PolicyCount.Count),
    qos: new Float64Array(QosCap.Classes * QosCount.Count),
    qosWaits: new Float64Array(QosCap.Classes * Latency.Places),
    qosReds: new Float64Array(QosCap.Reds * Dscp.Count * RedCount.Count),
  };
}

/** Policers as they stand now. */
function ownMeters(shared: SharedState): ReturnType<typeof metersOf> {
  const { rows, locks } = metersOf(shared);
  return { rows: rows.slice(), locks: new Int32Array(locks.length) };
}

/** What workers tell each other, as it is now; nobody asks for the log of NAT, or captures. */
function quietControl(shared: SharedState): Int32Array {
  const control = controlWords(shared).slice();
  control[Ctl.NatLog] = 0;
  control[Ctl.CaptureWire] = 0;
  control[Ctl.CaptureInner] = 0;
  control[Ctl.CaptureFollow] = 0;
  return control;
}

/** The packet as one worker would treat it. */
class Attempt {
  readonly recorder: Recorder;
  private readonly env: Env;
  private readonly native: QuietNative;
  private readonly handOver: ForeseenHandOver | null;
  private readonly pass: () => number;

  constructor(
    shared: SharedState,
    private readonly means: TracerMeans,
    private readonly arrival: Arrival,
    readonly worker: number,
  ) {
    const native = new QuietNative(means.native.monotonicMs());
    const live = natRowsOf(shared, worker);
    const related = findRelated(live, addressesIn(arrival.datagram));
    const base = makeEnv({
      index: worker,
      shared: { ...shared, workers: 1 }, // no rings
      native,
      senders: SenderState.open(native, senderStatePath(means.senderStatePath, worker), means.bootId),
      own: {
        counters: ownCounters(),
        natRows: rowsFor(related.rows.length),
        control: quietControl(shared),
        workers: shared.workers,
        meters: ownMeters(shared),
      },
      noteDrop: (id, reason) => this.recorder.noteDrop(id, reason),
    });
    this.handOver = shared.workers > 1 ? new ForeseenHandOver(base.slots, shared, worker, [], () => undefined) : null;
    this.env = { ...base, workers: shared.workers, handOver: this.handOver };
    this.recorder = new Recorder(this.env, means, related.rows.length);
    if (this.handOver) this.handOver.noted = (id) => this.recorder.noteHandOver(id);
    this.native = native;
    const control = controlWords(shared);
    copySessions(live, related, this.env.nat.sessions); // first: sessions of hosts are counted when tables come
    adoptBank(this.env, shared, Atomics.load(control, Ctl.Epoch) & 1);
    setClock(this.env.clock, this.env.now());
    this.env.clock[Clock.Seconds] = Atomics.load(control, Ctl.NowSeconds);
    lendAgain(related, this.env);
    for (let port = 0; port < Cap.Ports; port++) {
      const shapes = means.linksOf(port, worker);
      if (shapes.length > 0)
        this.env.links.open(
          port,
          shapes.map((shape) => ({ ...shape, fd: descriptorOf(port, shape) })),
        );
    }
    this.pass = makePipeline(this.env, <R>(stage: string, run: () => R): (() => R) => {
      if (stage === '12-gre-keepalive') return () => undefined as R; // nothing but the one packet
      return stage === '10-rx' ? this.receive(run) : this.recorder.watch(stage, run);
    });
  }

  get givenTo(): number {
    return this.handOver?.givenTo ?? -1;
  }

  get drops(): number[] {
    return dropsByReason(this.env.counters.drops);
  }

  get sent(): TraceRun['sent'] {
    return this.native.written.map((item) => ({ ...item, made: isMade(this.env, item.offset) }));
  }

  start(): void {
    const { port, datagram } = this.arrival;
    this.native.arrive(port, this.arrivalLink(), datagram);
    this.pass();
  }

  /** Takes the packet over from a worker that has changed it already. @param at vector in which 05-take-over puts such packets */
  goOn(from: Attempt, at: 'ipInput' | 'espSeal'): void {
    const { slots } = this.env;
    const id = from.recorder.id;
    for (const [name, column] of Object.entries(from.env.slots))
      if (column instanceof Int32Array && name !== 'freeIds') (slots[name as keyof typeof slots] as Int32Array)[id] = column[id];
    slots.bytes.set(from.env.slots.bytes);
    slots.freeIds.set(slots.freeIds.filter((free) => free !== id));
    slots.freeCount--;
    this.recorder.id = id;
    this.env.vec[at].push(id);
    this.pass();
  }

  /** What 10-rx reads is followed from there. */
  private receive<R>(rx: () => R): () => R {
    const { slots, vec } = this.env;
    return () => {
      const before = vec.ipInput.length;
      const result = rx();
      if (vec.ipInput.length > before) {
        const id = vec.ipInput.ids[before];
        this.recorder.id = id;
        if (this.arrival.decrypted) slots.flags[id] |= PacketFlag.Decrypted | PacketFlag.OwesHop;
        // By a tunnel it came out of GRE, unless it is this host's: that goes in.
        const isOwn = isLocal(this.env.tables.localSet, slots.view.getInt32(slots.off[id] + Ip4.Src));
        if ((slots.flags[id] & PacketFlag.ByTunnel) !== 0 && !isOwn) slots.flags[id] = PacketFlag.Decapsulated | PacketFlag.OwesHop;
      }
      return result;
    };
  }

  /** By which of the port's links such a packet comes. */
  private arrivalLink(): LinkKind {
    const { datagram, port, decrypted } = this.arrival;
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
    const { localSet } = this.env.tables;
    const kinds = this.means.linksOf(port, this.worker).map(({ kind }) => kind);
    if (kinds.includes(LinkKind.Tunnel)) return LinkKind.Tunnel;
    if (decrypted || datagram.length < Ip4.HeaderLen || isLocal(localSet, view.getInt32(Ip4.Src))) return LinkKind.Tun;
    const to = view.getInt32(Ip4.Dst);
    const isEsp = datagram[Ip4.Protocol] === IpProto.Esp;
    const isPlainUdp = datagram[Ip4.Protocol] === IpProto.Udp && datagram[0] === 0x45;
    const isEspToPort = isPlainUdp && holdsEsp(view, Ip4.HeaderLen, datagram.length - Ip4.HeaderLen);
    const fits = (kind: LinkKind): boolean => {
      switch (kind) {
        case LinkKind.Groups:
          return isMulticast(to);
        case LinkKind.Packet:
          return !isLocal(localSet, to) && !isMulticast(to);
        case LinkKind.Raw:
          return isEsp;
        case LinkKind.Xdp:
          return isEsp || isEspToPort;
        default:
          return false;
      }
    };
    return kinds.find(fits) ?? LinkKind.Tun;
  }
}

/** A datagram that left, for an answer. */
export function describeSent({ port, kind, bytes, made }: TraceRun['sent'][number]): TraceSent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (bytes[0] & 15) << 2;
  const protocol = view.getUint8(Ip4.Protocol);
  const isWhole = hasPorts(protocol) && (view.getUint16(Ip4.FlagsOffset) & Ip4.OffsetMask) === 0 && at + 4 <= bytes.length;
  const none = hasPorts(protocol) ? Port.Unknown : Port.None;
  const packet = describePacket(view, 0, bytes.length, {
    src: view.getUint32(Ip4.Src),
    dst: view.getUint32(Ip4.Dst),
    protocol,
    sport: isWhole ? view.getUint16(at) : none,
    dport: isWhole ? view.getUint16(at + 2) : none,
  });
  return { port, link: linkName(kind), packet, made };
}
