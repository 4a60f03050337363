// What a member's group needs of the router around it.

import type { Action, Endpoint, Ms, RandomBytes } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import type { ReceivedPolicy } from './received-policy.js';

export interface MemberEnvironment {
  random: RandomBytes;
  /** @param registrationInterface IOS name, where the configuration says one */
  localAddressFor(remote: Ipv4, registrationInterface: string | undefined): Ipv4 | null;
  /** Starts phase 1, or takes one that has just come up. */
  connect(local: Endpoint, remote: Endpoint, now: Ms): { sa: Phase1Sa | null; actions: Action[] };
  deleteSa(sa: Phase1Sa, now: Ms): Action[];
  /** Whether another group of this router uses the SPI (bad-input 22). */
  spiTaken(spi: number, group: string): boolean;
  /** @returns the policy @throws WireError when another group that protects the same interface wants the same traffic */
  admit(policy: ReceivedPolicy, group: string): ReceivedPolicy;
  /** How many sender IDs the packet path can use. */
  senderIdsWanted(): number;
}
