// A key server and a member on what the authenticated other end may put into an informational message: any payloads, under the SA, with a right HASH.
// Nothing is thrown; the SA goes only by a delete of its own cookies; nobody is answered but for R-U-THERE.

import { sealInformational } from '../../control/isakmp/informational.js';
import type { Phase1Sa } from '../../control/isakmp/phase1-sa.js';
import { memberAndServer, memberEnd, type Peer, seededRandom, serverEnd } from '../exchange/control/isakmp/two-engines.js';

const random = seededRandom('informational');
let pair = established();

function established() {
  const made = memberAndServer();
  made.network.initiate(made.member, made.server);
  made.network.run(1000);
  return made;
}

/** type, length, body; again. @param own cookies that a body may name: 0xc0 0xde stands for them */
function payloadsOf(bytes: Uint8Array, own: Uint8Array): { type: number; body: Uint8Array }[] {
  const payloads: { type: number; body: Uint8Array }[] = [];
  for (let at = 0; at + 2 <= bytes.length && payloads.length < 70; ) {
    const end = Math.min(at + 2 + bytes[at + 1], bytes.length);
    const body = Buffer.from(bytes.subarray(at + 2, end));
    const mark = body.indexOf(Uint8Array.of(0xc0, 0xde));
    payloads.push({
      type: bytes[at],
      body: new Uint8Array(mark < 0 ? body : Buffer.concat([body.subarray(0, mark), own, body.subarray(mark + 2)])),
    });
    at = end;
  }
  return payloads;
}

function namesItself(payloads: readonly { type: number; body: Uint8Array }[], own: Uint8Array): boolean {
  return payloads.some(({ type, body }) => type === 12 && Buffer.from(body).includes(Buffer.from(own)));
}

/** @param bytes first bit: who is asked; then payloads */
export function fuzz(bytes: Uint8Array): void {
  const toServer = ((bytes[0] ?? 0) & 1) === 0;
  const { network, member, server } = pair;
  const to: Peer = toServer ? server : member;
  const [sa] = (toServer ? member : server).engine.sas() as Phase1Sa[];
  const own = new Uint8Array([...sa.initiatorCookie, ...sa.responderCookie]);
  const payloads = payloadsOf(bytes.subarray(1), own);
  const sent = network.sent.length;
  const answered = to.count('ike_dpd_answered');
  network.inject(toServer ? memberEnd : serverEnd, to, sealInformational(sa, random, payloads));
  const answers = network.sent.length - sent;
  const gone = to.engine.sas().length === 0;
  if (answers !== to.count('ike_dpd_answered') - answered) throw new Error(`${answers} answers`);
  if (gone && !namesItself(payloads, own)) throw new Error('the SA is gone, and nobody has deleted it');
  to.logs.length = 0;
  to.notifications.length = 0;
  network.sent.length = 0;
  // The answers are read, and nothing stays in flight. R-U-THERE counts up: another pair now and then.
  network.run(10);
  if (gone || member.engine.sas().length === 0 || network.now > 1_060_000) pair = established();
}

const head = (hex: string): number[] => [...Buffer.from(hex, 'hex')];
const payload = (type: number, body: number[]): number[] => [type, body.length, ...body];
export const seeds: readonly Uint8Array[] = [
  Uint8Array.of(0, ...payload(12, head('0000000201100001c0de'))),
  Uint8Array.of(1, ...payload(12, head('0000000201100001c0de'))),
  Uint8Array.of(0, ...payload(12, head('0000000201100002c0dec0de'))),
  Uint8Array.of(0, ...payload(11, head('0000000101108d28c0de00000001'))),
  Uint8Array.of(1, ...payload(11, head('0000000101108d29c0de00000001'))),
  Uint8Array.of(1, ...payload(11, head('000000020100000e')), ...payload(13, [1, 2, 3])),
];
