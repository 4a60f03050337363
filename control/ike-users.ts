// The users of phase 1 of one router: GDOI, and Quick Mode of site-to-site IPsec. Which of them an SA is for: GDOI's are those of port 848 and
// those with DOI 2 (RFC 6407 §2); of the others those with a peer of a crypto map. Exchange 32 is Quick Mode under the ones and GROUPKEY-PULL under the others.

import type { Action, Datagram, Endpoint, Ms } from './actions.js';
import type { IpsecEngine } from './ipsec/ipsec-engine.js';
import type { IsakmpHeader } from './isakmp/header.js';
import type { IkeUser } from './isakmp/ike-user.js';
import type { Deletion, Notification } from './isakmp/notification.js';
import type { Phase1Sa } from './isakmp/phase1-sa.js';
import type { ServerWatch } from './server-watch.js';

export class IkeUsers implements IkeUser {
  constructor(
    private readonly gdoi: IkeUser,
    private readonly ipsec: IpsecEngine,
    private readonly watch: Pick<ServerWatch, 'failed'>,
  ) {}

  phase1Up(sa: Phase1Sa, now: Ms): Action[] {
    return this.userOf(sa).phase1Up(sa, now);
  }

  phase1Failed(remote: Endpoint, reason: string, now: Ms): Action[] {
    this.watch.failed(remote.address, reason, now);
    return [...this.gdoi.phase1Failed(remote, reason, now), ...this.ipsec.phase1Failed(remote, reason, now)];
  }

  phase1Deleted(sa: Phase1Sa, now: Ms): Action[] {
    return [...this.gdoi.phase1Deleted(sa, now), ...this.ipsec.phase1Deleted(sa, now)];
  }

  pullMessage(sa: Phase1Sa, message: Uint8Array, header: IsakmpHeader, now: Ms): Action[] {
    return this.userOf(sa).pullMessage(sa, message, header, now);
  }

  pushMessage(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[] {
    return this.gdoi.pushMessage(datagram, header, now);
  }

  notification(sa: Phase1Sa, type: number, data: Uint8Array, now: Ms, whole: Notification): Action[] {
    return this.userOf(sa).notification(sa, type, data, now, whole);
  }

  deletion(sa: Phase1Sa, deletion: Deletion, now: Ms): Action[] {
    return this.ipsec.deletion(sa, deletion, now);
  }

  peerDead(sa: Phase1Sa, now: Ms): Action[] {
    return this.ipsec.owns(sa) ? this.ipsec.peerDead(sa, now) : [];
  }

  private userOf(sa: Phase1Sa): IkeUser {
    return this.ipsec.owns(sa) ? this.ipsec : this.gdoi;
  }
}
