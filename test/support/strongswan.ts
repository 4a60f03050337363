// strongSwan's charon in a namespace, driven over vici by swanctl: the judge of our phase 1. Debian's strongswan-charon, strongswan-swanctl and
// libstrongswan-standard-plugins. Nothing of it runs in the machine's own namespace.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Background, type Netns, type Output, removeAtExit, run, runChecked, until } from './netns.js';

const plugins =
  'random nonce openssl aes sha1 sha2 md5 hmac kdf pem pkcs1 pkcs8 pubkey x509 revocation constraints kernel-netlink socket-default vici';

export interface StrongswanOptions {
  /** Text of `connections { ... }`. */
  connections: string;
  /** Text of `secrets { ... }`. */
  secrets: string;
  /** Its own data path, ESP in UDP 4500 through a TUN device, in place of the kernel's. */
  libipsec?: boolean;
  /** More of `charon { ... }`. */
  settings?: string;
  /** PEM files to put into swanctl's folders, e.g. `x509/peer.pem`. */
  files?: Record<string, string>;
}

export class Strongswan {
  readonly directory = mkdtempSync(join(tmpdir(), 'groupwire-strongswan-'));
  private readonly undo = removeAtExit(() => rmSync(this.directory, { recursive: true, force: true }));
  private process: Background | null = null;

  private constructor(
    private readonly netns: Netns,
    private readonly node: string,
  ) {}

  /** @throws Error with its log when it does not come up */
  static async start(netns: Netns, node: string, options: StrongswanOptions): Promise<Strongswan> {
    const daemon = new Strongswan(netns, node);
    daemon.write(options);
    // `ip netns exec` gives a mount namespace of its own, so charon.pid goes nowhere.
    const line = 'mount -t tmpfs tmpfs /run && exec /usr/lib/ipsec/charon';
    daemon.process = netns.spawn(node, ['sh', '-c', line], { STRONGSWAN_CONF: join(daemon.directory, 'strongswan.conf') });
    try {
      await until('charon to open its vici socket', () => existsSync(join(daemon.directory, 'vici')));
      await daemon.swanctl('--load-all', '--file', join(daemon.directory, 'swanctl.conf'));
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${daemon.log()}`);
    }
    return daemon;
  }

  private write(options: StrongswanOptions): void {
    const { directory } = this;
    const file = (name: string, text: string): void => writeFileSync(join(directory, name), text);
    file(
      'strongswan.conf',
      `charon {
  load_modular = no
  load = ${options.libipsec ? `kernel-libipsec ${plugins} gcm ccm` : plugins}
  install_routes = no
  ${options.settings ?? ''}
  filelog {
    test {
      path = ${directory}/charon.log
      default = 1
      ike = 2
      flush_line = yes
    }
  }
  plugins {
    vici {
      socket = unix://${directory}/vici
    }
  }
}
swanctl {
  load = pem pkcs1 pkcs8 x509 pubkey openssl random
}
`,
    );
    file('swanctl.conf', `connections {\n${options.connections}\n}\nsecrets {\n${options.secrets}\n}\n`);
    for (const [name, text] of Object.entries(options.files ?? {})) {
      mkdirSync(join(directory, name, '..'), { recursive: true });
      file(name, text);
    }
  }

  /** @throws Error when swanctl fails */
  swanctl(...words: string[]): Promise<string> {
    return runChecked(this.command(words), this.environment());
  }

  /** As swanctl, whatever its status. */
  try(...words: string[]): Promise<Output> {
    return run(this.command(words), this.environment());
  }

  /** Its IKE SAs as `swanctl --list-sas` prints them. */
  sas(): Promise<string> {
    return this.swanctl('--list-sas');
  }

  log(): string {
    return existsSync(join(this.directory, 'charon.log')) ? readFileSync(join(this.directory, 'charon.log'), 'utf8') : '(no log)';
  }

  /** @throws Error with the end of its log */
  async logs(pattern: RegExp): Promise<void> {
    try {
      await until(`charon to log ${pattern}`, () => pattern.test(this.log()));
    } catch (error) {
      throw new Error(`${(error as Error).message}; it logged:\n${this.log().slice(-4000)}`);
    }
  }

  /** As a crash: it says farewell to nobody. */
  async kill(): Promise<void> {
    await this.process?.stop('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.process?.stop();
    this.undo();
  }

  private command(words: string[]): string[] {
    return [
      'ip',
      'netns',
      'exec',
      this.netns.of(this.node),
      'timeout',
      '30',
      'swanctl',
      ...words,
      '--uri',
      `unix://${this.directory}/vici`,
    ];
  }

  private environment(): Record<string, string> {
    return { STRONGSWAN_CONF: join(this.directory, 'strongswan.conf'), SWANCTL_DIR: this.directory };
  }
}
