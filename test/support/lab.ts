// Drives scripts/lab: one lab per test, with a name of its own, removed whatever happens.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ask } from './ask.js';
import { Background, type Output, removeAtExit, run, runChecked, uniqueName, until } from './netns.js';
import { readVariant, varyConfiguration } from './variant.js';

/** dist/test/support -> the checkout */
export const repoRoot = resolve(import.meta.dirname, '../../..');
const script = join(repoRoot, 'scripts/lab');

export type Router = 'r1' | 'r2' | 'r3' | 'r4';
export type Host = 'h1' | 'h2' | 'h3' | 'inet' | 'core';
export const routers: readonly Router[] = ['r1', 'r2', 'r3', 'r4'];

export interface LabOptions {
  /** scripts/configs/NAME; default `lab`. */
  config?: string;
  /** Changes a router's configuration before it is used. */
  edit?: (router: Router, text: string) => string;
  keyLog?: boolean;
  /** Of each router; default: what the variant says. */
  workers?: number;
  /** Which routers start; default all. */
  start?: readonly Router[];
  /** Seconds, 60 by default as a machine may be busy; 0 = do not wait until they are ready. */
  waitSeconds?: number;
}

/** Replaces, and fails when there is nothing to replace: a test must not run with a configuration it did not mean. */
export function substitute(text: string, pattern: RegExp, replacement: string): string {
  if (text.search(pattern) < 0) throw new Error(`the configuration has nothing like ${pattern}`);
  return text.replace(pattern, replacement);
}

export class Lab {
  readonly name = uniqueName();
  /** A directory of the test's own, removed with the lab. */
  readonly directory = mkdtempSync(join(tmpdir(), 'groupwire-lab-'));
  private readonly backgrounds: Background[] = [];
  private readonly undo: () => void;
  private readonly environment: Record<string, string>;

  private constructor(options: LabOptions) {
    const variant = readVariant();
    const workers = options.workers ?? variant.workers;
    const configs = join(this.directory, 'configs');
    mkdirSync(configs);
    for (const router of routers) {
      const text = readFileSync(join(repoRoot, 'scripts/configs', options.config ?? 'lab', `${router}.cfg`), 'utf8');
      writeFileSync(join(configs, `${router}.cfg`), varyConfiguration(options.edit?.(router, text) ?? text, variant));
    }
    this.environment = {
      LAB: this.name,
      LAB_OWNER: String(process.pid),
      LAB_CONFIG: configs,
      LAB_ROUTERS: (options.start ?? routers).join(' '),
      LAB_WAIT: String(options.waitSeconds ?? 60),
      LAB_KILL: '1', // how routers end is what some cases test; what is left at the end only has to go
      LAB_KEY_LOG: options.keyLog ? '1' : '',
      LAB_RUN_OPTIONS: workers > 1 ? `--workers ${workers}` : '',
    };
    this.undo = removeAtExit(() => {
      spawnSync(script, ['down'], { env: { ...process.env, ...this.environment }, stdio: 'ignore', timeout: 30_000 });
      rmSync(this.directory, { recursive: true, force: true });
    });
  }

  /** @throws Error with the routers' last log lines when it does not come up */
  static async up(options: LabOptions = {}): Promise<Lab> {
    const lab = new Lab(options);
    try {
      // Whether they are ready is asked below, without a process for each.
      await runChecked([script, 'up'], { ...lab.environment, LAB_WAIT: '0' }, 120_000);
      const seconds = options.waitSeconds ?? 60;
      if (seconds > 0) await Promise.all((options.start ?? routers).map((router) => lab.ready(router, seconds)));
    } catch (error) {
      lab.down();
      throw error;
    }
    return lab;
  }

  /** @throws Error with the router's last log lines when it is not ready in time */
  async ready(router: Router, seconds = 60): Promise<void> {
    await this.ask(router, ['wait-ready', '--timeout', String(seconds)]).catch((error: Error) => {
      throw this.withLog(router, error);
    });
  }

