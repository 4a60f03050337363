// One groupwire router in a namespace of the test's own, without the lab around it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from './ask.js';
import { repoRoot } from './lab.js';
import { type Background, type Netns, removeAtExit, until } from './netns.js';

export class SingleRouter {
  readonly directory = mkdtempSync(join(tmpdir(), 'groupwire-router-'));
  private readonly undo = removeAtExit(() => rmSync(this.directory, { recursive: true, force: true }));
  private process!: Background;

  private constructor(
    private readonly netns: Netns,
    private readonly node: string,
  ) {}

  /** With `options.keyLog`: the keys of its SAs, in Wireshark's tables. */
  get keyLogDirectory(): string {
    return join(this.directory, 'keys');
  }

  /** Starts it; does not wait until it is ready. */
  static start(netns: Netns, node: string, configuration: string, options: { keyLog?: boolean } = {}): SingleRouter {
    const router = new SingleRouter(netns, node);
    const file = join(router.directory, 'router.cfg');
    writeFileSync(file, configuration);
    const words = ['run', '-c', file, '--instance', 'x', '--state', join(router.directory, 'state'), '--metrics', 'off'];
    if (options.keyLog) words.push('--key-log', router.keyLogDirectory);
    router.process = netns.spawn(node, [join(repoRoot, 'cli/groupwire'), ...words, '--runtime', join(router.directory, 'run')]);
    return router;
  }

  log(): string {
    return this.process.stderr;
  }

  /** @throws Error with the end of its log */
  async logs(pattern: RegExp): Promise<void> {
    try {
      await until(`the router to log ${pattern}`, () => pattern.test(this.log()));
    } catch (error) {
      throw new Error(`${(error as Error).message}; it logged:\n${this.log().slice(-3000)}`);
    }
  }

  /** `groupwire WORDS`. @throws Error when its status is not 0 */
  groupwire(...words: string[]): Promise<string> {
    return ask('x', join(this.directory, 'run'), words);
  }

  /** `groupwire WORDS` in the background. */
  spawn(...words: string[]): Background {
    const argv = [join(repoRoot, 'cli/groupwire'), '--instance', 'x', '--runtime', join(this.directory, 'run'), ...words];
    return this.netns.spawn(this.node, argv);
  }

  /** @throws Error with the end of its log when it is not ready in time */
  async ready(): Promise<void> {
    try {
      await this.groupwire('wait-ready', '--timeout', '50');
    } catch (error) {
      throw new Error(`${(error as Error).message}; it logged:\n${this.log().slice(-3000)}`);
    }
  }

  /** A `show` command's JSON form. */
  async show(what: string): Promise<unknown> {
    return JSON.parse(await this.groupwire('show', ...what.split(' '), '|', 'json'));
  }

  async stop(): Promise<void> {
    await this.process.stop();
    this.undo();
  }
}
