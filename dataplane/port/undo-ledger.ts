// What this instance changed on the machine and how it was before, in a file of the run directory: written before the change, so that
// a process that starts after kill -9 still knows the original values. Rules and routes are not in it: they carry our protocol
// number. Does not: survive a reboot (/run), after which there is nothing to undo.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const shape = z.object({
  /** Path below /proc/sys -> value before us. */
  sysctls: z.record(z.string(), z.string()),
  /** Addresses that we added, `ADDRESS/LENGTH dev DEVICE`. */
  addresses: z.array(z.string()),
  /** Netdevs whose administrative state we changed -> whether they were up. */
  wasUp: z.record(z.string(), z.boolean()),
});
type Content = z.infer<typeof shape>;

export class UndoLedger {
  private constructor(
    private readonly path: string,
    private readonly content: Content,
    /** Why an earlier ledger could not be used; null when there was none or it is fine. */
    readonly problem: string | null,
  ) {}

  /** Takes over what an earlier process left. */
  static open(path: string): UndoLedger {
    const empty: Content = { sysctls: {}, addresses: [], wasUp: {} };
    if (!existsSync(path)) return new UndoLedger(path, empty, null);
    try {
      return new UndoLedger(path, shape.parse(JSON.parse(readFileSync(path, 'utf8'))), null);
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
    return Object.entries(this.content.sysctls);
  }
  get links(): [string, boolean][] {
    return Object.entries(this.content.wasUp);
  }

  /** The first value noted is the original one. */
  noteSysctl(path: string, original: string): void {
    if (Object.hasOwn(this.content.sysctls, path)) return;
    this.content.sysctls[path] = original;
    this.save();
  }

  noteLink(device: string, wasUp: boolean): void {
    if (Object.hasOwn(this.content.wasUp, device)) return;
    this.content.wasUp[device] = wasUp;
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
    delete this.content.wasUp[device];
    this.save();
  }

  /** Everything is as it was: nothing to undo any more. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  private save(): void {
    writeFileSync(`${this.path}.new`, JSON.stringify(this.content), { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
  }
}
