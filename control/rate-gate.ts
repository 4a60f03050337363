// At most so many in any second: a sliding window over the last ones let through, so that no second holds more, wherever it begins. One
// address gets a share only. Pure: the clock is injected.

import type { Ms } from './actions.js';
import type { Ipv4 } from './config/model.js';

const WindowMs = 1000;
/** An address may have an eighth of the rate: who floods from one place leaves the rest to the others. */
const Share = 8;

export class RateGate {
  /** Times and addresses of those let through in the last second, oldest first, from `first` on. */
  private readonly passed: { at: Ms; address: Ipv4 }[] = [];
  private first = 0;
  private readonly perAddress = new Map<Ipv4, number>();

  /** @param perSecond in all, at least 1 */
  constructor(public perSecond: number) {}

  /** @returns false when the second is full, or the address has had its share */
  take(address: Ipv4, now: Ms): boolean {
    this.forgetOld(now);
    const own = this.perAddress.get(address) ?? 0;
    if (this.passed.length - this.first >= this.perSecond || own >= Math.max(1, Math.ceil(this.perSecond / Share))) return false;
    this.passed.push({ at: now, address });
    this.perAddress.set(address, own + 1);
    return true;
  }

  private forgetOld(now: Ms): void {
    const { passed, perAddress } = this;
    // A clock that was set back must not close the gate until it has caught up.
    while (this.first < passed.length && (passed[this.first].at <= now - WindowMs || passed[this.first].at > now)) {
      const { address } = passed[this.first++];
      const left = (perAddress.get(address) as number) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    }
    if (this.first < this.perSecond && this.first < passed.length) return;
    passed.splice(0, this.first);
    this.first = 0;
  }
}
