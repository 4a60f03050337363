// seal and open per packet, addon against twin: ns per packet and Gbit/s of text, for 64 and 1408 bytes of text (blocks of 8 and 16) in batches of 64.
// GCM, CBC and NULL with each HMAC that a group is likely to use. Prints a table; asserts nothing.

import { Job, JobStatus, loadNative, type Native } from '../dataplane/native/native.js';
import { EspAuth, EspCipher, SaKey } from '../dataplane/tables/layout.js';

interface Transform {
  name: string;
  cipher: EspCipher;
  auth: EspAuth;
  cipherKeyLen: number;
  authKeyLen: number;
}

const transforms: Transform[] = [
  { name: 'aes-128-gcm', cipher: EspCipher.AesGcm16, auth: EspAuth.None, cipherKeyLen: 16, authKeyLen: 0 },
  { name: 'aes-256-gcm', cipher: EspCipher.AesGcm16, auth: EspAuth.None, cipherKeyLen: 32, authKeyLen: 0 },
  { name: 'aes-128-cbc + sha-1', cipher: EspCipher.AesCbc, auth: EspAuth.HmacSha1_96, cipherKeyLen: 16, authKeyLen: 20 },
  { name: 'aes-256-cbc + sha-256', cipher: EspCipher.AesCbc, auth: EspAuth.HmacSha256_128, cipherKeyLen: 32, authKeyLen: 32 },
  { name: 'aes-256-cbc + sha-512', cipher: EspCipher.AesCbc, auth: EspAuth.HmacSha512_256, cipherKeyLen: 32, authKeyLen: 64 },
  { name: '3des-cbc + sha-1', cipher: EspCipher.TripleDesCbc, auth: EspAuth.HmacSha1_96, cipherKeyLen: 24, authKeyLen: 20 },
  { name: 'null + sha-1', cipher: EspCipher.Null, auth: EspAuth.HmacSha1_96, cipherKeyLen: 0, authKeyLen: 20 },
];
const batch = 64;
const slotBytes = 2048;
const runMs = 150;

const pool = new Uint8Array(new SharedArrayBuffer(batch * slotBytes));
const jobs = new Int32Array(batch * Job.Words);
const keys = Uint8Array.from({ length: SaKey.Bytes }, (_, i) => (i * 37 + 11) & 0xff);

/** ns per packet of sealing a batch again and again, and of opening it. Opening destroys it, so it is sealed in between, untimed. */
function measure(native: Native, textLen: number): { seal: number; open: number } {
  for (let i = 0; i < batch; i++) jobs.set([0, i * slotBytes, textLen, 0], i * Job.Words);
  let sealMs = 0;
  let openMs = 0;
  let rounds = 0;
  while (sealMs + openMs < runMs) {
    const start = native.monotonicMs();
    native.seal(pool, jobs, batch);
    const sealed = native.monotonicMs();
    native.open(pool, jobs, batch);
    openMs += native.monotonicMs() - sealed;
    sealMs += sealed - start;
    rounds++;
    for (let i = 0; i < batch; i++) {
      if (jobs[i * Job.Words + Job.Status] !== JobStatus.Ok) throw new Error(`job ${i}: status ${jobs[i * Job.Words + Job.Status]}`);
    }
  }
  return { seal: (sealMs * 1e6) / rounds / batch, open: (openMs * 1e6) / rounds / batch };
}

function show(ns: number, bytes: number): string {
  return `${ns.toFixed(0).padStart(6)} ns ${((bytes * 8) / ns).toFixed(2).padStart(6)} Gbit/s`;
}

function loadAs(choice: '0' | '1'): Native {
  process.env.GROUPWIRE_NATIVE = choice;
  return loadNative();
}

for (const native of [loadAs('1'), loadAs('0')]) {
  console.log(`${native.kind.padEnd(24)}${['seal 64', 'open 64', 'seal 1408', 'open 1408'].map((title) => title.padStart(24)).join('')}`);
  for (const transform of transforms) {
    native.saSet(0, transform.cipher, transform.auth, keys, transform.cipherKeyLen, transform.authKeyLen);
    measure(native, 64); // warm up
    const columns = [64, 1408].flatMap((textLen) => {
      const { seal, open } = measure(native, textLen);
      return [show(seal, textLen), show(open, textLen)];
    });
    console.log(`${transform.name.padEnd(24)}${columns.map((column) => column.padStart(24)).join('')}`);
  }
}
