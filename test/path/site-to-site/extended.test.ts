// Sequence numbers of 64 bits over the edge of 2^32 (RFC 4303 §2.2.1): the lower half is sent, the ICV covers both, the window tells the upper one.

import t from 'tap';
import { SenderKind, SenderState } from '../../../dataplane/mem/sender-state.js';
import { Mark } from '../../../dataplane/proto/replay.js';
import { CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { branchPacket, hex } from '../packets.js';
import { Router, type TablesSpec, type TransformName, transforms } from '../router.js';

const names = Object.keys(transforms) as TransformName[];
const Spi = 0x2222;
const Edge = 2 ** 32;

/** Gateway 1 seals for gateway 2. */
function gateway(n: 1 | 2, transform: TransformName, extended = true): TablesSpec {
  const flags = SaFlag.Pairwise | (extended ? SaFlag.Extended : 0) | (n === 1 ? SaFlag.Outbound : SaFlag.Inbound);
  const ends = { local: `172.16.${n}.2`, peer: `172.16.${3 - n}.2` };
  return {
    ports: [{ address: `10.0.${n}.1` }, { address: ends.local }],
    acls: [[{ action: 'permit', src: '10.0.1.0/24', dst: '10.0.2.0/24' }]],
    entries: n === 1 ? [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: 1 }] : [],
    sas: [{ ...ends, spi: Spi, transform, acl: 0, sids: n === 1 ? [0] : [], sidBits: n === 1 ? 8 : 0, flags }],
    routes: [
      { prefix: '0.0.0.0/0', port: 1, via: `172.16.${n}.1` },
      { prefix: `10.0.${n}.0/24`, port: 0 },
    ],
    locals: [`10.0.${n}.1`, ends.local],
  };
}

/** The next sequence number of gateway 1. */
function startAt(router: Router, sequence: number): void {
  const { senders } = router.env;
  senders.numbers[SenderState.numberAt(senders.take(SenderKind.Sequence, Spi, 0, () => true))] = sequence;
}

function sequenceOf(esp: Uint8Array): number {
  return new DataView(esp.buffer, esp.byteOffset).getUint32(24);
}

const batch = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => branchPacket(20 + i, { id: i + 1 }));

for (const transform of names) {
  t.test(`${transform}: over the edge, late ones and doubles`, (t) => {
    const [a, b] = [new Router(gateway(1, transform)), new Router(gateway(2, transform))];
    startAt(a, Edge - 3);
    t.equal(b.env.replay.mark(0, 0, Edge - 4, 64), Mark.Fresh as number);
    const packets = batch(6);
    const sealed = a.forward(0, ...packets)[1];
    t.strictSame(sealed.map(sequenceOf), [Edge - 3, Edge - 2, Edge - 1, 0, 1, 2]);
    const order = [0, 4, 1, 3, 5];
    t.strictSame(
      b.forward(1, ...order.map((i) => sealed[i]))[0].map(hex),
      order.map((i) => hex(packets[i])),
      'one batch, across the edge',
    );
    t.strictSame(b.forward(1, sealed[2])[0].map(hex), [hex(packets[2])], 'late, from before the edge');
    t.equal(b.forward(1, ...sealed)[0].length, 0, 'doubles');
    t.match(b.counters(), { 'drop.esp_replay': 6, 'sa[0].opened_packets': 6 });
    for (const router of [a, b]) t.equal(router.imbalance(), null);
    t.end();
  });

  t.test(`${transform}: the upper half counts`, (t) => {
    const [a, b] = [new Router(gateway(1, transform)), new Router(gateway(2, transform))];
    startAt(a, 5 * Edge + 100);
    const [esp] = a.forward(0, branchPacket(40))[1];
    t.equal(sequenceOf(esp), 100);
    t.equal(b.forward(1, esp)[0].length, 0, 'a receiver that is elsewhere');
    t.match(b.counters(), { 'drop.esp_integrity': 1, 'sa[0].integrity_drops': 1 });
    t.equal(new Router(gateway(2, transform, false)).forward(1, esp)[0].length, 0, 'one that has 32 bits');
    b.env.replay.mark(0, 0, 5 * Edge + 1, 64);
    t.equal(b.forward(1, esp)[0].length, 1);
    t.end();
  });
}

t.test('32 bits end where they always did; 64 do not', (t) => {
  for (const extended of [false, true]) {
    const a = new Router(gateway(1, 'gcm-256', extended));
    startAt(a, Edge - 2);
    t.equal(a.forward(0, ...batch(5))[1].length, extended ? 5 : 2);
    t.equal(a.counters()['drop.sequence_exhausted'], extended ? undefined : 3);
  }
  t.end();
});
