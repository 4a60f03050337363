// The order of operations, top to bottom: order is the semantics. Stage files are numbered in this order and a test asserts it.
// A packet that goes back (decrypted: to ip-input; an ICMP error of ours: to route) is taken up in the next turn of the same pass.

import { PathCount } from './counters/declare.js';
import { Clock, type Env } from './env.js';
import { makeTakeOver } from './path/05-take-over.js';
import { makeRx } from './path/10-rx.js';
import { makeIpInput } from './path/15-ip-input.js';
import { makeHandOver } from './path/17-hand-over.js';
import { makeReassemble } from './path/20-reassemble.js';
import { makeEspOpen } from './path/25-esp-open.js';
import { makePolicyIn } from './path/27-policy-in.js';
import { makeNatOutside } from './path/35-nat-outside.js';
import { makeRoute } from './path/40-route.js';
import { makeMulticast } from './path/42-multicast.js';
import { makeNatInside } from './path/45-nat-inside.js';
import { makeCryptoMap } from './path/55-crypto-map.js';
import { makePmtu } from './path/60-pmtu.js';
import { makeHandToSealer } from './path/67-hand-to-sealer.js';
import { makeEspSeal } from './path/70-esp-seal.js';
import { makeTx } from './path/90-tx.js';
import { makeLocal } from './path/95-local.js';
import { makeNatExpire } from './path/97-nat-expire.js';
import { makeAnnounce } from './path/99-announce.js';

/**
 * Builds the worker's pass. Call once per worker. @returns runs one pass to its end (nothing waits but fragments for their first) and tells how many datagrams it read
 * from devices and took from other workers
 */
export function makePipeline(env: Env): () => number {
  const takeOver = makeTakeOver(env);
  const rx = makeRx(env);
  const ipInput = makeIpInput(env);
  const handOver = makeHandOver(env);
  const reassemble = makeReassemble(env);
  const espOpen = makeEspOpen(env);
  const policyIn = makePolicyIn(env);
  const natOutside = makeNatOutside(env);
  const route = makeRoute(env);
  const multicast = makeMulticast(env);
  const natInside = makeNatInside(env);
  const cryptoMap = makeCryptoMap(env);
  const pmtu = makePmtu(env);
  const handToSealer = makeHandToSealer(env);
  const espSeal = makeEspSeal(env);
  const tx = makeTx(env);
  const local = makeLocal(env);
  const natExpire = makeNatExpire(env);
  const announce = makeAnnounce(env);
  const { clock, native } = env;
  const { path } = env.counters;
  const { ipInput: decrypted, route: made, espSeal: toSeal } = env.vec;

  return function pass() {
    clock[Clock.Ms] = native.monotonicMs();
    path[PathCount.Passes]++;
    const taken = takeOver();
    const received = rx();
    // Bounded: nesting stops decapsulation, and no error is made about an error.
    while (decrypted.length + made.length + toSeal.length > 0) {
      ipInput();
      handOver();
      reassemble();
      espOpen();
      policyIn();
      natOutside();
      route();
      multicast();
      natInside();
      cryptoMap();
      pmtu();
      handToSealer();
      espSeal();
      tx();
      local();
    }
    natExpire();
    announce();
    return taken + received;
  };
}
