// Published vectors: RFC 3602 §4 (AES-CBC ESP packets), RFC 4868 §2.7.2 (HMAC-SHA-2), RFC 2202 (HMAC-MD5 and HMAC-SHA-1, which
// RFC 2403 and RFC 2404 refer to). HMAC vectors are run as NULL-encrypted ESP: the first 8 bytes take the place of SPI and sequence.

import { createCipheriv } from 'node:crypto';
import t from 'tap';
import { JobStatus } from '../../../dataplane/native/native.js';
import { EspAuth, EspCipher, SaKey } from '../../../dataplane/tables/layout.js';
import { cryptoNatives, hex, jobsOf, statusesOf, toHex } from '../../unit/dataplane/native/both.js';

const data64 = '08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637';
const espPackets = [
  {
    name: 'case 5',
    key: '90d382b410eeba7ad938c46cec1a82bf',
    header: '0000432100000001',
    iv: 'e96e8c08ab465763fd098d45dd3ff893',
    plain: `08000ebda70a00008e9c083db95b0700${data64}0102030405060708090a0b0c0d0e0e01`,
    sealed:
      'f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874aa269add047ad2d5913ac19b7cfbad4a6',
  },
  {
    name: 'case 6',
    key: '90d382b410eeba7ad938c46cec1a82bf',
    header: '0000432100000008',
    iv: '69d08df7d203329db093fc4924e5bd80',
    plain: '0800b5e8a80a0500a69c083d0b660e0077777777777777777777777701020201',
    sealed: 'f51995881ec4e0c4488987ce742e8109689bb379d2d750c0d915dca346a89f75',
  },
  {
    name: 'case 7',
    key: '0123456789abcdef0123456789abcdef',
    header: '0000876500000002',
    iv: 'f4e765244f6407adf13dc1380f673f37',
    plain: `45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a20400${data64}0102030405060708090a0a04`,
    sealed:
      '773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d',
  },
];

const hiThere = '4869205468657265';
const jefe = (times: number) => '4a656665'.repeat(times);
const nothing = '7768617420646f2079612077616e7420666f72206e6f7468696e673f';
const counted = (length: number, first = 1) => toHex(Uint8Array.from({ length }, (_, i) => first + i));
const macs: { name: string; auth: EspAuth; key: string; text: string; icv: string }[] = [
  { name: 'RFC 2202 MD5 1', auth: EspAuth.HmacMd5_96, key: '0b'.repeat(16), text: hiThere, icv: '9294727a3638bb1c13f48ef8' },
  { name: 'RFC 2202 MD5 3', auth: EspAuth.HmacMd5_96, key: 'aa'.repeat(16), text: 'dd'.repeat(50), icv: '56be34521d144c88dbb8c733' },
  { name: 'RFC 2202 SHA-1 1', auth: EspAuth.HmacSha1_96, key: '0b'.repeat(20), text: hiThere, icv: 'b617318655057264e28bc0b6' },
  { name: 'RFC 2202 SHA-1 3', auth: EspAuth.HmacSha1_96, key: 'aa'.repeat(20), text: 'dd'.repeat(50), icv: '125d7342b9ac11cd91a39af4' },
  { name: 'AUTH256-1', auth: EspAuth.HmacSha256_128, key: '0b'.repeat(32), text: hiThere, icv: '198a607eb44bfbc69903a0f1cf2bbdc5' },
  { name: 'AUTH256-2', auth: EspAuth.HmacSha256_128, key: jefe(8), text: nothing, icv: '167f928588c5cc2eef8e3093caa0e87c' },
  { name: 'AUTH256-3', auth: EspAuth.HmacSha256_128, key: 'aa'.repeat(32), text: 'dd'.repeat(50), icv: 'cdcb1220d1ecccea91e53aba3092f962' },
  { name: 'AUTH256-4', auth: EspAuth.HmacSha256_128, key: counted(32), text: 'cd'.repeat(50), icv: '372efcf9b40b35c2115b1346903d2ef4' },
  {
    name: 'AUTH384-1',
    auth: EspAuth.HmacSha384_192,
    key: '0b'.repeat(48),
    text: hiThere,
    icv: 'b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973',
  },
  {
    name: 'AUTH384-2',
    auth: EspAuth.HmacSha384_192,
    key: jefe(12),
    text: nothing,
    icv: '2c7353974f1842fd66d53c452ca42122b28c0b594cfb184d',
  },
  {
    name: 'AUTH384-3',
    auth: EspAuth.HmacSha384_192,
    key: 'aa'.repeat(48),
    text: 'dd'.repeat(50),
    icv: '809f439be00274321d4a538652164b53554a508184a0c316',
  },
  {
    name: 'AUTH384-4',
    auth: EspAuth.HmacSha384_192,
    key: `${counted(32)}${counted(16, 10)}`,
    text: 'cd'.repeat(50),
    icv: '5b540085c6e6358096532b2493609ed1cb298f774f87bb5c',
  },
  {
    name: 'AUTH512-1',
    auth: EspAuth.HmacSha512_256,
    key: '0b'.repeat(64),
    text: hiThere,
    icv: '637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8',
  },
  {
    name: 'AUTH512-2',
    auth: EspAuth.HmacSha512_256,
    key: jefe(16),
    text: nothing,
    icv: 'cb370917ae8a7ce28cfd1d8f4705d6141c173b2a9362c15df235dfb251b15454',
  },
  {
    name: 'AUTH512-3',
    auth: EspAuth.HmacSha512_256,
    key: 'aa'.repeat(64),
    text: 'dd'.repeat(50),
    icv: '2ee7acd783624ca9398710f3ee05ae41b9f9b0510c87e49e586cc9bf961733d8',
  },
  // The RFC's key for AUTH512-4 reads 0a0b..19 and then 0102..40: the vector holds for the bytes 01..40.
  {
    name: 'AUTH512-4',
    auth: EspAuth.HmacSha512_256,
    key: counted(64),
    text: 'cd'.repeat(50),
    icv: '5e6688e5a3daec826ca32eaea224eff5e700628947470e13ad01302561bab108',
  },
];

