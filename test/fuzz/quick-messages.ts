// Quick Mode on what an authenticated peer may put into messages 1 and 2: any payloads, well protected. Nothing may be thrown, no pair is established
// without the third message, and the true peer still makes one.

import type { Action, Datagram } from '../../control/actions.js';
import { readHeader } from '../../control/isakmp/header.js';
import { exchangeHash, MessageCipher, saHeader } from '../../control/isakmp/message-cipher.js';
import { writePayloads } from '../../control/isakmp/payloads.js';
import type { Phase1Sa } from '../../control/isakmp/phase1-sa.js';
import { mismatch, twoGateways } from '../exchange/control/ipsec/two-gateways.js';

const QuickMode = 32;

/** What one peer has the other by: its address, or a dynamic map that takes any. */
let isDynamic = false;

function connected() {
  isDynamic = !isDynamic;
  const dynamic = isDynamic ? { dynamic: { name: 'D', sequence: 10 }, peers: [], entries: null } : {};
  const pair = twoGateways({ pfs: 19 }, { pfs: 19, ...dynamic });
  pair.wire.demand(pair.a);
  pair.wire.run(1000);
  if (mismatch(pair.a.pairs[0], pair.b.pairs[0]) !== null) throw new Error('the peers do not agree to begin with');
  const [{ selector }] = pair.a.pairs;
  return { ...pair, selector, saOfA: pair.a.ike.sas()[0], saOfB: pair.b.ike.sas()[0] };
}

/** Of these two the ISAKMP SA lives for an hour, and an input takes a minute. */
const InputsPerPair = 40;
let inputs = 0;
let { a, b, wire, selector, saOfA, saOfB } = connected();
let messageId = 0x10000;

type Body = { type: number; body: Uint8Array };

/** type, length (two octets), body; again. */
function payloadsOf(bytes: Uint8Array): Body[] {
  const payloads: Body[] = [];
  for (let at = 0; at + 3 <= bytes.length && payloads.length < 40; ) {
    const end = Math.min(at + 3 + bytes[at + 1] * 256 + bytes[at + 2], bytes.length);
    payloads.push({ type: bytes[at], body: bytes.slice(at + 3, end) });
    at = end;
  }
  return payloads;
}

function sealed(sa: Phase1Sa, cipher: MessageCipher, id: number, nonce: Uint8Array, payloads: Body[]): Uint8Array {
  const hash = exchangeHash(sa, id, nonce, writePayloads(payloads));
  return cipher.seal(saHeader(sa, QuickMode, id), [{ type: 8, body: hash }, ...payloads]);
}

function sentBy(actions: readonly Action[]): Datagram[] {
  return actions.flatMap((action) => (action.kind === 'send' && action.datagram.bytes[18] === QuickMode ? [action.datagram] : []));
}

/** Message 1 of a true peer, and what is in it. */
function begin(): { message: Uint8Array; payloads: Body[] } {
  a.ipsec.clear(null, wire.now);
  const [first] = sentBy(a.ipsec.demand(`M 10 ${a.local}`, selector, wire.now));
  const id = readHeader(first.bytes).messageId;
  const payloads = new MessageCipher(saOfA, id).open(first.bytes).slice(1);
  return { message: first.bytes, payloads: payloads.map(({ type, body }) => ({ type, body: body.slice() })) };
}

/** @param bytes first byte: 0 = these are message 1 to b, else message 2 to a, behind a good message 1 */
export function fuzz(bytes: Uint8Array): void {
  if (++inputs % InputsPerPair === 0) ({ a, b, wire, selector, saOfA, saOfB } = connected());
  wire.now += 61_000;
  // What an earlier input left open ends here: the peer refuses it.
  const none = new Uint8Array(0);
  a.ipsec.notification(saOfA, 14, none, wire.now - 20_000, { doi: 1, protocol: 3, spi: none, type: 14, data: none });
  wire.perform(
    b,
    b.ipsec.tick(wire.now).filter(({ kind }) => kind !== 'send'),
  );
  wire.perform(
    a,
    a.ipsec.tick(wire.now).filter(({ kind }) => kind !== 'send'),
  );
  const payloads = payloadsOf(bytes.subarray(1));
  if ((bytes[0] ?? 0) === 0) {
    const id = messageId++;
    const message = sealed(saOfA, new MessageCipher(saOfA, id), id, new Uint8Array(0), payloads);
    const established = b.pairs.filter((pair) => pair.established).length;
    b.ike.receive({ local: saOfB.local, remote: saOfB.remote, bytes: message }, wire.now);
    if (b.pairs.filter((pair) => pair.established).length > established) throw new Error('established without message 3');
    if (b.pairs.length > 8) throw new Error(`${b.pairs.length} pairs`);
    return;
  }
  const { message, payloads: offered } = begin();
  const id = readHeader(message).messageId;
  const cipher = new MessageCipher(saOfB, id);
  const nonce = offered.find(({ type }) => type === 10)?.body ?? new Uint8Array(0);
  cipher.open(message);
  const before = a.pairs.length;
  const answer = sealed(saOfB, cipher, id, nonce, payloads);
  a.ike.receive({ local: saOfA.local, remote: saOfA.remote, bytes: answer }, wire.now);
  if (a.pairs.length > before + 1) throw new Error('more than one pair');
}

function packed(payloads: readonly Body[]): number[] {
  return payloads.flatMap(({ type, body }) => [type, body.length >> 8, body.length & 255, ...body]);
}

wire.now += 1000;
const good = begin().payloads;
export const seeds: readonly Uint8Array[] = [
  Uint8Array.of(0, ...packed(good)),
  Uint8Array.of(1, ...packed(good)),
  Uint8Array.of(0, ...packed(good.slice(0, 2))),
  Uint8Array.of(1),
];
