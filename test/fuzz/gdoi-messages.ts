// The GDOI codec and the judgement of policies on arbitrary bytes: each payload body, pushes and acknowledgements under a known KEK.
// Only WireError may come out.

import { generateKeyPairSync } from 'node:crypto';
import { readGroupDeletion } from '../../control/gdoi/codec/deletion.js';
import { readGap } from '../../control/gdoi/codec/gap.js';
import { readGroupIdentity } from '../../control/gdoi/codec/group-identity.js';
import { readKd } from '../../control/gdoi/codec/kd.js';
import { readSa } from '../../control/gdoi/codec/sa.js';
import { readSak } from '../../control/gdoi/codec/sak.js';
import { readSat } from '../../control/gdoi/codec/sat.js';
import { readSequence } from '../../control/gdoi/codec/sequence.js';
import type { Kek } from '../../control/gdoi/group-policy.js';
import { openPush } from '../../control/gdoi/groupkey-push.js';
import { openAck } from '../../control/gdoi/push-ack.js';
import { judgeOffer, takeKeys } from '../../control/gdoi/received-policy.js';
import { readHeader } from '../../control/isakmp/header.js';
import { WireError } from '../../control/isakmp/wire-error.js';

export const fuzzKeys = generateKeyPairSync('rsa', { modulusLength: 1024 });
export const fuzzKek: Kek = {
  spi: new Uint8Array(16).fill(7),
  cipher: 'aes-128',
  iv: new Uint8Array(16).fill(1),
  key: new Uint8Array(16).fill(2),
  signatureHash: 'sha256',
  publicKey: new Uint8Array(fuzzKeys.publicKey.export({ type: 'spki', format: 'der' })),
  lifetimeSeconds: 3600,
  createdAt: 0,
  expiresAt: 3_600_000,
  sequence: 0,
  source: 0,
  destination: 0,
  acknowledge: true,
};

function tryRead(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (error.clause === '' || error.counter === '') throw new Error(`refused without clause or counter: ${error.message}`);
  }
}

/** First byte cuts the input in two: an SA body and a KD body, as a PULL brings them. */
function readPolicy(bytes: Uint8Array): void {
  const cut = Math.min(1 + (bytes[0] ?? 0), bytes.length);
  const offer = judgeOffer(readSa(bytes.subarray(1, cut)));
  for (const origin of ['pull', 'push'] as const) tryRead(() => takeKeys(offer, readKd(bytes.subarray(cut)), origin, fuzzKek, 0, 0));
}

export function fuzz(bytes: Uint8Array): void {
  for (const read of [readSa, readSak, readSat, readGap, readKd, readSequence, readGroupDeletion, readGroupIdentity, readPolicy])
    tryRead(() => void read(bytes));
  tryRead(() => {
    const header = readHeader(bytes);
    const message = bytes.subarray(0, header.length);
    tryRead(() => void openPush(fuzzKek, message));
    tryRead(() => void openAck(fuzzKek, message, header));
  });
}
