// Who uses phase 1: GDOI, and IPsec's Quick Mode. The engine calls these; what they return is carried out in order, after the engine's own actions.

import type { Action, Datagram, Endpoint, Ms } from '../actions.js';
import type { IsakmpHeader } from './header.js';
import type { Deletion, Notification } from './notification.js';
import type { Phase1Sa } from './phase1-sa.js';

export interface IkeUser {
  /** Main mode is complete, in either role. */
  phase1Up(sa: Phase1Sa, now: Ms): Action[];
  /** An exchange that we initiated came to nothing. Called once per exchange; the engine has logged it. */
  phase1Failed(remote: Endpoint, reason: string, now: Ms): Action[];
  /** An SA that was up is gone: expired, idle, deleted by the peer or by deleteSa(). Called once per SA, after it left sas(). */
  phase1Deleted(sa: Phase1Sa, now: Ms): Action[];
  /** GROUPKEY-PULL or Quick Mode (exchange 32 both) under an SA that is up; encrypted, not opened, not authenticated. Cut to the header's length. */
  pullMessage(sa: Phase1Sa, message: Uint8Array, header: IsakmpHeader, now: Ms): Action[];
  /** GROUPKEY-PUSH (33) or PUSH-ACK (35): no phase-1 SA is involved. `bytes` is cut to the header's length. */
  pushMessage(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[];
  /** A notification that the peer proved (HASH(1) verified). @param whole with protocol and SPI */
  notification(sa: Phase1Sa, type: number, data: Uint8Array, now: Ms, whole: Notification): Action[];
  /** The peer, proved, has deleted SAs of another protocol than ISAKMP. Absent: there are none. */
  deletion?(sa: Phase1Sa, deletion: Deletion, now: Ms): Action[];
  /** The peer does not answer R-U-THERE; phase1Deleted() follows. */
  peerDead?(sa: Phase1Sa, now: Ms): Action[];
}
