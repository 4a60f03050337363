// ASN.1 that verifiers were fooled or stopped by (bad-input 26 to 29). An outsider sends certificates with message 5, before anything proves it; a
// hostile member or CA signs what it likes. node:crypto judges keys and signatures, node-forge reads a few fields within bounds.

import { constants, createHash, createPublicKey, generateKeyPairSync, privateEncrypt, sign } from 'node:crypto';
import forge from 'node-forge';
import t from 'tap';
import { pemOf } from '../../../../control/pki/authority-directory.js';
import { CertificateError } from '../../../../control/pki/certificate-error.js';
import { verifyChain } from '../../../../control/pki/chain.js';
import { readCrl } from '../../../../control/pki/crl.js';
import { nameKey, oidOf, readCertificateFields } from '../../../../control/pki/der.js';
import { readUse } from '../../../../control/pki/extensions.js';
import { PublicKeyError, readPublicKey } from '../../../../control/pki/push-signature.js';
import { readRequest } from '../../../../control/pki/request.js';
import { authority, crlOf, entity, keyOf, trustOf } from '../../../support/test-ca.js';

const now = Date.now();
const root = authority('Root');
const own = entity('r1', root, { dns: ['r1.example.net'] });
const trust = trustOf([root]);
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

function der(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return new Uint8Array([tag, ...head, ...body]);
}

/** The elements of a SEQUENCE, as DER. */
function partsOf(sequence: Uint8Array): Uint8Array[] {
  const node = forge.asn1.fromDer(Buffer.from(sequence).toString('latin1'), { decodeBitStrings: false } as unknown as boolean);
  return (node.value as forge.asn1.Asn1[]).map((item) => new Uint8Array(Buffer.from(forge.asn1.toDer(item).getBytes(), 'latin1')));
}

/** `own` with another algorithm in both places and with other extensions, signed by the root as PKCS #1 v1.5 with SHA-256. */
function certificate(algorithm: Uint8Array, change: (tbs: Uint8Array[]) => Uint8Array[] = (tbs) => tbs): Uint8Array {
  const [tbs] = partsOf(new Uint8Array(own.raw));
  const fields = partsOf(tbs);
  fields[2] = algorithm;
  const signed = der(0x30, ...change(fields));
  return der(0x30, signed, algorithm, der(0x03, Uint8Array.of(0), new Uint8Array(sign('sha256', signed, root.key))));
}

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

function verdict(sent: Uint8Array): string {
  try {
    verifyChain([sent], trust, now);
    return 'good';
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return error.fault;
  }
}

const sha256WithRsa = bytes('300d 0609 2a864886f70d01010b 0500');

t.test('26, 29: signature algorithms and their parameters', async (t) => {
  t.equal(verdict(certificate(sha256WithRsa)), 'good', 'the one that is built here by hand');
  const pss = '06092a864886f70d01010a';
  const algorithms: Record<string, Uint8Array> = {
    'PSS without parameters (CVE-2018-6459)': bytes(`300b ${pss}`),
    'PSS with NULL': bytes(`300d ${pss} 0500`),
    'PSS with an empty SEQUENCE': bytes(`300d ${pss} 3000`),
    'PSS with parameters that are a number': bytes(`300e ${pss} 020101`),
    'PSS with a hash without OID': bytes(`3011 ${pss} 3004 a002 3000`),
    'PSS with a salt of 2^31': bytes(`3016 ${pss} 3009 a207 0205 0080000000`),
    'RSA encryption as a signature algorithm': bytes('300d 0609 2a864886f70d010101 0500'),
    MD5: bytes('300d 0609 2a864886f70d010104 0500'),
    'SHA-1': bytes('300d 0609 2a864886f70d010105 0500'),
    'ECDSA over an RSA signature': bytes('300a 0608 2a8648ce3d040302'),
    'no OID': bytes('3002 0500'),
    nothing: bytes('3000'),
    'an OID of 40 bytes': der(0x30, der(0x06, new Uint8Array(40).fill(0x81))),
    'an OID that ends in the middle': bytes('3005 0603 2a8648'),
  };
  for (const [name, algorithm] of Object.entries(algorithms)) t.match(verdict(certificate(algorithm)), /^(malformed|untrusted)$/, name);
  const outer = certificate(sha256WithRsa);
  const [tbs, , signature] = partsOf(outer);
  t.match(
    verdict(der(0x30, tbs, bytes('300d 0609 2a864886f70d01010c 0500'), signature)),
    /^(malformed|untrusted)$/,
    'inside and outside differ',
  );
  const list = crlOf(root);
  const [body, , bits] = partsOf(list);
  for (const [name, algorithm] of Object.entries(algorithms)) {
    if (name.startsWith('ECDSA')) continue;
    t.throws(() => readCrl(der(0x30, body, algorithm, bits)), CertificateError, `of a revocation list: ${name}`);
  }
});

