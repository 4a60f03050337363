// ESP between two gateways that do NAT too: the row that keeps our own ESP's place in NAT does not make what comes back somebody else's.

import t from 'tap';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { sealByHand, textOf } from '../by-hand.js';
import { fragmentsOf } from '../fragmented.js';
import { branchPacket, fixHeader, hex, ip, ipv4, udp } from '../packets.js';
import { memberTables, Router, type SaSpec } from '../router.js';

const ends = { local: '172.16.1.2', peer: '172.16.2.2', transform: 'aes-sha1' as const };
const outbound: SaSpec = { ...ends, spi: 0x2222, flags: SaFlag.Outbound | SaFlag.Pairwise };
const inbound: SaSpec = { ...ends, spi: 0x1111, acl: 1, flags: SaFlag.Inbound | SaFlag.Pairwise };
const between = (from: number, to: number) => ({ action: 'permit' as const, src: `10.0.${from}.0/24`, dst: `10.0.${to}.0/24` });

function make(): Router {
  return new Router(
    memberTables(1, null, {
      ports: [
        { address: '10.0.1.1', nat: NatSide.Inside },
        { address: '172.16.1.2', nat: NatSide.Outside },
      ],
      acls: [[between(1, 2)], [between(2, 1)], [{ action: 'permit', src: '10.0.1.0/24', dst: 'any' }]],
      entries: [
        { port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: 7 },
        { port: 1, acl: 1, sa: -1, flags: CryptoFlag.PeerIn, flow: 7 },
      ],
      sas: [outbound, inbound],
      nat: [
        { rule: 0, permit: false, acl: 0, globalPort: 1 },
        { rule: 0, permit: true, acl: 2, globalPort: 1 },
      ],
    }),
  );
}
const answer = ipv4({ src: '10.0.2.10', dst: '10.0.1.10', payload: udp(9, 9, 1300) });
const sealed = (seq: number, more = {}) => sealByHand(inbound, { seq, text: textOf(answer, 16), src: ends.peer, dst: ends.local, ...more });

t.test('what comes back in fragments is put together and opened', (t) => {
  const router = make();
  t.equal(router.forward(0, branchPacket(100))[1][0][9], 50, 'our own ESP has its row now');
  t.match(router.counters(), { 'nat.sessions': 1 });
  t.strictSame(router.forward(1, sealed(1))[0].map(hex), [hex(answer)], 'whole');
  t.strictSame(router.forward(1, ...fragmentsOf(fixHeader(sealed(2)), 512))[0].map(hex), [hex(answer)], 'in fragments');
  t.match(router.counters(), { 'path.reassembled_packets': 1, 'sa[1].opened_packets': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('an unknown SPI from the peer is told', (t) => {
  const router = make();
  router.forward(0, branchPacket(100));
  t.equal(router.forward(1, sealed(1, { spi: 0x3333 })).flat().length, 0);
  t.match(router.counters(), { 'drop.esp_unknown_spi': 1 });
  const told: unknown[] = [];
  router.env.events.drain(5000, (event) => told.push(event));
  t.match(told, [{ kind: 'invalid-spi', spi: 0x3333, src: ip(ends.peer) }]);
  t.end();
});

t.test('ESP of an inside host through NAT stays that host’s', (t) => {
  const router = make();
  const esp = (src: string, dst: string) => ipv4({ src, dst, protocol: 50, payload: new Uint8Array(100).fill(7) });
  t.equal(router.forward(0, esp('10.0.1.10', '203.0.113.9'))[1].length, 1);
  const [back] = router.forward(1, esp('203.0.113.9', '172.16.1.2'))[0];
  t.strictSame([...back.subarray(16, 20)], [10, 0, 1, 10]);
  t.equal(router.forward(1, ...fragmentsOf(esp('203.0.113.9', '172.16.1.2'), 64))[0].length, 2, 'in fragments too');
  t.equal(router.imbalance(), null);
  t.end();
});
