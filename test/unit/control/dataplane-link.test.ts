import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { DataplaneLink } from '../../../control/dataplane-link.js';
import { encodeFrame, FrameReader, type FromDataplane } from '../../../dataplane/tables/message.js';

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
    lost: () => note('lost'),
  });
  t.equal(await link.snapshot(), null, 'nobody there');
  link.open();

  const greeted = wait('hello');
  const reader = new FrameReader();
  const server = createServer((socket) => {
    connection = socket;
    // Byte by byte: a frame may arrive in any pieces.
    for (const byte of encodeFrame(hello)) socket.write(Uint8Array.of(byte));
    socket.on('data', (chunk) => {
      for (const { head } of reader.push(chunk)) {
        const request = head as { type: string; id: number; generation: number };
        if (request.type === 'tables') socket.write(encodeFrame({ type: 'applied', generation: request.generation, errors: [] }));
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
  t.strictSame(seen.slice(0, 3), ['hello', 'applied 7', 'lost']);
});