t.test('27, 29: keys of peers', async (t) => {
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256' }).publicKey;
  const jwk = createPublicKey(keyOf('r1')).export({ format: 'jwk' });
  const modulus = new Uint8Array(Buffer.from(jwk.n as string, 'base64url'));
  const unsigned = (value: Uint8Array): Uint8Array => der(0x02, new Uint8Array([0, ...value]));
  const rsa = bytes('300d 0609 2a864886f70d010101 0500');
  const spki = (n: Uint8Array, e: Uint8Array, algorithm = rsa): Uint8Array =>
    der(0x30, algorithm, der(0x03, Uint8Array.of(0), der(0x30, n, e)));
  const f4 = bytes('0203010001');
  const keys: Record<string, Uint8Array> = {
    'PSS key': new Uint8Array(pss.export({ type: 'spki', format: 'der' })),
    'PSS key without parameters': spki(unsigned(modulus), f4, bytes('300b 0609 2a864886f70d01010a')),
    'modulus 0': spki(bytes('020100'), f4),
    'modulus 1': spki(bytes('020101'), f4),
    'modulus negative': spki(der(0x02, modulus), f4),
    'modulus of 0 bytes': spki(bytes('0200'), f4),
    'modulus of 16,392 bits': spki(der(0x02, bytes('00ff'), new Uint8Array(2048).fill(255)), f4),
    'exponent 0': spki(unsigned(modulus), bytes('020100')),
    'exponent 1': spki(unsigned(modulus), bytes('020101')),
    'exponent 2': spki(unsigned(modulus), bytes('020102')),
    'exponent negative': spki(unsigned(modulus), bytes('0201ff')),
    'exponent of 2,048 bits': spki(unsigned(modulus), unsigned(modulus)),
    'no exponent': der(0x30, rsa, der(0x03, Uint8Array.of(0), der(0x30, unsigned(modulus)))),
    'key as an OCTET STRING': der(0x30, rsa, der(0x04, der(0x30, unsigned(modulus), f4))),
    'unused bits in the BIT STRING': der(0x30, rsa, der(0x03, Uint8Array.of(1), der(0x30, unsigned(modulus), f4))),
    'garbage in the algorithm': spki(unsigned(modulus), f4, bytes('3011 0609 2a864886f70d010101 0406 414141414141')),
  };
  const verdicts = new Map<string, string>();
  for (const [name, key] of Object.entries(keys)) {
    t.ok(thrownBy(() => readPublicKey(key)) instanceof PublicKeyError, name);
    const fields = (tbs: Uint8Array[]): Uint8Array[] => tbs.map((field, at) => (at === 6 ? key : field));
    // In certificates OpenSSL reads a negative number as unsigned; the CA has signed the key either way.
    if (!name.endsWith('negative')) verdicts.set(name, verdict(certificate(sha256WithRsa, fields)));
  }
  t.same(
    [...verdicts].filter(([, said]) => !/^(malformed|untrusted)$/.test(said)),
    [],
    'nor in a certificate that a trusted CA has signed',
  );
  t.equal(readPublicKey(spki(unsigned(modulus), f4)).asymmetricKeyType, 'rsa', 'the form is right: the faults are what is refused');
});

