import t from 'tap';
import { writeDeleteAll } from '../../control/gdoi/codec/deletion.js';
import { writeKd } from '../../control/gdoi/codec/kd.js';
import { writeSa } from '../../control/gdoi/codec/sa.js';
import { buildPush } from '../../control/gdoi/groupkey-push.js';
import { makeTek } from '../../control/gdoi/new-keys.js';
import { buildAck } from '../../control/gdoi/push-ack.js';
import { describePolicy, packKeys } from '../../control/gdoi/sent-policy.js';
import { concatBytes } from '../../control/isakmp/bytes.js';
import { fuzz, fuzzKek, fuzzKeys } from './gdoi-messages.js';
import { run } from './mutations.js';

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
const seeds = [
  saBody,
  kdBody,
  concatBytes(Uint8Array.of(saBody.length), saBody, kdBody),
  ...writeDeleteAll(),
  Uint8Array.of(11, 0, 0, 0, 0, 0, 4, 210),
  buildPush(kek, { sequence: 1, deletions: [], policy: { sa, packets } }, fuzzKeys.privateKey),
  buildAck(kek, 1, 0x0a000001),
];

t.test('the seeds are good', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
});

t.test('codec and policy', async (t) => {
  t.equal(run(fuzz, seeds, 20_000), null, 'only WireError');
});
