// The order of operations, top to bottom: order is the semantics. Stage files are numbered in this order and a test asserts it.
// A packet that goes back (decrypted or out of a tunnel: to ip-input; an ICMP error of ours, or what goes into a tunnel: to route) is taken up in the next turn of the same pass.

import { PathCount } from './counters/declare.js';
import type { Env } from './env.js';
import { setClock } from './mem/clock.js';
import { makeTakeOver } from './path/05-take-over.js';
import { makeRx } from './path/10-rx.js';
import { makeGreKeepalive } from './path/12-gre-keepalive.js';
import { makeIpInput } from './path/15-ip-input.js';
import { makeHandOver } from './path/17-hand-over.js';
import { makeReassemble } from './path/20-reassemble.js';
import { makeAclIn } from './path/22-acl-in.js';
import { makeAssemble } from './path/23-assemble.js';
import { makeEspOpen } from './path/25-esp-open.js';
import { makePathMtu } from './path/26-path-mtu.js';
import { makePolicyIn } from './path/27-policy-in.js';
import { makeMtuProbe } from './path/28-mtu-probe.js';
import { makeServicePolicyIn } from './path/29-service-policy-in.js';
import { makeGreDecap } from './path/30-gre-decap.js';
import { makeNatHairpin } from './path/33-nat-hairpin.js';
import { makeNatOutside } from './path/35-nat-outside.js';
import { makePolicyRoute } from './path/38-policy-route.js';
import { makeRoute } from './path/40-route.js';
import { makeMulticast } from './path/42-multicast.js';
import { makeNatInside } from './path/45-nat-inside.js';
import { makeCryptoMap } from './path/55-crypto-map.js';
import { makeAdjustMss } from './path/56-adjust-mss.js';
import { makeAclOut } from './path/57-acl-out.js';
import { makePmtu } from './path/60-pmtu.js';
import { makeTunnelQueue } from './path/62-tunnel-queue.js';
import { makePreClassify } from './path/63-pre-classify.js';
import { makeGreEncap } from './path/65-gre-encap.js';
import { makeHandToSealer } from './path/67-hand-to-sealer.js';
import { makeEspSeal } from './path/70-esp-seal.js';
import { makeQueue } from './path/80-queue.js';
import { makeTx } from './path/90-tx.js';
import { makeLocal } from './path/95-local.js';
import { makeNatExpire } from './path/97-nat-expire.js';
import { makeAnnounce } from './path/99-announce.js';

/** Gives a stage back with something around it. @param stage name of its file */
export type Watch = <R>(stage: string, run: () => R) => () => R;

function unwatched<R>(_stage: string, run: () => R): () => R {
  return run;
}

/**
 * Builds the worker's pass. Call once per worker. @param watch a trace's (trace/tracer.ts): it sees the packet before and behind every stage
 * @returns runs one pass to its end (nothing waits but fragments for their first, and packets in queues) and tells how many datagrams it read from devices and took
 * from other workers
 */
export function makePipeline(env: Env, watch: Watch = unwatched): () => number {
  const takeOver = watch('05-take-over', makeTakeOver(env));
  const rx = watch('10-rx', makeRx(env));
  const greKeepalive = watch('12-gre-keepalive', makeGreKeepalive(env));
  const ipInput = watch('15-ip-input', makeIpInput(env));
  const handOver = watch('17-hand-over', makeHandOver(env));
  const reassemble = watch('20-reassemble', makeReassemble(env));
  const aclIn = watch('22-acl-in', makeAclIn(env));
  const assemble = watch('23-assemble', makeAssemble(env));
  const espOpen = watch('25-esp-open', makeEspOpen(env));
  const pathMtu = watch('26-path-mtu', makePathMtu(env));
  const policyIn = watch('27-policy-in', makePolicyIn(env));
  const mtuProbe = watch('28-mtu-probe', makeMtuProbe(env));
  const servicePolicyIn = watch('29-service-policy-in', makeServicePolicyIn(env));
  const greDecap = watch('30-gre-decap', makeGreDecap(env));
  const natHairpin = watch('33-nat-hairpin', makeNatHairpin(env));
  const natOutside = watch('35-nat-outside', makeNatOutside(env));
  const policyRoute = watch('38-policy-route', makePolicyRoute(env));
  const route = watch('40-route', makeRoute(env));
  const multicast = watch('42-multicast', makeMulticast(env));
  const natInside = watch('45-nat-inside', makeNatInside(env));
  const cryptoMap = watch('55-crypto-map', makeCryptoMap(env));
  const adjustMss = watch('56-adjust-mss', makeAdjustMss(env));
  const aclOut = watch('57-acl-out', makeAclOut(env));
  const pmtu = watch('60-pmtu', makePmtu(env));
  const tunnelQueue = watch('62-tunnel-queue', makeTunnelQueue(env));
  const preClassify = watch('63-pre-classify', makePreClassify(env));
  const greEncap = watch('65-gre-encap', makeGreEncap(env));
  const handToSealer = watch('67-hand-to-sealer', makeHandToSealer(env));
  const espSeal = watch('70-esp-seal', makeEspSeal(env));
  const queue = watch('80-queue', makeQueue(env));
  const tx = watch('90-tx', makeTx(env));
  const local = watch('95-local', makeLocal(env));
  const natExpire = watch('97-nat-expire', makeNatExpire(env));
  const announce = watch('99-announce', makeAnnounce(env));
  const { clock, now } = env;
  const { path } = env.counters;
  const { capture, qosOutput, mtuProbes } = env;
  const { ipInput: decrypted, route: made, espSeal: toSeal, tx: toQueue } = env.vec;

  return function pass() {
    setClock(clock, now());
    path[PathCount.Passes]++;
    const taken = takeOver();
    const received = rx();
    greKeepalive();
    // Bounded: nesting stops decapsulation, and no error is made about an error.
    while (decrypted.length + made.length + toSeal.length + toQueue.length + mtuProbes.pending > 0 || qosOutput.isDue()) {
      ipInput();
      handOver();
      reassemble();
      aclIn();
      assemble();
      espOpen();
      pathMtu();
      policyIn();
      mtuProbe();
      servicePolicyIn();
      greDecap();
      natHairpin();
      natOutside();
      policyRoute();
      route();
      multicast();
      natInside();
      cryptoMap();
      adjustMss();
      aclOut();
      pmtu();
      tunnelQueue();
      preClassify();
      greEncap();
      handToSealer();
      espSeal();
      queue();
      tx();
      local();
    }
    natExpire();
    announce();
    capture.publish();
    return taken + received;
  };
}
