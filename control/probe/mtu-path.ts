// The MTU doctor, as a plan: finds the path MTU by bisection with DF (RFC 1191 §3 where ICMP is heard, RFC 4821 §7.3's way where it is not),
// then the hop where it shrinks. ICMP only says where to look next: what counts is which sizes come back.

import type { Encapsulation, PathEvent, ProbeEvent } from '../api/probe-events.js';
import { formatIpv4 } from '../config/addresses.js';
import type { MtuPathCommand } from '../config/exec-probe.js';
import { EchoTtl, Emsgsize } from './ping.js';
import type { Outcome, Plan, Probe } from './probe-run.js';

/** What is asked first must pass for there to be a path at all. */
const FirstSize = 100;
const TimeoutMs = 1000;
/** Once an answer has come, no longer than so many times as long as it took, and not less than that. */
const TimesRoundTrip = 8;
const LeastTimeoutMs = 250;
/** A size that fails so often is too long: one loss is no verdict. */
const Tries = 3;
const MostHops = 30;
/** Hops in a row that do not answer: nobody does any more. */
const MostSilent = 4;
const Unreachable = 3;
const FragmentationNeeded = 4;
const TimeExceeded = 11;

/** What is learnt on the way. */
interface Search {
  /** Comes back. */
  good: number;
  /** Does not. */
  bad: number;
  localMtu: number | null;
  heard: { from: number; mtu: number } | null;
  /** Sizes that vanished without a word. */
  silent: number;
  probes: number;
  /** Slowest answer so far. */
  slowestMs: number;
  /** How long one is waited for. */
  timeoutMs: number;
}

type Step = Generator<{ probe: Probe }, Outcome, Outcome>;

function* ask(size: number, ttl: number, search: Search, tries = Tries): Step {
  let outcome: Outcome = { kind: 'timeout' };
  for (let i = 0; i < tries && outcome.kind === 'timeout'; i++) {
    search.probes++;
    outcome = yield { probe: { size, ttl, timeoutMs: search.timeoutMs, port: null } };
  }
  // The longest round trip that was seen counts.
  if (outcome.kind === 'reply') search.slowestMs = Math.max(search.slowestMs, outcome.ms);
  if (search.slowestMs > 0) search.timeoutMs = Math.min(TimeoutMs, Math.max(LeastTimeoutMs, TimesRoundTrip * search.slowestMs));
  return outcome;
}

/** Takes one size's outcome into account. @returns the next-hop MTU that was told, 0 = none */
function note(size: number, outcome: Outcome, search: Search): number {
  if (outcome.kind === 'reply') {
    search.good = Math.max(search.good, size);
    return 0;
  }
  search.bad = Math.min(search.bad, size);
  if (outcome.kind === 'timeout') search.silent++;
  if (outcome.kind === 'refused' && outcome.errno === Emsgsize) search.localMtu = Math.min(search.localMtu ?? size, size - 1);
  const isTold = outcome.kind === 'error' && outcome.type === Unreachable && outcome.code === FragmentationNeeded;
  if (isTold) search.heard = { from: outcome.from, mtu: outcome.mtu };
  return isTold ? outcome.mtu : 0;
}

/** Between `good` and `bad`, until they are neighbours. */
function* bisect(search: Search): Generator<{ probe: Probe }, void, Outcome> {
  let next = search.bad - 1;
  while (search.bad - search.good > 1) {
    const size = next > search.good && next < search.bad ? next : (search.good + search.bad) >>> 1;
    const outcome = yield* ask(size, EchoTtl, search);
    const told = note(size, outcome, search);
    // Told: try exactly that, and when it passes the next larger one is known to be too long.
    next = told > search.good && told < search.bad ? told : 0;
    if (outcome.kind === 'reply' && search.heard?.mtu === size) search.bad = size + 1;
  }
}

interface Hop {
  ttl: number;
  address: number | null;
  large: boolean;
}

/** Who is on the way, and who of them still gets datagrams of `largeSize`, which the path does not carry to its end. */
function* walk(largeSize: number | null, search: Search): Generator<{ probe: Probe }, Hop[], Outcome> {
  const hops: Hop[] = [];
  let silent = 0;
  for (let ttl = 1; ttl <= MostHops && silent < MostSilent; ttl++) {
    const small = yield* ask(FirstSize, ttl, search, 2);
    const address = small.kind === 'error' || small.kind === 'reply' ? small.from : null;
    silent = address === null ? silent + 1 : 0;
    const isKnown = largeSize === null || address === null;
    const large = isKnown ? null : yield* ask(largeSize, ttl, search, 2);
    hops.push({ ttl, address, large: large?.kind === 'error' && large.type === TimeExceeded && large.from === address });
    if (small.kind === 'reply' || (small.kind === 'error' && small.type !== TimeExceeded)) break;
  }
  return hops;
}

/** @param start the first size that is asked @param encapsulations what the encapsulations on the way cost at the MTU that is found, and who encrypts now */
export function* mtuPathPlan(
  { target }: MtuPathCommand,
  start: number,
  encapsulations: (pathMtu: number) => { list: Encapsulation[]; encryptedBy: string | null },
): Plan<ProbeEvent> {
  const search: Search = { good: 0, bad: start + 1, localMtu: null, heard: null, silent: 0, probes: 0, slowestMs: 0, timeoutMs: TimeoutMs };
  const first = yield* ask(FirstSize, EchoTtl, search);
  if (first.kind !== 'reply') {
    yield { tell: { ...report(target, search, []), pathMtu: null, encapsulations: [], encryptedBy: null } };
    return;
  }
  search.good = FirstSize;
  yield* bisect(search);
  const shrinks = search.good < start && search.localMtu !== search.good;
  const hops = yield* walk(shrinks ? search.good + 1 : null, search);
  const { list, encryptedBy } = encapsulations(search.good);
  yield { tell: { ...report(target, search, hops), encapsulations: list, encryptedBy } };
}

/** The last hop that a datagram gets to which is too long for the path; with ICMP, the one that said so. */
function shrinkingHop(hops: Hop[], heard: Search['heard']): PathEvent['shrinksBehind'] {
  const hop = hops.find(({ address }) => heard !== null && address === heard.from) ?? hops.findLast(({ large }) => large);
  return hop && hop.address !== null ? { ttl: hop.ttl, address: formatIpv4(hop.address) } : null;
}

function report(target: number, { good, localMtu, heard, silent, probes }: Search, hops: Hop[]): PathEvent {
  return {
    kind: 'path',
    target: formatIpv4(target),
    pathMtu: good,
    localMtu,
    icmp: heard ? 'heard' : silent > 0 ? 'blocked' : null,
    told: heard && { from: formatIpv4(heard.from), mtu: heard.mtu },
    shrinksBehind: shrinkingHop(hops, heard),
    hops: hops.map(({ ttl, address, large }) => ({ ttl, address: address === null ? null : formatIpv4(address), large })),
    probes,
    encapsulations: [],
    encryptedBy: null,
  };
}