t.test('28: nested without end, lengths without end', async (t) => {
  const deep = (open: number[], count: number): Uint8Array => new Uint8Array(Array.from({ length: count }, () => open).flat());
  const nested = (depth: number): Uint8Array => {
    let inner = bytes('0500');
    for (let i = 0; i < depth; i++) inner = der(0x30, inner);
    return inner;
  };
  const cases: Record<string, Uint8Array> = {
    'indefinite lengths, 8,000 deep': deep([0x30, 0x80], 8000),
    'a real SEQUENCE, 1,500 deep (CVE-2025-66031)': nested(1500),
    'context tags, 5,000 deep (CHOICE loop, CVE-2017-9023)': deep([0xa0, 0x80], 5000),
    'a length of 2^31': bytes('3084 7fffffff'),
    'a length of 2^32': bytes('3085 0100000000'),
    'a length of 127 octets': new Uint8Array([0x30, 0xff, ...new Uint8Array(127).fill(1)]),
    'a length in more octets than it needs': bytes('308200020500'),
    'a tag of many octets': new Uint8Array([0x3f, ...new Uint8Array(200).fill(0xff), 0]),
    'an INTEGER of 16,000 bytes': der(0x30, der(0x02, new Uint8Array(16_000).fill(0x7f))),
    'longer than any certificate': der(0x30, new Uint8Array(20_000)),
  };
  for (const [name, input] of Object.entries(cases)) {
    t.throws(() => readCertificateFields(input), CertificateError, `${name}: as a certificate`);
    t.throws(() => nameKey(input), CertificateError, `${name}: as a name`);
    t.throws(() => readCrl(input), CertificateError, `${name}: as a revocation list`);
    t.throws(() => readRequest(pemOf(input, 'CERTIFICATE REQUEST')), CertificateError, `${name}: as a request`);
    t.match(verdict(input), /^malformed$/, `${name}: from a peer`);
  }
});

t.test('28: object identifiers that wrap (CVE-2025-66030)', async (t) => {
  const oid = (body: string): string => {
    try {
      return oidOf(forge.asn1.fromDer(Buffer.from(der(0x06, bytes(body))).toString('latin1')), 'an OID');
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      return 'refused';
    }
  };
  t.equal(oid('551d0f'), '2.5.29.15', 'key usage');
  // The last arc is 15 + 2^32, then 15 + 2^35: a reader with 32 bits takes both for key usage.
  for (const body of ['551d 908080800f', '551d 818080808 00f', '551d 81808080800f', '551d 8f', '551d 800f', '80 1d0f', '']) {
    t.not(oid(body), '2.5.29.15', body);
  }
  // A critical extension that we do not know, under such an OID: a certificate that must be refused.
  const extension = (id: string): Uint8Array => der(0x30, der(0x06, bytes(id)), bytes('0101ff'), der(0x04, bytes('03020780')));
  const withExtension = (id: string) => (tbs: Uint8Array[]) => [...tbs.slice(0, 7), der(0xa3, der(0x30, extension(id)))];
  t.equal(verdict(certificate(sha256WithRsa, withExtension('551d0f'))), 'good', 'key usage itself');
  for (const id of ['551d 908080800f', '551d 81808080800f', '551d 800f', '551d 7f'])
    t.match(verdict(certificate(sha256WithRsa, withExtension(id))), /^(untrusted|malformed)$/, `critical extension ${id}`);
});

