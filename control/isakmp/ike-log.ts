// What the engine says about phase 1, in IOS's mnemonics and at a limited rate, each with its counter. Holds no contents of messages.

import type { Action, Endpoint, Ms, Severity } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import type { IsakmpPolicy } from '../config/model.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { LogLimit } from './log-limit.js';

import type { WireError } from './wire-error.js';

export class IkeLog {
  private readonly limit = new LogLimit();

  /** Main mode came to nothing. */
  failed(remote: Endpoint, reason: string, now: Ms): Action[] {
    const text = `Processing of Main Mode failed with peer at ${formatIpv4(remote.address)}: ${reason}`;
    return this.counted('ike_main_mode_failed', 6, 'IKMP_MODE_FAILURE', text, now);
  }

  /** There is no policy under which we could prove ourselves to this peer. */
  unusable(policies: readonly IsakmpPolicy[], remote: Endpoint, now: Ms): Action[] {
    const peer = formatIpv4(remote.address);
    if (policies.some(({ authentication }) => authentication === 'pre-share')) {
      return this.counted('ike_no_key', 4, 'IKMP_NO_PRESHARED_KEY', `Pre-shared key for remote peer at ${peer} is missing`, now);
    }
    const text = `No certificate to prove this router to ${peer}: enroll a trustpoint`;
    return this.counted('ike_no_key', 4, 'IKMP_NO_CERTIFICATE', text, now);
  }

  dead(remote: Endpoint, now: Ms): Action[] {
    const text = `Crypto session is DOWN. Peer ${formatIpv4(remote.address)}:${remote.port} does not answer R-U-THERE`;
    return this.counted('ike_dpd_dead', 5, 'SESSION_STATUS', text, now);
  }

  tooManyHalfOpen(remote: Endpoint, now: Ms): Action[] {
    const text = `Too many half-open exchanges: offer of ${formatIpv4(remote.address)} ignored`;
    return this.counted('ike_half_open_limited', 4, 'IKMP_HALF_OPEN_LIMIT', text, now);
  }

  overRate(remote: Endpoint, now: Ms): Action[] {
    const text = `Key exchange of ${formatIpv4(remote.address)} put off: more per second than the configured rate`;
    return this.counted('ike_rate_limited', 4, 'IKMP_ADMISSION_RATE', text, now);
  }

  /** @param name of the notification */
  unprotected(remote: Endpoint, name: string, now: Ms): Action[] {
    const text = `Unprotected notification ${name} from ${formatIpv4(remote.address)} is not acted upon`;
    return this.counted('ike_unprotected_notifications', 5, 'IKMP_NOTIFY_UNPROTECTED', text, now);
  }

  /** A message that was refused: counted always, logged unless it was merely late or repeated. */
  refused(error: WireError, remote: Endpoint, now: Ms): Action[] {
    const from = `IKE message from ${formatIpv4(remote.address)}`;
    const reason = `${error.message} (${error.clause})`;
    if (error instanceof ExchangeRefusal) return this.counted(error.counter, error.severity, error.mnemonic, `${from}: ${reason}`, now);
    if (error.counter === 'ike_unexpected') return [{ kind: 'count', counter: error.counter, reason: error.message }];
    return this.counted(error.counter, 4, 'IKMP_BAD_MESSAGE', `${from} failed its sanity check or is malformed: ${reason}`, now);
  }

  private counted(counter: string, severity: Severity, mnemonic: string, text: string, now: Ms): Action[] {
    return [{ kind: 'count', counter }, ...this.limit.log(severity, mnemonic, text, now)];
  }
}
