import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { DataplaneLink } from '../../../control/dataplane-link.js';
import { NatRow } from '../../../dataplane/tables/layout.js';
import { encodeFrame, FrameReader, type FromDataplane, MaxNatRows } from '../../../dataplane/tables/message.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-link-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const hello: FromDataplane = { type: 'hello', pid: 1, workers: 1, incarnation: 'x', generation: 0, knownSenders: [] };

t.test('greets, publishes, asks, and comes back after the dataplane was lost', async (t) => {
  const path = join(folder, 'a.sock');
  const seen: string[] = [];
  let connection: Socket | null = null;
  let turn: (what: string) => void = () => undefined;
  const wait = (what: string) => new Promise<void>((resolve) => (turn = (happened) => happened === what && resolve()));
  const note = (what: string): void => {
    seen.push(what);
    turn(what);
  };
  const link = new DataplaneLink(path, {
    hello: () => note('hello'),
    applied: (generation) => note(`applied ${generation}`),
    event: (event) => note(event.kind),
    captured: () => undefined,
    natLog: (rows) => note(`log ${rows.length / NatRow.Words}`),
    lost: () => note('lost'),
  });
  t.equal(await link.snapshot(), null, 'nobody there');
  t.equal(await link.natSessions(), null);
  t.equal(link.natClear([], []), false);
  link.open();

  const greeted = wait('hello');
  const reader = new FrameReader();
  const server = createServer((socket) => {
    connection = socket;
    // Byte by byte: a frame may arrive in any pieces.
    for (const byte of encodeFrame(hello)) socket.write(Uint8Array.of(byte));
    socket.on('data', (chunk) => {
      for (const { head } of reader.push(chunk)) {
        const request = head as { type: string; id: number; generation: number; limit: number };
        if (request.type === 'tables') socket.write(encodeFrame({ type: 'applied', generation: request.generation, errors: [] }));
        else if (request.type === 'nat-sessions') {
          const rows = new Uint8Array(new Int32Array(2 * NatRow.Words).fill(request.limit).buffer);
          socket.write(encodeFrame({ type: 'nat-sessions', id: request.id, sessions: 70_000 }, [rows]));
        } else if (request.type === 'nat-clear') note('nat-clear');
        else if (request.type === 'nat-log') socket.write(encodeFrame({ type: 'nat-log' }, [new Uint8Array(3 * NatRow.Words * 4 + 5)]));
        else socket.write(encodeFrame({ type: 'snapshot', id: request.id, rssBytes: 42 } as never));
      }
    });
    socket.on('error', () => undefined);
  }).listen(path);
  await greeted;
  t.ok(link.connected);
  const applied = wait('applied 7');
  link.publish({ type: 'tables', generation: 7 } as never, [new Uint8Array(3)]);
  await applied;
  t.match(await link.snapshot(), { rssBytes: 42 });
  t.strictSame(await link.natSessions(2), { sessions: 70_000, rows: new Int32Array(2 * NatRow.Words).fill(2) });
  t.equal((await link.natSessions(1 << 30))?.rows[0], MaxNatRows, 'never more than a frame holds');
  const cleared = wait('nat-clear');
  t.equal(link.natClear([], []), true);
  await cleared;

  const logged = wait('log 3');
  link.setNatLog(true);
  link.setNatLog(true);
  await logged;

  const lost = wait('lost');
  const pending = link.snapshot();
  (connection as unknown as Socket).destroy();
  await lost;
  t.match(await Promise.race([pending, Promise.resolve('pending')]), null, 'a question on the way gets no answer');
  await wait('hello');
  t.ok(link.connected, 'connected again');

  const broken = wait('lost');
  (connection as unknown as Socket).write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0));
  await broken;
  t.pass('a frame that cannot be ends the connection, not the process');
  link.close();
  server.close();
  t.strictSame(seen.slice(0, 5), ['hello', 'applied 7', 'nat-clear', 'log 3', 'lost']);
});
