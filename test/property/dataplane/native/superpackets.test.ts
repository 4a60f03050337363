// Superpackets of the twin: what is gathered and cut again is what was there, and cutting does what the RFCs say, with scapy as judge.

import fc from 'fast-check';
import t from 'tap';
import { Coalesce, planMessages } from '../../../../dataplane/native/twin-gro.js';
import { frameHasNext, frameNext, frameStart, makeFrame } from '../../../../dataplane/native/twin-gso.js';
import { sumOf } from '../../../path/packets.js';
import { runScapy } from '../../../support/scapy.js';
import { toHex } from '../../../unit/dataplane/native/both.js';
import { batches, buildBatch, cutNaively, superpackets, virtioFrame } from './streams.js';

const both = Coalesce.Tcp | Coalesce.Udp;

const room = new Uint8Array(65535);

/** All datagrams of a frame that begins with its virtio header. */
function cut(bytes: Uint8Array): Uint8Array[] {
  const frame = makeFrame(bytes);
  const cuts: Uint8Array[] = [];
  frameStart(frame, bytes.length - 10);
  while (frameHasNext(frame)) {
    const length = frameNext(frame, room, 0, 65535);
    cuts.push(room.slice(0, length));
  }
  return cuts;
}

/** Gathers a batch. @returns per message its bytes and the numbers of its datagrams */
function gather(datagrams: readonly Uint8Array[], coalesce: number): { bytes: Uint8Array; members: number[] }[] {
  const offsets = new Int32Array(datagrams.length);
  const lengths = Int32Array.from(datagrams, ({ length }) => length);
  for (let i = 1; i < datagrams.length; i++) offsets[i] = offsets[i - 1] + lengths[i - 1] + 3; // at any alignment
  const pool = new Uint8Array(offsets[datagrams.length - 1] + lengths[datagrams.length - 1]);
  for (const [i, datagram] of datagrams.entries()) pool.set(datagram, offsets[i]);
  const { messages, messageOf } = planMessages(pool, offsets, lengths, datagrams.length, coalesce);
  return messages.map((message, number) => ({
    bytes: new Uint8Array(Buffer.concat(message)),
    members: [...messageOf.keys()].filter((i) => messageOf[i] === number),
  }));
}

/** RFC 6864 §4.1: with DF set the Identification says nothing; the header checksum must be right and follows it. */
function withoutAtomicId(datagram: Uint8Array): string {
  if ((datagram[6] & 0x40) === 0) return toHex(datagram);
  if (sumOf(datagram.subarray(0, 20)) !== 0) throw new Error(`wrong header checksum: ${toHex(datagram)}`);
  const copy = datagram.slice();
  copy.fill(0, 4, 6);
  copy.fill(0, 10, 12);
  return toHex(copy);
}

/** Addresses and protocol, and the ports where they can be read. */
function flowOf(datagram: Uint8Array): { between: string; ports: string } {
  const whole = datagram[0] === 0x45 && (datagram[6] & 0xbf) === 0 && datagram[7] === 0 && datagram.length >= 28;
  return { between: `${toHex(datagram.subarray(12, 20))}${datagram[9]}`, ports: whole ? toHex(datagram.subarray(20, 24)) : '' };
}

for (const [name, coalesce] of [
  ['TCP and UDP', both],
  ['TCP', Coalesce.Tcp],
  ['nothing', Coalesce.Nothing],
] as const) {
  t.test(`gathered (${name}) and cut again, a batch is as it was`, (t) => {
    fc.assert(
      fc.property(batches(24), (steps) => {
        const datagrams = buildBatch(steps);
        const messages = gather(datagrams, coalesce);
        for (const { bytes, members } of messages) {
          const cuts = cut(bytes);
          const canonical = members.length > 1 ? withoutAtomicId : toHex;
          const [seen, wanted] = [cuts.map(canonical), members.map((i) => canonical(datagrams[i]))];
          if (seen.join() !== wanted.join()) throw new Error(`datagrams ${members}: ${wanted} became ${seen}`);
          if (coalesce === Coalesce.Nothing && members.length !== 1) throw new Error(`datagrams ${members} were gathered`);
        }
        const firsts = messages.map(({ members }) => members[0]);
        if (firsts.some((first, i) => i > 0 && first < firsts[i - 1])) throw new Error(`not in the order of first datagrams: ${firsts}`);
      }),
      { numRuns: 1000 },
    );
    t.pass();
    t.end();
  });
}

t.test('nothing overtakes within a flow, nor fragments and the like within all flows between their hosts', (t) => {
  fc.assert(
    fc.property(batches(6), (steps) => {
      const datagrams = buildBatch(steps);
      const messageOf = new Int32Array(datagrams.length);
      for (const [number, { members }] of gather(datagrams, both).entries()) for (const i of members) messageOf[i] = number;
      const flows = datagrams.map(flowOf);
      for (let later = 1; later < flows.length; later++) {
        for (let earlier = 0; earlier < later; earlier++) {
          const [a, b] = [flows[earlier], flows[later]];
          const related = a.between === b.between && (a.ports === b.ports || a.ports === '' || b.ports === '');
          if (related && messageOf[earlier] > messageOf[later]) throw new Error(`${later} overtakes ${earlier}`);
        }
      }
    }),
    { numRuns: 1000 },
  );
  t.pass();
  t.end();
});

t.test('cutting a superpacket gives what the RFCs say', (t) => {
  fc.assert(
    fc.property(superpackets, (spec) => cut(virtioFrame(spec)).map(toHex).join() === cutNaively(spec).map(toHex).join()),
    { numRuns: 500 },
  );
  t.pass();
  t.end();
});

t.test('what follows the datagram in its frame is not payload', (t) => {
  fc.assert(
    fc.property(superpackets, fc.uint8Array({ minLength: 1, maxLength: 40 }), (spec, trailer) => {
      const padded = Uint8Array.of(...virtioFrame(spec), ...trailer);
      return cut(padded).map(toHex).join() === cutNaively(spec).map(toHex).join();
    }),
    { numRuns: 100 },
  );
  t.pass();
  t.end();
});

t.test('scapy makes the same lengths and checksums', async (t) => {
  const small = superpackets.map((spec) => ({ ...spec, payload: spec.payload % 1500, gsoSize: spec.gsoSize % 600 }));
  const cuts = fc
    .sample(
      small.filter(({ payload, gsoSize }) => payload > 0 && gsoSize > 40),
      30,
    )
    .flatMap((spec) => cut(virtioFrame(spec)));
  const snippet = `
out = []
for text in arguments:
    packet = IP(bytes.fromhex(text))
    del packet.chksum, packet.len, packet.payload.chksum
    if UDP in packet: del packet[UDP].len
    out.append(bytes(packet).hex())
print(json.dumps(out))
`;
  const judged = (await runScapy(snippet, cuts.map(toHex))) as string[];
  t.strictSame(judged, cuts.map(toHex));
});