  /** Waits until a router that was started answers, ready or not. */
  async answers(router: Router): Promise<void> {
    await until(`${router} to answer`, () => this.groupwire(router, 'show', 'version').then(Boolean, () => false));
  }

  /** Starts one router without waiting for it. */
  start(router: Router): Promise<string> {
    return runChecked([script, 'start', router], { ...this.environment, LAB_WAIT: '0' });
  }

  /** Runs `scripts/lab WORDS`. @throws Error when it fails */
  command(...words: string[]): Promise<string> {
    return runChecked([script, ...words], this.environment, 120_000);
  }

  down(): void {
    for (const background of this.backgrounds) void background.stop('SIGKILL');
    this.undo();
  }

  namespace(node: string): string {
    return `${this.name}-${node}`;
  }

  /** Runs a shell line on a node. @throws Error when its status is not 0 */
  sh(node: Router | Host, line: string, timeoutMs?: number): Promise<string> {
    return runChecked(this.argv(node, ['sh', '-c', line]), {}, timeoutMs);
  }

  run(node: Router | Host, argv: readonly string[], timeoutMs?: number): Promise<Output> {
    return run(this.argv(node, argv), {}, timeoutMs);
  }

  /** Ends with the lab at the latest. */
  spawn(node: Router | Host, argv: readonly string[]): Background {
    const background = new Background(this.argv(node, argv));
    this.backgrounds.push(background);
    return background;
  }

  private argv(node: string, argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.namespace(node), ...argv];
  }

  /** `groupwire WORDS` on a router, e.g. `show crypto gdoi`. @throws Error when its status is not 0, with the end of its log when it hung up on us */
  async groupwire(router: Router, ...words: string[]): Promise<string> {
    return await this.ask(router, words).catch((error: Error) => {
      throw /hang up|ECONNRESET/.test(error.message) ? this.withLog(router, error) : error;
    });
  }

  private ask(router: Router, words: readonly string[]): Promise<string> {
    return ask(router, `/run/groupwire-lab/${this.name}/${router}`, words);
  }

  private withLog(router: Router, { message }: Error): Error {
    return new Error(`${message}; it logged:\n${this.log(router).slice(-3000)}`);
  }

  /** A `show` command's JSON form. */
  async show(router: Router, what: string): Promise<unknown> {
    return JSON.parse(await this.groupwire(router, 'show', ...what.split(' '), '|', 'json'));
  }

  /** Changes a router's configuration file; it counts from the next start. */
  configure(router: Router, change: (text: string) => string): void {
    const file = `/run/groupwire-lab/${this.name}/configs/${router}.cfg`;
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  }

  /** SIGHUP: the router reads its configuration file again. */
  reload(router: Router): void {
    process.kill(Number(readFileSync(`/run/groupwire-lab/${this.name}/${router}.pid`, 'utf8').trim()), 'SIGHUP');
  }

  /** What the router logged since it was first started; empty before. */
  log(router: Router): string {
    const file = `/run/groupwire-lab/${this.name}/${router}.log`;
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** @param from characters of the log that do not count */
  async logs(router: Router, pattern: RegExp, timeoutMs = 30_000, from = 0): Promise<void> {
    try {
      await until(`${router} to log ${pattern}`, () => pattern.test(this.log(router).slice(from)), timeoutMs);
    } catch (error) {
      throw this.withLog(router, error as Error);
    }
  }

  keyLogDirectory(router: Router): string {
    return `/run/groupwire-lab/${this.name}/keys/${router}`;
  }

  /** @returns the process id of `control` or `dataplane`. @throws Error when it does not run */
  pidOf(router: Router, process: 'control' | 'dataplane'): number {
    const supervisor = readFileSync(`/run/groupwire-lab/${this.name}/${router}.pid`, 'utf8').trim();
    const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').trim().split(' ');
    const found = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`/${process}/main.js`));
    if (found === undefined) throw new Error(`${router} has no ${process} process`);
    return Number(found);
  }
}
