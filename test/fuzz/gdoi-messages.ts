// The GDOI codec and the judgement of policies on arbitrary bytes: each payload body, pushes and acknowledgements under a known KEK.
// Only WireError may come out.

import { generateKeyPairSync } from 'node:crypto';
import { readGroupDeletion, writeDeleteAll } from '../../control/gdoi/codec/deletion.js';
import { readGap } from '../../control/gdoi/codec/gap.js';
import { readGroupIdentity } from '../../control/gdoi/codec/group-identity.js';
import { readKd, writeKd } from '../../control/gdoi/codec/kd.js';
import { readSa, writeSa } from '../../control/gdoi/codec/sa.js';
import { readSak } from '../../control/gdoi/codec/sak.js';
import { readSat } from '../../control/gdoi/codec/sat.js';
import { readSequence } from '../../control/gdoi/codec/sequence.js';
import type { Kek } from '../../control/gdoi/group-policy.js';
import { buildPush, openPush } from '../../control/gdoi/groupkey-push.js';
import { makeTek } from '../../control/gdoi/new-keys.js';
import { buildAck, openAck } from '../../control/gdoi/push-ack.js';
import { judgeOffer, takeKeys } from '../../control/gdoi/received-policy.js';
import { describePolicy, packKeys } from '../../control/gdoi/sent-policy.js';
import { concatBytes } from '../../control/isakmp/bytes.js';
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

const any = {
  source: 0,
  sourceWildcard: 0xffffffff,
  destination: 0x0a000000,
  destinationWildcard: 0xff,
  sourcePort: null,
  destinationPort: null,
};
const policy = {
  sequence: 1,
  profile: 'P',
  aclName: 'A',
  encryption: 'esp-gcm-128',
  authentication: null,
  lifetimeSeconds: 3600,
  replayWindow: 64,
  replaySeconds: 0,
  udp: false,
  receiveOnly: false,
  entries: [{ action: 'permit', protocol: null, ...any }],
} as const;
const random = (length: number): Uint8Array => new Uint8Array(length).fill(0x33);
const kek = fuzzKek;
const teks = [makeTek({ ...policy, entries: [...policy.entries] }, random, () => false, 0, 0)];
const sa = describePolicy(
  { teks, kek: { kek, modulusBits: 1024, source: 1, member: 2 }, activationDelaySeconds: 20, pseudotimeMs: null },
  0,
);
const packets = packKeys(teks, kek, { bits: 24, values: [5] });
const [saBody, kdBody] = [writeSa(sa), writeKd(packets)];
export const seeds: readonly Uint8Array[] = [
  saBody,
  kdBody,
  concatBytes(Uint8Array.of(saBody.length), saBody, kdBody),
  ...writeDeleteAll(),
  Uint8Array.of(11, 0, 0, 0, 0, 0, 4, 210),
  buildPush(kek, { sequence: 1, deletions: [], policy: { sa, packets } }, fuzzKeys.privateKey),
  buildAck(kek, 1, 0x0a000001),
];
