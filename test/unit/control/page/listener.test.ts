// The status page's listener from outside, by raw requests: what it serves and under which headers, whom it refuses, how many it feeds and whom it cuts off.

import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type MetricsServer, startMetrics } from '../../../../control/api/metrics.js';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import type { PageState } from '../../../../control/page/state.js';
import { until } from '../../../support/netns.js';
import { emptySnapshot, interfaceState } from '../../cli/show/sample.js';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

async function start(t: Test, snapshot: () => Promise<Snapshot> = async () => emptySnapshot()) {
  const counted = new Map<string, number>();
  let looks = 0;
  const server = (await startMetrics({
    address: '127.0.0.1',
    port: 0,
    instance: 'r1',
    names: () => ['build7', 'R1', 'R1.example.net'],
    snapshot,
    counters: { add: (name) => void counted.set(name, (counted.get(name) ?? 0) + 1) },
    looked: () => void looks++,
    log: { write: () => undefined },
  })) as MetricsServer;
  t.teardown(() => server.close());
  const { port } = server;
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      });
      asked.on('error', reject);
      asked.end();
    });
  return { port, ask, counted, looks: () => looks };
}

/** A page that is open, as a socket. */
class Follower {
  text = '';
  closed = false;
  readonly socket: Socket;

  constructor(t: Test, port: number, extra = '') {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text;
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${extra}\r\n`);
    t.teardown(() => this.socket.destroy());
  }

  /** What it was told, oldest first. */
  states(): PageState[] {
    return [...this.text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json) as PageState);
  }
}

t.test('the page and its files, each under the strict policy and from here', async (t) => {
  const { ask } = await start(t);
  const page = await ask('/');
  t.equal(page.status, 200);
  const files = [...page.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path).filter((path) => path !== '/metrics');
  t.strictSame(files.toSorted(), ['/client/main.js', '/page.css', '/uplot.css', '/uplot.js']);
  t.notMatch(page.body, /https?:|<script>|<style|style=| on\w+=/, 'nothing inline, nothing from elsewhere');
  const modules = new Set(files);
  for (const path of modules) {
    const file = await ask(path);
    t.equal(file.status, 200, path);
    t.match(file.headers['content-type'], path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/, path);
    t.match(file.headers['content-security-policy'], /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/, path);
    t.notMatch(file.headers['content-security-policy'], /unsafe|\*/, path);
    t.match([file.headers['x-content-type-options'], file.headers['referrer-policy']], ['nosniff', 'no-referrer'], path);
    t.equal(file.headers['access-control-allow-origin'], undefined, path);
    const again = await ask(path, { 'If-None-Match': String(file.headers.etag) });
    t.strictSame([again.status, again.body], [304, ''], `${path} is still the same`);
    if (path.startsWith('/client/')) for (const [, name] of file.body.matchAll(/from '\.\/([^']+)'/g)) modules.add(`/client/${name}`);
  }
  t.ok(modules.size > 8, `${modules.size} files`);
});

t.test('GET and HEAD, and nothing else; known paths, and nothing else', async (t) => {
  const { ask } = await start(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) t.equal((await ask('/', {}, method)).status, 405, method);
  t.match(await ask('/metrics', {}, 'HEAD'), { status: 200, body: '' });
  t.equal((await ask('/events', {}, 'HEAD')).status, 405);
  for (const path of [
    '/client/',
    '/client/../build.js',
    '/client/%2e%2e/build.js',
    '/uplot.js/',
    '/constructor',
    '/etc/passwd',
    '//',
    '/?x',
  ])
    t.equal((await ask(path)).status, path === '/?x' ? 200 : 404, path);
});

t.test('whom it answers is decided by the name that was asked for', async (t) => {
  const { ask, port } = await start(t);
  const hosts: [string, number][] = [
    [`127.0.0.1:${port}`, 200],
    [`localhost:${port}`, 200],
    ['LOCALHOST', 200],
    ['192.0.2.7:9848', 200],
    ['[::1]:9848', 200],
    ['r1:9848', 200],
    ['r1.EXAMPLE.net', 200],
    ['build7.:9848', 200],
    ['attacker.example', 421],
    [`attacker.example:${port}`, 421],
    ['127.0.0.1.attacker.example', 421],
    ['localhost.attacker.example', 421],
    ['127.0.0.1@attacker.example', 421],
    ['r1.example.net.attacker.example', 421],
    ['[::1', 421],
    ['r1, attacker.example', 421],
  ];
  for (const path of ['/', '/metrics', '/page.css'])
    for (const [host, status] of hosts) t.equal((await ask(path, { Host: host })).status, status, `${path} of '${host}'`);
  t.equal((await ask('/events', { Host: 'attacker.example' })).status, 421);
});

t.test('events once a second, for all who look from one snapshot; none when nobody does', async (t) => {
  let taken = 0;
  const { port, looks } = await start(t, async () => ({ ...emptySnapshot(), takenAt: ++taken }));
  await sleep(1500);
  t.equal(taken, 0, 'nobody looks');
  const pages = [new Follower(t, port), new Follower(t, port), new Follower(t, port)];
  await until('three events', () => pages.every((page) => page.states().length >= 3));
  t.match(pages[0].text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Type: text\/event-stream\r\n/);
  t.ok(taken <= 5, `${taken} snapshots for three pages and three events`);
  t.ok(looks() >= 3, 'the key servers are asked meanwhile');
  for (const page of pages) page.socket.destroy();
  await sleep(1500);
  const [after, looked] = [taken, looks()];
  await sleep(1500);
  t.strictSame([taken, looks()], [after, looked], 'they have gone');
});

t.test('a snapshot that fails is one event less', async (t) => {
  let fails = true;
  const { port } = await start(t, async () => {
    if (fails) throw new Error('no snapshot');
    return emptySnapshot();
  });
  const page = new Follower(t, port);
  await sleep(1200);
  t.strictSame([page.states().length, page.closed], [0, false]);
  fails = false;
  await until('an event', () => page.states().length > 0);
});

t.test('so many pages and no more; another site opens none', async (t) => {
  const { port, ask, counted } = await start(t);
  const pages = Array.from({ length: 16 }, () => new Follower(t, port));
  await until('all to be fed', () => pages.every((page) => page.states().length > 0));
  t.match(await ask('/events'), { status: 503, headers: { 'retry-after': '10' } });
  t.equal(counted.get('page_clients_refused'), 1);
  t.equal((await ask('/metrics')).status, 200, 'metrics are told all the same');
  pages[0].socket.destroy();
  await sleep(50);
  const next = new Follower(t, port);
  await until('a place to be free', () => next.states().length > 0);
  t.equal((await ask('/events', { 'Sec-Fetch-Site': 'cross-site' })).status, 403);
  t.equal((await ask('/events', { 'Sec-Fetch-Site': 'same-site' })).status, 403);
  t.equal(counted.get('page_clients_refused'), 1, 'refused for another reason');
});

t.test('a page that does not read is cut off and counted, the others go on', async (t) => {
  const change = { device: 'eth0', hardware: 'tun port on eth0', driver: 'tun', wantedDriver: 'tun', offloads: true } as const;
  const interfaces = Array.from({ length: 32 }, (_, n) => interfaceState(`${'x'.repeat(60_000)}${n}`, change));
  const { port, counted } = await start(t, async () => ({ ...emptySnapshot(), interfaces }));
  const slow = new Follower(t, port);
  slow.socket.pause();
  const good = new Follower(t, port);
  await until('the slow one to be counted', () => counted.get('page_clients_dropped') === 1, 20_000);
  const seen = good.states().length;
  await until('the other to hear more', () => good.states().length > seen + 1);
  t.equal(counted.get('page_clients_dropped'), 1, 'only that one');
});
