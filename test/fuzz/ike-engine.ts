// A key server's engine, half-way through main mode and after it, receives arbitrary bytes behind a header that fits one of its SAs, or
// none. Nothing may be thrown, no SA may come up or go away, and no answer may be longer than the question.

import { randomBytes } from 'node:crypto';
import type { Action, Endpoint } from '../../control/actions.js';
import { defaultIsakmp } from '../../control/config/empty.js';
import { IkeEngine, type IkeUser } from '../../control/isakmp/ike-engine.js';
import { startDh } from '../../control/isakmp/keying-material.js';
import { writeDeletion } from '../../control/isakmp/notification.js';
import { buildMessage } from '../../control/isakmp/payloads.js';
import type { Phase1Sa } from '../../control/isakmp/phase1-sa.js';

const member: Endpoint = { address: 0x0a000001, port: 848 };
const server: Endpoint = { address: 0x0a000002, port: 848 };
const silent: IkeUser = {
  phase1Up: () => [],
  phase1Failed: () => [],
  phase1Deleted: () => [],
  pullMessage: () => [],
  pushMessage: () => [],
  notification: () => [],
};

function engine(acceptInbound: boolean): IkeEngine {
  const policy = {
    line: 1,
    priority: 1,
    encryption: 'aes-128',
    hash: 'sha256',
    authentication: 'pre-share',
    group: 19,
    lifetimeSeconds: 60,
  } as const;
  // Keys for these hosts alone: aggressive mode answers them.
  const keys = [member, server].map(({ address }) => ({ line: 1, key: 'k', address, mask: 0xffffffff }));
  const settings = { ...defaultIsakmp(), aggressiveMode: true };
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  return new IkeEngine({ policies: [policy], keys, random, user: silent, acceptInbound, settings });
}

function sent(actions: Action[]): Uint8Array[] {
  return actions.flatMap((action) => (action.kind === 'send' ? [action.datagram.bytes] : []));
}

/** A server that has answered `answers` of a member's messages. */
function serverAfter(answers: number): { target: IkeEngine; sa: Phase1Sa } {
  const target = engine(true);
  const initiator = engine(false);
  let messages = sent(initiator.initiate(member, server, 0));
  for (let i = 0; i < answers; i++) {
    const replies = messages.flatMap((bytes) => sent(target.receive({ local: server, remote: member, bytes }, 0)));
    messages = replies.flatMap((bytes) => sent(initiator.receive({ local: member, remote: server, bytes }, 0)));
  }
  return { target, sa: target.sas()[0] };
}

const targets = [1, 2, 3].map(serverAfter);

/** @param bytes first byte: which server, and whether the cookies are its SA's; the rest: the message from the ninth byte of the header on */
export function fuzz(bytes: Uint8Array): void {
  const { target, sa } = targets[(bytes[0] ?? 0) % targets.length];
  const state = sa.state;
  const key = sa.key.join();
  const message = bytes.slice(1);
  if (message.length >= 28) {
    message[17] = 0x10;
    if (bytes[0] & 0x80) message.set([...sa.initiatorCookie, ...sa.responderCookie]);
    // Mostly the exchanges that are read further, and a length that fits.
    if (bytes[0] & 0x40) message[18] = [2, 4, 5, 32, 33][message[18] % 5];
    if (bytes[0] & 0x20) new DataView(message.buffer).setUint32(24, message.length);
    if (bytes[0] & 0x10) message[19] = message[18] === 2 && state === 'MM_SA_SETUP' ? 0 : 1;
    if (message[18] === 2 || message[18] === 4) message.fill(0, 20, 24);
  }
  const up = target.sas().filter((item) => item.state === 'GDOI_IDLE').length;
  for (const answer of sent(target.receive({ local: server, remote: member, bytes: message }, 0))) {
    // Message 2 of aggressive mode has a hash, and NAT-D, more than message 1.
    const more = message[18] === 4 ? 150 : 0;
    if (answer.length > Math.max(message.length, 40) + more) throw new Error(`answer of ${answer.length} bytes to ${message.length}`);
  }
  const after = target.sas();
  if (after.filter((item) => item.state === 'GDOI_IDLE').length !== up) throw new Error('an SA came up, or went away');
  if (state === 'GDOI_IDLE' && (!after.includes(sa) || sa.key.join() !== key)) throw new Error('the SA changed');
}

const cookies = { initiatorCookie: new Uint8Array(8).fill(1), responderCookie: new Uint8Array(8), messageId: 0, flags: 0 };
const body = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const offer = Buffer.from(
  '00000002000000000000002c01010001000000240001000080010007800e0080800200048003000180040013800b0001800c003c',
  'hex',
);
const messages = [
  buildMessage({ ...cookies, exchange: 2 }, [{ type: 1, body: offer }]),
  buildMessage({ ...cookies, exchange: 2 }, [
    { type: 4, body: body(64) },
    { type: 10, body: body(20) },
  ]),
  buildMessage({ ...cookies, exchange: 4 }, [
    { type: 1, body: offer },
    { type: 4, body: startDh(19).publicValue },
    { type: 10, body: body(20) },
    { type: 5, body: Buffer.from('011103500a000001', 'hex') },
    { type: 13, body: Buffer.from('4a131c81070358455c5728f20e95452f', 'hex') },
  ]),
  buildMessage({ ...cookies, exchange: 2, flags: 1 }, [{ type: 5, body: body(60) }]),
  buildMessage({ ...cookies, exchange: 5, flags: 1, messageId: 5 }, [{ type: 8, body: body(60) }]),
  buildMessage({ ...cookies, exchange: 5 }, [{ type: 12, body: writeDeletion({ doi: 2, protocol: 1, spiSize: 16, spis: [body(16)] }) }]),
];
/** The first byte steers the target: every server, with and without its cookies. */
const steering = [0x00, 0x20, 0x80, 0xa0, 0xb0, 0xc0, 0xe0, 0xf0].flatMap((bits) => [bits, bits + 1, bits + 2]);
export const seeds: readonly Uint8Array[] = messages.flatMap((message) => steering.map((first) => new Uint8Array([first, ...message])));
