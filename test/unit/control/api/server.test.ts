// The control socket against peers that behave, and peers that do not (facts: partial writes, lying lengths, slow readers).

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { callApi, fetchNatTranslations, fetchReady, fetchSnapshot, postExec } from '../../../../control/api/client.js';
import { type ApiOptions, startApi } from '../../../../control/api/server.js';
import type { NatTranslations } from '../../../../control/api/snapshot-nat.js';
import { emptySnapshot, getvpn1 } from '../../cli/show/sample.js';

const directory = mkdtempSync(join(tmpdir(), 'groupwire-api-'));
t.teardown(() => rmSync(directory, { recursive: true }));
let count = 0;

async function start(t: { teardown(end: () => unknown): unknown }, change: Partial<ApiOptions> = {}): Promise<string> {
  const socketPath = join(directory, `${count++}.sock`);
  const api = await startApi({
    socketPath,
    snapshot: async () => emptySnapshot(),
    natTranslations: async () => null,
    packetTrace: async () => {
      throw new Error('% no tables');
    },
    probe: async () => undefined,
    ready: () => ({ ready: true, missing: [] }),
    exec: async (line) => `ran ${line}`,
    execWithFile: async (line, text) => `ran ${line} with ${text.length} characters`,
    edit: ({ line }) => ({ error: null, column: null, messages: [], ended: line === 'end', mode: 'config', hostname: 'R1' }),
    ...change,
  });
  t.teardown(() => api.close());
  return socketPath;
}

/** Writes raw bytes, piece by piece, and reads until the server closes. */
function talk(path: string, pieces: (string | Uint8Array)[], onOpen?: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
    socket.on('connect', () => {
      onOpen?.(socket);
      const next = (index: number) => {
        if (index >= pieces.length || socket.destroyed) return;
        socket.write(pieces[index]);
        setImmediate(next, index + 1);
      };
      next(0);
    });
  });
}

const head = (method: string, path: string, length: number | string) =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;

