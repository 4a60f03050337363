// A member on what an authenticated and hostile key server may put into a push: any payloads, rightly signed and encrypted. A push is taken or refused
// and counted; a refused one changes nothing, and what is taken stays within the bounds of the tables.

import { type KeyPacket, writeKd } from '../../control/gdoi/codec/kd.js';
import { type GdoiSa, writeSa } from '../../control/gdoi/codec/sa.js';
import type { Kek } from '../../control/gdoi/group-policy.js';
import { makeTek } from '../../control/gdoi/new-keys.js';
import { decodeState } from '../../control/gdoi/saved-state.js';
import { describePolicy, packKeys } from '../../control/gdoi/sent-policy.js';
import { u32Bytes } from '../../control/isakmp/bytes.js';
import { HeaderLength, writeHeader } from '../../control/isakmp/header.js';
import { CbcChain } from '../../control/isakmp/message-cipher.js';
import { writePayloads } from '../../control/isakmp/payloads.js';
import { signPush } from '../../control/pki/push-signature.js';
import { Network, rsaKey, saPolicy } from '../exchange/control/gdoi/group-network.js';

interface Body {
  type: number;
  body: Uint8Array;
}

const { network, server, members } = Network.group(1, { encryption: 'esp-gcm-256' });
network.runFor(2000);
const [member] = members;
const kek = decodeState(server.disk as Uint8Array)?.server.groups[0].state.keys.kek as Kek;
const registered = member.disk as Uint8Array;
const label = new TextEncoder().encode('rekey');
const rejections = ['unknown', 'malformed', 'sequence', 'signature', 'policy'].map((reason) => `gdoi_push_rejected_${reason}`);

function seal(payloads: Body[]): Uint8Array {
  const header = { initiatorCookie: kek.spi.slice(0, 8), responderCookie: kek.spi.slice(8), exchange: 33, flags: 1, messageId: 0 };
  const chain = writePayloads([...payloads, { type: 9, body: new Uint8Array(128) }]);
  const head = writeHeader({ ...header, nextPayload: payloads[0]?.type ?? 9, length: HeaderLength + chain.length });
  const signature = signPush(rsaKey, kek.signatureHash, [label, head, chain.subarray(0, chain.length - 132)], 'digest-info');
  return new CbcChain(kek.cipher, kek.key, kek.iv).seal(header, [...payloads, { type: 9, body: signature }]);
}

/** type, length (2), body; again. */
function payloadsOf(bytes: Uint8Array): Body[] {
  const payloads: Body[] = [];
  for (let at = 0; at + 3 <= bytes.length && payloads.length < 70; ) {
    const end = Math.min(at + 3 + ((bytes[at + 1] << 8) | bytes[at + 2]), bytes.length);
    payloads.push({ type: bytes[at], body: bytes.slice(at + 3, end) });
    at = end;
  }
  return payloads;
}

const refused = (): number => rejections.reduce((sum, name) => sum + member.count(name), 0);
const keys = (): string => JSON.stringify(member.gdoi.policyOf('G'));

/** @param bytes payloads behind SEQ; an odd first byte: SEQ is among them */
export function fuzz(bytes: Uint8Array): void {
  const payloads = payloadsOf(bytes.subarray(1));
  if (((bytes[0] ?? 0) & 1) === 0) payloads.unshift({ type: 18, body: u32Bytes(1) });
  const before = { refused: refused(), taken: member.count('gdoi_rekeys_received'), keys: keys() };
  member.perform(member.ike.receive({ local: member.end, remote: server.end, bytes: seal(payloads) }, network.now));
  const taken = member.count('gdoi_rekeys_received') - before.taken;
  // The same bytes as the last that was taken are its repetition.
  const repeated = member.counts.get('gdoi_push_duplicates') ?? 0;
  if (refused() - before.refused + taken + repeated !== 1) throw new Error('neither taken nor refused, or both');
  member.counts.delete('gdoi_push_duplicates');
  if (taken === 0 && keys() !== before.keys) throw new Error('a refused push changed the keys');
  const { teks } = member.gdoi.policyOf('G');
  if (teks.length > 64 || teks.some(({ spi, replayWindow }) => spi < 256 || replayWindow > 1024)) throw new Error('beyond the bounds');
  if (teks.some(({ encryptionKey, salt }) => encryptionKey.length === 0 && salt.length !== 0)) throw new Error('half a key');
  member.sent.length = 0;
  member.logs.length = 0;
  if (taken === 0) return;
  // Back to the registration, whatever the push has made of it.
  member.disk = registered;
  member.restart();
}

function encode(list: Body[], first = 0): Uint8Array {
  return new Uint8Array([first, ...list.flatMap(({ type, body }) => [type, body.length >> 8, body.length & 255, ...body])]);
}
const tek = makeTek(
  saPolicy(),
  (length) => new Uint8Array(length).fill(0x33),
  () => false,
  network.now,
  network.now,
);
const newKek = { ...kek, spi: new Uint8Array(16).fill(9), key: new Uint8Array(16).fill(8) };
const policy = (sa: GdoiSa, packets: KeyPacket[]): Body[] => [
  { type: 1, body: writeSa(sa) },
  { type: 17, body: writeKd(packets) },
];
const offered = { kek: newKek, modulusBits: 1024, source: server.address, member: member.address };
const whole = describePolicy({ teks: [tek], kek: offered, activationDelaySeconds: 5, pseudotimeMs: 77 }, network.now);
export const seeds: readonly Uint8Array[] = [
  encode(
    policy(
      describePolicy({ teks: [tek], kek: null, activationDelaySeconds: null, pseudotimeMs: null }, network.now),
      packKeys([tek], null, null),
    ),
  ),
  encode(policy(whole, packKeys([tek], newKek, null))),
  encode([{ type: 12, body: new Uint8Array(Buffer.from('000000020104000100000000', 'hex')) }]),
  encode([{ type: 12, body: new Uint8Array([0, 0, 0, 2, 0, 16, 0, 1, ...new Uint8Array(16)]) }]),
  encode([{ type: 18, body: u32Bytes(0xffffffff) }], 1),
];
