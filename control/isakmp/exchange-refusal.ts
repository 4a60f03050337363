// Refusals of messages that fit no exchange, or that an operator should read under their own name.

import type { Severity } from '../actions.js';
import { WireError } from './wire-error.js';

/** A refusal that an operator should read under its own IOS mnemonic instead of IKMP_BAD_MESSAGE. */
export class ExchangeRefusal extends WireError {
  constructor(
    clause: string,
    message: string,
    counter: string,
    readonly severity: Severity,
    readonly mnemonic: string,
  ) {
    super(clause, message, counter);
  }
}

/** A message that does not fit the state: late, early or repeated. Counted, not logged. */
export function outOfState(message: string): WireError {
  return new WireError('RFC 2408 §5.1', message, 'ike_unexpected');
}

export function notEncrypted(): ExchangeRefusal {
  return new ExchangeRefusal('RFC 6407 §3.2', "was not encrypted and it should've been", 'ike_unexpected', 6, 'IKMP_NOT_ENCRYPTED');
}
