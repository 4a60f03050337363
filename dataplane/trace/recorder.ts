// Writes down what each stage does with one packet: it looks before and after the stage where the packet is, what it is, and what was counted.

import { type Drop, PolicyCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { PacketFlag } from '../mem/slots.js';
import { Ip4 } from '../proto/ipv4.js';
import { Sa } from '../tables/layout.js';
import type { TracedPacket, TraceOutcome, TraceStep } from '../tables/trace.js';
import { usedSession } from './live-sessions.js';

/** Where a packet is that no vector holds. */
const Nowhere = '';

export interface RecorderQuestions {
  /** Longest prefix match, to name the route. @param address signed */
  routeTo(address: number): TraceStep['route'];
}

export class Recorder {
  readonly steps: TraceStep[] = [];
  /** The slot of the packet that is followed; -1 = it has not arrived. */
  id = -1;
  private ended = false;
  private reason = -1;
  private wasHandedOver = false;

  /** @param copied NAT sessions that were there before */
  constructor(
    private readonly env: Env,
    private readonly questions: RecorderQuestions,
    private readonly copied: number,
  ) {}

  /** What the environment's drop must tell. */
  noteDrop(id: number, reason: Drop): void {
    if (id === this.id) this.reason = reason;
  }

  noteHandOver(id: number): void {
    if (id === this.id) this.wasHandedOver = true;
  }

  /** Around a stage; see Watch in pipeline.ts. */
  watch<R>(stage: string, run: () => R): () => R {
    return () => {
      if (this.ended || this.id < 0) return run();
      const place = this.place();
      const before = this.describe();
      this.forget();
      const result = run();
      this.note(stage, place, before);
      return result;
    };
  }

  private place(): string {
    for (const [name, vector] of Object.entries(this.env.vec))
      for (let i = 0; i < vector.length; i++) if (vector.ids[i] === this.id) return name;
    return Nowhere;
  }

  private forget(): void {
    const { counters, nat } = this.env;
    counters.aceHits.fill(0);
    nat.clauseHits.fill(0);
    counters.policies.fill(0);
  }

  private note(stage: string, from: string, before: TracedPacket): void {
    const { counters, nat, slots, tables } = this.env;
    const to = this.place();
    const after = to === Nowhere ? before : this.describe();
    const aces = hits(counters.aceHits);
    const natClauses = hits(nat.clauseHits);
    const policyEntries = [...new Set(hits(counters.policies).map((word) => Math.floor(word / PolicyCount.Count)))];
    const changed = Object.entries(after).some(([key, value]) => value !== before[key as keyof TracedPacket]);
    if (from === to && !changed && aces.length + natClauses.length + policyEntries.length === 0) return;
    const slot = slots.sa[this.id];
    const outcome = this.outcome(stage, from, to);
    this.steps.push({
      stage,
      outcome,
      reason: outcome === 'drop' ? (to === 'refused' ? slots.reason[this.id] : this.reason) : -1,
      error: to === 'refused' ? slots.error[this.id] : 0,
      before,
      after,
      txPort: slots.txPort[this.id],
      nextHop: slots.nextHop[this.id] >>> 0,
      sa: slot,
      spi: slot < 0 ? 0 : tables.sas[slot * Sa.Words + Sa.Spi] >>> 0,
      aces,
      natClauses,
      policyEntries,
      session: changed || natClauses.length > 0 ? usedSession(nat.sessions, this.copied) : null,
      route: stage === '40-route' ? this.questions.routeTo(slots.dst[this.id]) : null,
    });
    if (outcome !== 'on') this.ended = true;
  }

  private outcome(stage: string, from: string, to: string): TraceOutcome {
    if (to === 'refused' || this.reason >= 0) return 'drop';
    if (to !== Nowhere) return 'on';
    if (this.wasHandedOver) return 'handed-over';
    if (stage === '90-tx') return 'sent';
    return from === 'punt' ? 'punted' : 'held';
  }

  private describe(): TracedPacket {
    const { view, off, len, src, dst, proto, sport, dport } = this.env.slots;
    return describePacket(view, off[this.id], len[this.id], {
      src: src[this.id] >>> 0,
      dst: dst[this.id] >>> 0,
      protocol: proto[this.id],
      sport: sport[this.id],
      dport: dport[this.id],
    });
  }
}

function hits(counts: Float64Array | Int32Array): number[] {
  const found: number[] = [];
  for (let row = 0; row < counts.length; row++) if (counts[row] !== 0) found.push(row); // entries() takes ten times as long
  return found;
}

/** @param parsed what is known of it beside its header */
export function describePacket(
  view: DataView,
  at: number,
  length: number,
  parsed: Pick<TracedPacket, 'src' | 'dst' | 'protocol' | 'sport' | 'dport'>,
): TracedPacket {
  return {
    ...parsed,
    tos: view.getUint8(at + Ip4.Tos),
    ttl: view.getUint8(at + Ip4.Ttl),
    length,
    dontFragment: (view.getUint16(at + Ip4.FlagsOffset) & Ip4.DontFragment) !== 0,
  };
}

/** Is it an ICMP error that this router made? */
export function isMade(env: Env, offset: number): boolean {
  for (let id = 0; id < env.slots.off.length; id++) {
    if (env.slots.off[id] === offset) return (env.slots.flags[id] & PacketFlag.Made) !== 0;
  }
  return false;
}