t.test('28: another structure where one is expected (CVE-2025-12816)', async (t) => {
  const good = partsOf(partsOf(certificate(sha256WithRsa))[0]);
  for (const [at, field] of good.entries()) {
    for (const other of [bytes('0500'), bytes('3000'), bytes('020101'), bytes('a000'), bytes('040141'), bytes('310030 00')]) {
      const change = (tbs: Uint8Array[]): Uint8Array[] => tbs.map((item, i) => (i === at ? other : item));
      const hex = Buffer.from(other).toString('hex');
      // A serial number of 1, and a subject without a name, are allowed.
      if ((at === 1 && hex === '020101') || (at === 5 && hex === '3000')) continue;
      t.not(
        verdict(certificate(sha256WithRsa, change)),
        'good',
        `field ${at} (${field.length} bytes) is ${Buffer.from(other).toString('hex')}`,
      );
    }
    const without = (tbs: Uint8Array[]): Uint8Array[] => tbs.filter((_, i) => i !== at);
    // Without version and extensions it is a certificate of version 1 or one that asks for nothing.
    if (at !== 0 && at !== good.length - 1) t.not(verdict(certificate(sha256WithRsa, without)), 'good', `without field ${at}`);
  }
  const values = [bytes('0500'), bytes('3000'), bytes('020101'), bytes('0300'), bytes('0401'), new Uint8Array(0), bytes('30800000')];
  for (const known of ['2.5.29.15', '2.5.29.19', '2.5.29.37'])
    for (const value of values) {
      try {
        const use = readUse([{ oid: known, critical: true, value }]);
        t.same(typeof use.signs, 'boolean', `${known} read`);
      } catch (error) {
        t.ok(error instanceof CertificateError, `${known} as ${Buffer.from(value).toString('hex')}`);
      }
    }
});

t.test('26: signatures of certificates that are almost right', async (t) => {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [tbs, algorithm] = partsOf(new Uint8Array(own.raw));
  const forged = der(0x30, tbs, algorithm, der(0x03, Uint8Array.of(0), new Uint8Array(sign('sha256', tbs, key.privateKey))));
  t.equal(verdict(forged), 'untrusted', 'signed by another key');
  const empty = der(0x30, tbs, algorithm, der(0x03, Uint8Array.of(0)));
  t.match(verdict(empty), /^(untrusted|malformed)$/, 'a signature of 0 bytes');
  // What lenient verifiers took, as blocks that the root's own key makes (CVE-2018-16151, CVE-2022-24771, -24772, -24773): exponent 3 forges them.
  const digest = new Uint8Array(createHash('sha256').update(tbs).digest());
  const block = (payload: Uint8Array, padding = 253 - payload.length): Uint8Array => {
    const head = new Uint8Array([0, 1, ...new Uint8Array(padding).fill(255), 0]);
    return new Uint8Array([...head, ...payload, ...new Uint8Array(256 - head.length - payload.length).fill(0x41)]);
  };
  const info = (algorithmHex: string): Uint8Array => der(0x30, bytes(algorithmHex), der(0x04, digest));
  const plain = info('300d 0609 608648016503040201 0500');
  const blocks: Record<string, Uint8Array> = {
    'the hash alone': block(digest),
    'garbage as parameters': block(info('3012 0609 608648016503040201 0405 4141414141')),
    'another hash named': block(info('300d 0609 608648016503040202 0500')),
    'no algorithm': block(der(0x30, der(0x04, digest))),
    'garbage behind the hash, inside': block(
      der(0x30, bytes('300d 0609 608648016503040201 0500'), der(0x04, digest), bytes('0404 41414141')),
    ),
    'garbage behind the hash, padding short': block(plain, 8),
    'no padding': block(plain, 0),
    'block type 2': block(plain).fill(2, 1, 2),
    'a hole in the padding': block(plain).fill(0, 40, 41),
  };
  const signed = (bits: Uint8Array): Uint8Array => {
    const raw = privateEncrypt({ key: root.key, padding: constants.RSA_NO_PADDING }, bits);
    return der(0x30, tbs, algorithm, der(0x03, Uint8Array.of(0), new Uint8Array(raw)));
  };
  t.equal(verdict(signed(block(plain))), 'good', 'the block as it must be');
  for (const [name, bits] of Object.entries(blocks)) t.equal(verdict(signed(bits)), 'untrusted', name);
});
