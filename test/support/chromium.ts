// Headless Chromium on a node of a lab, driven over its DevTools protocol. The protocol goes through a pipe (--remote-debugging-pipe: JSON that ends in a
// zero byte), so neither a WebSocket nor a port is needed, and the browser may live in another network namespace than the test.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Host, Lab, Router } from './lab.js';
import { removeAtExit, until } from './netns.js';

interface Reply {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

export interface Look {
  width: number;
  height: number;
  dark?: boolean;
  /** Device pixels for each of the page's. */
  scale?: number;
}

const AnswerMs = 20_000;

class Connection {
  onEvent: (method: string, params: Record<string, unknown>) => void = () => undefined;
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private nextId = 1;
  private rest = '';

  constructor(
    private readonly to: Writable,
    from: Readable,
  ) {
    from.setEncoding('utf8').on('data', (text: string) => {
      const messages = (this.rest + text).split('\0');
      this.rest = messages.pop() ?? '';
      for (const message of messages) this.take(JSON.parse(message) as Reply);
    });
    to.on('error', () => undefined); // the browser has ended: whoever waits is told by the time-out
  }

  ask(method: string, params: Record<string, unknown> = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Chromium did not answer ${method}`)), AnswerMs);
      this.waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error) reject(new Error(`Chromium: ${method}: ${error.message}`));
        else resolve(result ?? {});
      });
      this.to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  private take(reply: Reply): void {
    if (reply.id === undefined) this.onEvent(reply.method ?? '', reply.params ?? {});
    else this.waiting.get(reply.id)?.(reply);
  }
}

/** One tab. */
export class Page {
  /** What its console complained of: errors, refused resources, violations of its policy. */
  readonly problems: string[] = [];
  /** URLs that it asked for. */
  readonly requested: string[] = [];

  private constructor(
    private readonly connection: Connection,
    private readonly session: string,
  ) {
    connection.onEvent = (method, params) => this.hear(method, params);
  }

  static async open(connection: Connection, url: string, look: Look): Promise<Page> {
    const { targetId } = await connection.ask('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await connection.ask('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(connection, String(sessionId));
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.ask(`${domain}.enable`);
    await page.look(look);
    await page.ask('Page.navigate', { url });
    return page;
  }

  /** The value of an expression in the page. @throws Error when it throws */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.ask('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = answer as { result: { value: T }; exceptionDetails?: { text: string } };
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  /** Waits until an expression is true. @throws Error with what the page shows when it is not in time */
  async until(what: string, expression: string, timeoutMs = 20_000): Promise<void> {
    try {
      await until(what, () => this.evaluate<boolean>(`Boolean(${expression})`), timeoutMs);
    } catch (error) {
      const text = await this.evaluate<string>('document.body.innerText');
      throw new Error(`${(error as Error).message}; ${this.problems.join('; ')}; the page shows: ${text.slice(0, 1500)}`);
    }
  }

  async look({ width, height, dark = false, scale = 1 }: Look): Promise<void> {
    await this.ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: scale, mobile: width < 600 });
    await this.ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
  }

  /** PNG of what is in view. */
  async screenshot(file: string): Promise<void> {
    const { data } = await this.ask('Page.captureScreenshot', { format: 'png', optimizeForSpeed: false });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.from(String(data), 'base64'));
  }

  private ask(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.connection.ask(method, params, this.session);
  }

  private hear(method: string, params: Record<string, unknown>): void {
    const entry = params.entry as { level: string; text: string; url?: string } | undefined;
    if (method === 'Network.requestWillBeSent') this.requested.push((params.request as { url: string }).url);
    else if (method === 'Runtime.exceptionThrown') this.problems.push(JSON.stringify(params.exceptionDetails).slice(0, 500));
    else if (method === 'Log.entryAdded' && entry?.level === 'error') this.problems.push(`${entry.text} ${entry.url ?? ''}`);
  }
}

/** One browser, one tab. Ends with close(), with the test's process at the latest. */
export class Chromium {
  private readonly child: ChildProcess;
  private readonly connection: Connection;
  private readonly undo: () => void;

  constructor(lab: Lab, node: Router | Host) {
    const directory = `${lab.directory}/chromium-${node}`;
    const options = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', `--user-data-dir=${directory}`];
    const argv = ['netns', 'exec', lab.namespace(node), 'chromium-headless-shell', '--remote-debugging-pipe', ...options, 'about:blank'];
    this.child = spawn('ip', argv, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.child.on('error', () => undefined); // as if it did not answer
    this.undo = removeAtExit(() => this.child.kill('SIGKILL'));
    this.connection = new Connection(this.child.stdio[3] as Writable, this.child.stdio[4] as Readable);
  }

  open(url: string, look: Look): Promise<Page> {
    return Page.open(this.connection, url, look);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    await this.connection.ask('Browser.close').catch(() => undefined);
    this.undo();
    if (this.child.exitCode === null && this.child.signalCode === null) await ended;
  }
}