t.test('snapshot, ready, config and exec', async (t) => {
  const path = await start(t);
  t.equal(statSync(path).mode & 0o777, 0o660, 'mode of the socket');
  t.strictSame(await fetchSnapshot(path), emptySnapshot());
  t.strictSame(await fetchReady(path, 1000), { ready: true, missing: [] });
  t.strictSame(await callApi(path, 'GET', '/config'), { config: emptySnapshot().runningConfig });
  t.equal(await postExec(path, 'clear counters'), 'ran clear counters');
  t.equal(await postExec(path, 'configure replace f', 'abc'), 'ran configure replace f with 3 characters');
  t.equal(await postExec(path, 'configure replace f', ''), 'ran configure replace f with 0 characters', 'an empty file is a file');
  await t.rejects(callApi(path, 'POST', '/exec-file', { line: 'x' }), { message: /^body must be \{"line": "one exec line", "text"/ });
});

t.test('NAT translations are fetched apart', async (t) => {
  const translation: NatTranslations['translations'][number] = {
    protocol: 'tcp',
    insideGlobal: '192.0.2.1:1',
    insideLocal: '10.0.0.1:2',
    outsideLocal: '192.0.2.2:3',
    outsideGlobal: '192.0.2.2:3',
    createdSecondsAgo: 5,
    usedSecondsAgo: 4,
    timeoutSeconds: null,
    state: 'established',
    mapping: 1,
    interface: 'eth1',
    packetsOut: 1,
    packetsIn: 2,
    id: 0xffffffff,
  };
  const found = { takenAt: 1, total: 70_000, translations: [translation] };
  const path = await start(t, { natTranslations: async () => ({ ...found, key: 'SECRET' }) });
  t.strictSame(await fetchNatTranslations(path), found);
  await t.rejects(fetchNatTranslations(await start(t)), { message: 'the dataplane does not answer' });
});

t.test('what the snapshot does not name does not leave', async (t) => {
  const strayed = {
    ...emptySnapshot(),
    gdoiMembers: [{ ...getvpn1(), teks: [{ ...getvpn1().teks[0], encryptionKey: 'SECRET' }], kek: { ...getvpn1().kek!, key: 'SECRET' } }],
  };
  const path = await start(t, { snapshot: async () => strayed });
  const text = JSON.stringify(await callApi(path, 'GET', '/snapshot'));
  t.notMatch(text, /SECRET/);
  t.match(text, /getvpn1/);
});

t.test('an incomplete snapshot names its fields, not their values', async (t) => {
  const path = await start(t, { snapshot: async () => ({ ...emptySnapshot(), hostname: { key: 'SECRET' } }) as never });
  await t.rejects(fetchSnapshot(path), { message: 'snapshot is not complete: hostname' });
});

t.test('an exec error is the error of the command', async (t) => {
  const path = await start(t, {
    exec: async () => {
      throw new Error("% Invalid input detected at '^' marker.");
    },
  });
  await t.rejects(postExec(path, 'x'), { message: "% Invalid input detected at '^' marker." });
});

t.test('unknown resources and methods', async (t) => {
  const path = await start(t);
  for (const resource of ['/', '/Snapshot', '/snapshot/', '/__proto__', '/constructor', '/../etc/passwd', '/%00']) {
    await t.rejects(callApi(path, 'GET', resource), { message: 'no such resource' }, resource);
  }
  await t.rejects(callApi(path, 'GET', '/exec'), { message: 'use POST' });
  await t.rejects(callApi(path, 'POST', '/snapshot', {}), { message: 'use GET' });
  t.match(await talk(path, [head('DELETE', '/exec', 0)]), /^HTTP\/1\.1 405 .*\r\nAllow: POST\r\n/);
});

t.test('bad bodies', async (t) => {
  const path = await start(t);
  const post = async (body: string | Uint8Array) => /\r\n\r\n(.*)/s.exec(await talk(path, [head('POST', '/exec', body.length), body]))?.[1];
  for (const body of [
    '{',
    '',
    '[]',
    'null',
    '"x"',
    '{"line":1}',
    '{"line":""}',
    '{"line":"a","more":1}',
    '{"line":"a\\nb"}',
    '{"line":"\\u0000"}',
    `{"line":"${'a'.repeat(5000)}"}`,
  ]) {
    t.match(JSON.parse((await post(body)) ?? '{}'), { error: /^body (is not JSON|must be)/ }, body.slice(0, 30));
  }
  t.match(await post(new Uint8Array([0x22, 0xff, 0xfe, 0x22])), /body is not UTF-8/);
});

t.test('oversized bodies, announced and not', async (t) => {
  const path = await start(t);
  t.match(await talk(path, [head('POST', '/exec', 2 ** 31), 'x']), /^HTTP\/1\.1 413 /, 'announced: refused before it is read');
  t.match(await talk(path, [head('POST', '/exec', '99999999999999999999'), 'x']), /^HTTP\/1\.1 4(00|13) /, 'beyond any number');
  const chunked = 'POST /exec HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
  t.match(await talk(path, [chunked, ...new Array<string>(8).fill(chunk)]), /^HTTP\/1\.1 413 /, 'chunked: refused while it comes');
  t.match(await talk(path, ['GET /ready HTTP/1.1\r\n', `X: ${'h'.repeat(40_000)}\r\n\r\n`]), /^HTTP\/1\.1 431 /, 'header');
  t.strictSame(await fetchReady(path, 1000), { ready: true, missing: [] }, 'still serving');
});

t.test('a request in single bytes is a request', async (t) => {
  const path = await start(t);
  const body = JSON.stringify({ line: 'show clöck' });
  const bytes = Buffer.from(head('POST', '/exec', Buffer.byteLength(body)) + body);
  const answer = await talk(
    path,
    [...bytes].map((byte) => Uint8Array.of(byte)),
  );
  t.match(Buffer.from(answer, 'latin1').toString(), /"output":"ran show clöck"/);
});

t.test('garbage is answered or cut off', async (t) => {
  const path = await start(t);
  for (const text of ['\0\0\0\0', 'GET\r\n\r\n', 'POST /exec HTTP/1.1\r\nContent-Length: -1\r\n\r\n', '\x16\x03\x01\x02\x00']) {
    t.match(await talk(path, [text]), /^HTTP\/1\.1 400 /, JSON.stringify(text));
  }
  t.strictSame(await fetchReady(path, 1000), { ready: true, missing: [] });
});

t.test('a peer that never finishes its request, or never reads, is cut off', async (t) => {
  const big = { ...emptySnapshot(), runningConfig: 'x'.repeat(16 << 20) }; // more than the socket's buffers take
  const path = await start(t, { snapshot: async () => big, idleMs: 200, requestMs: 200 });
  t.type(await talk(path, ['GET /snapsh']), 'string', 'half a request line');
  t.type(await talk(path, [head('POST', '/exec', 100), '{']), 'string', 'half a body');
  const read = await talk(path, [head('GET', '/snapshot', 0)], (socket) => {
    socket.pause();
    setTimeout(() => socket.resume(), 8000).unref();
  });
  t.ok(read.length < 16 << 20, 'the rest of the answer was not kept for it');
  t.strictSame(await fetchReady(path, 1000), { ready: true, missing: [] });
});

t.test('a peer that leaves before the answer does no harm', async (t) => {
  const path = await start(t, { snapshot: () => new Promise((resolve) => setTimeout(() => resolve(emptySnapshot()), 100)) });
  await talk(path, [head('GET', '/snapshot', 0)], (socket) => setTimeout(() => socket.destroy(), 20));
  t.strictSame(await fetchSnapshot(path), emptySnapshot());
});

t.test('a dead process left its socket file', async (t) => {
  const socketPath = join(directory, 'stale.sock');
  writeFileSync(socketPath, '');
  const api = await startApi({
    socketPath,
    snapshot: async () => emptySnapshot(),
    natTranslations: async () => null,
    packetTrace: async () => {
      throw new Error('% no tables');
    },
    probe: async () => undefined,
    ready: () => ({ ready: false, missing: ['x'] }),
    exec: async () => '',
    execWithFile: async () => '',
    edit: () => ({ error: null, column: null, messages: [], ended: false, mode: 'config', hostname: 'R1' }),
  });
  t.strictSame(await fetchReady(socketPath, 1000), { ready: false, missing: ['x'] });
  await api.close();
  await t.rejects(fetchReady(socketPath, 1000), { message: /^no router answers at .*: is the instance running\?$/ }, 'gone after close');
});
