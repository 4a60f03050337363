// Signatures of pushes: both encodings verify, nothing looser does (bad-input 26, 27).

import { constants, createPublicKey, generateKeyPairSync, type KeyObject, privateEncrypt } from 'node:crypto';
import t from 'tap';
import {
  hashBytes,
  PublicKeyError,
  readPublicKey,
  type SignatureHash,
  signPush,
  verifyPush,
} from '../../../../control/pki/push-signature.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const parts = [new TextEncoder().encode('rekey'), new TextEncoder().encode('a message')];
const others = [new TextEncoder().encode('rekeya message!')];
const Length = 128;
const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const digest = hashBytes('sha256', parts);

function spki(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

/** What a forger with the private key could put into the block. */
function signBlock(block: Uint8Array): Uint8Array {
  return new Uint8Array(privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, block));
}

function block(payload: Uint8Array, change: (bytes: Buffer) => void = () => {}): Uint8Array {
  const bytes = Buffer.alloc(Length, 0xff);
  bytes[0] = 0;
  bytes[1] = 1;
  bytes[Length - payload.length - 1] = 0;
  bytes.set(payload, Length - payload.length);
  change(bytes);
  return bytes;
}

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

t.test('both encodings, every hash, any of the alternatives', async (t) => {
  for (const hash of ['md5', 'sha', 'sha256', 'sha384', 'sha512'] as SignatureHash[]) {
    for (const encoding of ['digest-info', 'raw'] as const) {
      const signature = signPush(privateKey, hash, parts, encoding);
      t.ok(verifyPush(publicKey, hash, [parts], signature), `${hash} ${encoding}`);
      t.ok(verifyPush(publicKey, hash, [others, parts], signature), 'second alternative');
      t.notOk(verifyPush(publicKey, hash, [others], signature), 'another message');
    }
  }
});

t.test('every flipped bit, other lengths', async (t) => {
  const signature = signPush(privateKey, 'sha256', parts, 'digest-info');
  for (let at = 0; at < signature.length; at++) {
    const bytes = signature.slice();
    bytes[at] ^= 0x10;
    t.notOk(verifyPush(publicKey, 'sha256', [parts], bytes), `byte ${at}`);
  }
  for (const length of [0, 1, 127]) t.notOk(verifyPush(publicKey, 'sha256', [parts], signature.slice(0, length)));
  t.notOk(verifyPush(publicKey, 'sha256', [parts], new Uint8Array([0, ...signature])));
  t.notOk(verifyPush(publicKey, 'sha256', [parts], new Uint8Array(Length).fill(0xff)), 'not below the modulus');
  t.notOk(verifyPush(publicKey, 'sha256', [parts], new Uint8Array(Length)), '0');
});

t.test('blocks that lenient verifiers take', async (t) => {
  const full = Buffer.concat([prefix, digest]);
  const bad: Record<string, Uint8Array> = {
    'block type 2': block(full, (bytes) => {
      bytes[1] = 2;
    }),
    'no zero in front': block(full, (bytes) => {
      bytes[1] = 0;
    }),
    'padding with a hole': block(full, (bytes) => {
      bytes[20] = 0xfe;
    }),
    'short padding, garbage behind the hash': (() => {
      const bytes = Buffer.alloc(Length, 0x42);
      bytes.set([0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0]);
      bytes.set(full, 11);
      return bytes;
    })(),
    'garbage in the parameters': block(Buffer.concat([Buffer.from('3033300f060960864801650304020105020102030420', 'hex'), digest])),
    'parameters absent': block(Buffer.concat([Buffer.from('302f300b0609608648016503040201', 'hex'), Buffer.from('0420', 'hex'), digest])),
    'another hash in DigestInfo': block(Buffer.concat([Buffer.from('3021300906052b0e03021a05000414', 'hex'), hashBytes('sha', parts)])),
    'hash cut': block(digest.subarray(0, 20)),
    'hash behind a zero': block(Buffer.concat([Buffer.from([0]), digest])),
  };
  t.ok(verifyPush(publicKey, 'sha256', [parts], signBlock(block(full))), 'the good one verifies');
  for (const [name, bytes] of Object.entries(bad)) t.notOk(verifyPush(publicKey, 'sha256', [parts], signBlock(bytes)), name);
});

t.test('public keys', async (t) => {
  const good = spki(publicKey);
  t.equal(readPublicKey(good).asymmetricKeyType, 'rsa');
  const jwk = publicKey.export({ format: 'jwk' });
  const modulus = Buffer.from(jwk.n as string, 'base64url');
  const from = (n: Buffer, e: Buffer): Uint8Array =>
    spki(createPublicKey({ key: { kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') }, format: 'jwk' }));
  const even = Buffer.from(modulus);
  even[127] &= 0xfe;
  const three = Buffer.from([3]);
  t.ok(readPublicKey(from(modulus, three)), 'exponent 3 is allowed: what it allows to forge is not taken');
  const bad: Record<string, Uint8Array> = {
    empty: new Uint8Array(0),
    'not DER': new Uint8Array(162).fill(0x30),
    cut: good.slice(0, 100),
    'bytes behind': new Uint8Array([...good, 0]),
    'elliptic curve': spki(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
    '512 bits': from(modulus.subarray(64), three),
    'even modulus': from(even, three),
    'exponent 1': from(modulus, Buffer.from([1])),
    'even exponent': from(modulus, Buffer.from([4])),
    'huge exponent': from(modulus, modulus.subarray(0, 64)),
  };
  for (const [name, bytes] of Object.entries(bad)) t.ok(thrownBy(() => readPublicKey(bytes)) instanceof PublicKeyError, name);
});
