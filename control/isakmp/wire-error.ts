// The one error that reading bytes from the network may throw (STYLE "Errors": a typed reject with its RFC clause, counted,
// logged at a limited rate). Its text names fields and lengths, never contents: what was decrypted must not reach a log.

export class WireError extends Error {
  /**
   * @param clause the clause that the message breaks, e.g. `RFC 2408 §3.1`
   * @param message what is wrong, without contents
   * @param counter the control counter that counts it (counters.ts here, or that of the caller)
   */
  constructor(
    readonly clause: string,
    message: string,
    readonly counter: string = 'ike_malformed',
  ) {
    super(message);
    this.name = 'WireError';
  }
}
