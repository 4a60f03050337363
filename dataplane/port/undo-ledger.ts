// What this instance changed on the machine and how it was before, in a file of the run directory: written before the change, so that
// a process that starts after kill -9 still knows the original values. Rules and routes are not in it: they carry our protocol
// number. Does not: survive a reboot (/run), after which there is nothing to undo.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFlag, readList, readRecord, readText, refuse } from './shape.js';

interface Content {
  /** Path below /proc/sys -> value before us. */
  sysctls: Map<string, string>;
  /** Addresses that we added, `ADDRESS/LENGTH dev DEVICE`. */
  addresses: string[];
  /** Netdevs whose administrative state we changed -> whether they were up. */
  wasUp: Map<string, boolean>;
}

const MaxEntries = 4096;
// What is written back to /proc/sys and handed to ip, as root: nothing but what this file can have put there.
const sysctlPattern = /^net\/ipv4\/[A-Za-z0-9_@./-]{1,80}$/;
const addressPattern = /^[0-9.]{7,15}\/[0-9]{1,2} dev [^\s/]{1,15}$/;

function readContent(text: string): Content {
  const root = readRecord(JSON.parse(text), 'ledger');
  const sysctls = Object.entries(readRecord(root.sysctls, 'sysctls')).map(([path, value]): [string, string] => {
    if (!sysctlPattern.test(path) || path.includes('..')) refuse(`${path}: not one of our settings`);
    return [path, readText(value, path, 32)];
  });
  const addresses = readList(root.addresses, 'addresses', MaxEntries, (value, what) => {
    const address = readText(value, what, 64);
    return addressPattern.test(address) ? address : refuse(`${what}: not an address`);
  });
  const wasUp = Object.entries(readRecord(root.wasUp, 'wasUp')).map(([device, up]): [string, boolean] => {
    return /^[^\s/]{1,15}$/.test(device) ? [device, readFlag(up, device)] : refuse(`${device}: no netdev`);
  });
  return { sysctls: new Map(sysctls), addresses, wasUp: new Map(wasUp) };
}

export class UndoLedger {
  private constructor(
    private readonly path: string,
    private readonly content: Content,
    /** Why an earlier ledger could not be used; null when there was none or it is fine. */
    readonly problem: string | null,
  ) {}

  /** Takes over what an earlier process left. */
  static open(path: string): UndoLedger {
    const empty: Content = { sysctls: new Map(), addresses: [], wasUp: new Map() };
    if (!existsSync(path)) return new UndoLedger(path, empty, null);
    try {
      return new UndoLedger(path, readContent(readFileSync(path, 'utf8')), null);
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      return new UndoLedger(
        path,
        empty,
        `${path}: ${reason}: the values before the last run are unknown, what is set now counts as original`,
      );
    }
  }

  get addresses(): readonly string[] {
    return this.content.addresses;
  }
  get sysctls(): [string, string][] {
    return [...this.content.sysctls];
  }
  get links(): [string, boolean][] {
    return [...this.content.wasUp];
  }

  /** The first value noted is the original one. */
  noteSysctl(path: string, original: string): void {
    if (this.content.sysctls.has(path)) return;
    this.content.sysctls.set(path, original);
    this.save();
  }

  noteLink(device: string, wasUp: boolean): void {
    if (this.content.wasUp.has(device)) return;
    this.content.wasUp.set(device, wasUp);
    this.save();
  }

  noteAddresses(added: readonly string[]): void {
    const fresh = added.filter((address) => !this.content.addresses.includes(address));
    if (fresh.length === 0) return;
    this.content.addresses.push(...fresh);
    this.save();
  }

  forgetAddress(address: string): void {
    this.content.addresses = this.content.addresses.filter((known) => known !== address);
    this.save();
  }

  forgetLink(device: string): void {
    this.content.wasUp.delete(device);
    this.save();
  }

  /** Everything is as it was: nothing to undo any more. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  private save(): void {
    const { sysctls, addresses, wasUp } = this.content;
    writeFileSync(
      `${this.path}.new`,
      JSON.stringify({ sysctls: Object.fromEntries(sysctls), addresses, wasUp: Object.fromEntries(wasUp) }),
      { mode: 0o600 },
    );
    renameSync(`${this.path}.new`, this.path);
  }
}
