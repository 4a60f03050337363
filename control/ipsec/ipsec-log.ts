// What is said about Quick Mode and its SAs, in IOS's mnemonics and at a limited rate. No contents of messages but traffic selectors.

import type { Action, Endpoint, Ms } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import type { Ipv4 } from '../config/model.js';
import { LogLimit } from '../isakmp/log-limit.js';

export class IpsecLog {
  private readonly limit = new LogLimit();

  failed(peer: Ipv4, reason: string, now: Ms): Action[] {
    const text = `Processing of Quick mode failed with peer at ${formatIpv4(peer)}: ${reason}`;
    return this.limit.log(6, 'IKMP_MODE_FAILURE', text, now);
  }

  /** The first pair with a peer is there, or the last is gone. */
  session(state: 'UP' | 'DOWN', { address, port }: Endpoint): Action[] {
    const text = `Crypto session is ${state}.  Peer ${formatIpv4(address)}:${port}`;
    return [{ kind: 'log', facility: 'CRYPTO', severity: 5, mnemonic: 'SESSION_STATUS', text }];
  }
}
