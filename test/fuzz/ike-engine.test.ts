import { randomBytes } from 'node:crypto';
import t from 'tap';
import { startDh } from '../../control/isakmp/keying-material.js';
import { writeDeletion } from '../../control/isakmp/notification.js';
import { buildMessage } from '../../control/isakmp/payloads.js';
import { fuzz } from './ike-engine.js';
import { run } from './mutations.js';

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
// The first byte steers the target: every server, with and without its cookies.
const seeds = messages.flatMap((message) => Array.from({ length: 96 }, (_, i) => new Uint8Array([i < 48 ? i : 0xc0 + i, ...message])));

t.test('engine', async (t) => {
  t.equal(run(fuzz, seeds, 10_000), null, 'nothing thrown, nothing established, nothing lost');
});
