// Payloads of path MTU probes that a member may send, as a fuzz target: nothing throws, nothing is read behind the end, and what is taken for one begins as one does.

import { MtuProbe, mtuProbeKind, ProbeKind, writeMtuProbe } from '../../dataplane/proto/mtu-probe.js';

/** @param bytes a protocol number, and the payload of a datagram */
export function fuzz(bytes: Uint8Array): void {
  const [protocol = 0] = bytes;
  const payload = bytes.slice(1);
  const kind = mtuProbeKind(new DataView(payload.buffer), protocol, 0, payload.length);
  if (kind === ProbeKind.None) return;
  if (protocol !== MtuProbe.Protocol || payload.length < MtuProbe.Length) throw new Error('too short, or another protocol');
  const again = payload.slice(0, MtuProbe.Length);
  const view = new DataView(again.buffer);
  writeMtuProbe(view, 0, kind, view.getUint16(MtuProbe.Size), view.getInt32(MtuProbe.NonceHigh), view.getInt32(MtuProbe.NonceLow));
  if (again.some((byte, i) => byte !== payload[i])) throw new Error('not what would be written');
}

function seedOf(kind: ProbeKind): Uint8Array {
  const bytes = new Uint8Array(1 + MtuProbe.Length);
  bytes[0] = MtuProbe.Protocol;
  writeMtuProbe(new DataView(bytes.buffer), 1, kind, 1400, 1, 2);
  return bytes;
}

export const seeds: readonly Uint8Array[] = [seedOf(ProbeKind.Ask), seedOf(ProbeKind.Answer)];
