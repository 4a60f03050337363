// A key server on what an authenticated member may put into messages 1 and 3 of a GROUPKEY-PULL: any payloads, well protected. Nothing may be
// thrown, nobody is registered without a right message 3, and the true member still can be.

import { writeGroupIdentity } from '../../control/gdoi/codec/group-identity.js';
import { sealPull } from '../../control/gdoi/pull-messages.js';
import { MessageCipher } from '../../control/isakmp/message-cipher.js';
import { Network } from '../exchange/control/gdoi/group-network.js';

const { network, server, members } = Network.group(1, { encryption: 'esp-gcm-128' });
network.runFor(2000);
const [member] = members;
const [sa] = member.ike.sas();
const nonce = { type: 10, body: new Uint8Array(20).fill(7) };
const group = { type: 5, body: writeGroupIdentity({ kind: 'number', number: 777 }) };
let messageId = 0x10000;

/** type, length, body; again. */
function payloadsOf(bytes: Uint8Array): { type: number; body: Uint8Array }[] {
  const payloads: { type: number; body: Uint8Array }[] = [];
  for (let at = 0; at + 2 <= bytes.length && payloads.length < 40; ) {
    const end = Math.min(at + 2 + bytes[at + 1], bytes.length);
    payloads.push({ type: bytes[at], body: bytes.slice(at + 2, end) });
    at = end;
  }
  return payloads;
}

function deliver(bytes: Uint8Array): Uint8Array | null {
  const before = server.sent.length;
  server.perform(server.ike.receive({ local: server.end, remote: member.end, bytes }, network.now));
  const answer = server.sent.slice(before).find((datagram) => datagram.bytes[18] === 32);
  server.sent.length = 0;
  server.logs.length = 0;
  return answer?.bytes ?? null;
}

/** @param bytes first byte: 0 = these are message 1, else message 3 behind a good message 1 */
export function fuzz(bytes: Uint8Array): void {
  const id = messageId++;
  const cipher = new MessageCipher(sa, id);
  const payloads = payloadsOf(bytes.subarray(1));
  network.now += 1;
  if ((bytes[0] ?? 0) === 0) {
    const registrations = server.gdoi.serverGroups()[0].registrations;
    deliver(sealPull(sa, cipher, id, [], payloads));
    if (server.gdoi.serverGroups()[0].registrations !== registrations) throw new Error('registered without message 3');
    return;
  }
  const answer = deliver(sealPull(sa, cipher, id, [], [nonce, group]));
  if (!answer) throw new Error('a true message 1 was not answered');
  const [, responderNonce] = cipher.open(answer, () => undefined);
  deliver(sealPull(sa, cipher, id, [nonce.body, responderNonce.body.slice()], payloads));
  // The clock stands still but for a millisecond a round: exchanges that ended are forgotten here.
  if (id % 64 === 0) server.perform(server.gdoi.tick(network.now));
}

export const seeds: readonly Uint8Array[] = [
  Uint8Array.of(0, 10, 20, ...nonce.body, 5, 8, ...group.body),
  Uint8Array.of(1),
  Uint8Array.of(1, 22, 4, 0x80, 3, 0, 4),
  Uint8Array.of(1, 22, 8, 0x80, 3, 0, 4, 0x80, 1, 0, 9),
];