function rowWith(at: SaKey, key: string): Uint8Array {
  const row = new Uint8Array(SaKey.Bytes);
  row.set(hex(key), at);
  return row;
}

for (const native of cryptoNatives()) {
  t.test(`${native.label}: RFC 3602 ESP packets`, (t) => {
    for (const { name, key, header, iv, plain, sealed } of espPackets) {
      native.saSet(0, EspCipher.AesCbc, EspAuth.None, rowWith(SaKey.Cipher, key), 16, 0);
      const textLen = plain.length / 2;
      const packet = hex(header + iv + sealed);
      const jobs = jobsOf([0, 0, textLen]);
      native.open(packet, jobs, 1);
      t.same(statusesOf(jobs), [JobStatus.Ok], name);
      t.equal(toHex(packet), header + iv + plain, `${name} opened`);
      // Our IV is random, so the sealed text is compared with node:crypto's under that IV.
      native.seal(packet, jobs, 1);
      const cipher = createCipheriv('aes-128-cbc', hex(key), packet.slice(8, 24)).setAutoPadding(false);
      t.equal(toHex(packet.slice(24)), cipher.update(hex(plain)).toString('hex'), `${name} sealed`);
      t.not(toHex(packet.slice(8, 24)), iv, `${name}: a new IV`);
    }
    t.end();
  });

  t.test(`${native.label}: HMAC vectors`, (t) => {
    for (const { name, auth, key, text, icv } of macs) {
      native.saSet(0, EspCipher.Null, auth, rowWith(SaKey.Auth, key), 0, key.length / 2);
      const textLen = text.length / 2 - 8;
      const packet = hex(text + '00'.repeat(icv.length / 2));
      const jobs = jobsOf([0, 0, textLen]);
      native.seal(packet, jobs, 1);
      t.same(statusesOf(jobs), [JobStatus.Ok], name);
      t.equal(toHex(packet), text + icv, `${name} sealed`);
      native.open(packet, jobs, 1);
      t.same(statusesOf(jobs), [JobStatus.Ok], `${name} opened`);
    }
    t.end();
  });
}
