import t from 'tap';
import { checkTrailer, largestInner, padLength, sealedLength, Trailer, writeTrailer } from '../../../../dataplane/proto/esp.js';

// facts/mtu-and-nat.md, path MTU 1500: iv, icv, align; overhead min..max; max inner; MSS; 12 B TBAR; 16 B TBAR; IPv6.
const table: [string, number, number, number, number, number, number, number, number, number, number][] = [
  ['AES-CBC + SHA1-96', 16, 12, 16, 58, 73, 1438, 1398, 1426, 1422, 1422],
  ['AES-CBC + SHA256-128', 16, 16, 16, 62, 77, 1438, 1398, 1426, 1422, 1406],
  ['AES-CBC + SHA384-192', 16, 24, 16, 70, 85, 1422, 1382, 1410, 1406, 1406],
  ['AES-CBC + SHA512-256', 16, 32, 16, 78, 93, 1422, 1382, 1410, 1406, 1390],
  ['3DES + SHA1/MD5-96', 8, 12, 8, 50, 57, 1446, 1406, 1434, 1430, 1430],
  ['AES-GCM-16 / GMAC', 8, 16, 4, 54, 57, 1446, 1406, 1434, 1430, 1426],
  ['NULL + SHA1-96', 0, 12, 4, 42, 45, 1458, 1418, 1446, 1442, 1438],
];

for (const [name, iv, icv, align, least, most, inner, mss, tbar12, tbar16, v6] of table) {
  t.test(name, (t) => {
    const overheads = Array.from({ length: 64 }, (_, i) => sealedLength(100 + i, 20, iv, icv, align) - 100 - i);
    t.strictSame([Math.min(...overheads), Math.max(...overheads)], [least, most], 'overhead');
    const fits = largestInner(1500, 20, iv, icv, align);
    t.strictSame(
      [
        fits,
        fits - 40,
        largestInner(1500, 20, iv, icv, align, 12),
        largestInner(1500, 20, iv, icv, align, 16),
        largestInner(1500, 40, iv, icv, align),
      ],
      [inner, mss, tbar12, tbar16, v6],
    );
    t.ok(sealedLength(fits, 20, iv, icv, align) <= 1500 && sealedLength(fits + 1, 20, iv, icv, align) > 1500, 'exactly the largest');
    t.end();
  });
}

t.test('for every path MTU the largest inner packet is the largest', (t) => {
  for (const [name, iv, icv, align] of table) {
    for (let mtu = 100; mtu < 1600; mtu++) {
      const fits = largestInner(mtu, 20, iv, icv, align);
      if (sealedLength(fits, 20, iv, icv, align) > mtu || sealedLength(fits + 1, 20, iv, icv, align) <= mtu) t.fail(`${name}, ${mtu}`);
    }
  }
  t.pass();
  t.end();
});

t.test('trailer: what is written is read back; nothing else is', (t) => {
  for (const align of [4, 8, 16]) {
    for (let payload = 0; payload < 40; payload++) {
      const bytes = new Uint8Array(80).fill(0xee);
      const length = payload + writeTrailer(bytes, payload, padLength(payload, align), 4);
      if (length % align !== 0 || checkTrailer(bytes, 0, length) !== payload) t.fail(`${payload} of ${align}`);
      bytes[length - 1] = 59;
      if (checkTrailer(bytes, 0, length) !== Trailer.Dummy) t.fail('dummy');
      bytes[length - 1] = 41;
      if (checkTrailer(bytes, 0, length) !== Trailer.Malformed) t.fail('IPv6');
    }
  }
  t.equal(checkTrailer(Uint8Array.of(4), 0, 1), Trailer.Malformed);
  t.equal(checkTrailer(new Uint8Array(0), 0, 0), Trailer.Malformed);
  t.equal(checkTrailer(Uint8Array.of(255, 4), 0, 2), Trailer.Malformed);
  t.end();
});
