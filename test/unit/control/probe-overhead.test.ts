// What encapsulations cost: the table of facts (path 1500), the seed's rule beside the exact number, and that its own arithmetic adds up.

import fc from 'fast-check';
import t from 'tap';
import { plaintextMtu } from '../../../control/compile/transforms.js';
import type { EspAuthentication, EspEncryption } from '../../../control/config/model.js';
import { costOf, type EspCost, segmentOf } from '../../../control/probe/overhead.js';

function esp(encryption: EspEncryption, authentication: EspAuthentication | null, change: Partial<EspCost> = {}): EspCost {
  return { encryption, authentication, mode: 'tunnel', udp: false, shimBytes: 0, ...change };
}
const plainGre = { key: false, checksum: false, sequence: false };

t.test('tunnel mode on a path of 1500, as IOS shows it', async (t) => {
  const cases: [number, EspEncryption, EspAuthentication | null][] = [
    [1438, 'esp-aes-128', 'esp-sha-hmac'],
    [1438, 'esp-aes-256', 'esp-sha256-hmac'],
    [1422, 'esp-aes-256', 'esp-sha384-hmac'],
    [1422, 'esp-aes-256', 'esp-sha512-hmac'],
    [1446, 'esp-3des', 'esp-sha-hmac'],
    [1446, 'esp-gcm-256', null],
    [1446, 'esp-gmac-128', null],
    [1458, 'esp-null', 'esp-sha-hmac'],
  ];
  for (const [largest, encryption, authentication] of cases) {
    t.equal(costOf(1500, esp(encryption, authentication), null).largest, largest, `${encryption} ${authentication}`);
  }
  t.equal(costOf(1500, esp('esp-aes-128', 'esp-sha-hmac', { shimBytes: 12 }), null).largest, 1426, 'with time-based anti-replay');
  t.equal(segmentOf(1438), 1398);
});

t.test('other modes', async (t) => {
  t.equal(costOf(1500, esp('esp-null', 'esp-sha256-hmac', { mode: 'transport' }), null).largest, 1474);
  t.equal(costOf(1500, esp('esp-aes-128', 'esp-sha256-hmac', { mode: 'transport' }), null).largest, 1458);
  t.equal(costOf(1500, esp('esp-aes-128', 'esp-sha-hmac', { mode: 'transport', udp: true }), null).largest, 1442);
  t.equal(costOf(1500, null, plainGre).largest, 1476);
  t.equal(costOf(1500, null, { key: true, checksum: true, sequence: false }).largest, 1468);
});

t.test("the seed's tunnel on a link of 1400", async (t) => {
  const { largest, ruleOfThumb, arithmetic } = costOf(1400, esp('esp-3des', 'esp-sha-hmac'), plainGre);
  t.equal(ruleOfThumb, 1320);
  t.equal(largest, 1326);
  t.equal(arithmetic, '1400 - 20 outer IPv4 - 8 ESP - 8 IV - 12 ICV - 2 ESP trailer - 24 GRE with its IPv4 header = 1326');
});

t.test('the arithmetic adds up, and agrees with plaintext mtu', async (t) => {
  const encryption = fc.constantFrom<EspEncryption>('esp-null', 'esp-3des', 'esp-aes-192', 'esp-gcm-128', 'esp-chacha20-poly1305');
  const authentication = fc.constantFrom<EspAuthentication | null>(null, 'esp-md5-hmac', 'esp-sha512-hmac');
  fc.assert(
    fc.property(
      fc.integer({ min: 300, max: 9000 }),
      encryption,
      authentication,
      fc.boolean(),
      fc.boolean(),
      (mtu, cipher, auth, udp, gre) => {
        const { costs, largest, arithmetic } = costOf(mtu, esp(cipher, auth, { udp }), gre ? plainGre : null);
        const left = costs.reduce((rest, { bytes }) => rest - bytes, mtu);
        if (left !== largest || !arithmetic.endsWith(`= ${largest}`)) throw new Error(arithmetic);
        const expected = plaintextMtu(mtu - (udp ? 8 : 0), cipher, auth) - (gre ? 24 : 0);
        if (largest !== expected) throw new Error(`${largest}, not ${expected}`);
      },
    ),
  );
  t.pass();
});
