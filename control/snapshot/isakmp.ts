// `show crypto isakmp sa [detail]` and `show crypto call admission statistics`: phase 1, and the KEKs of groups, which IOS lists as SAs too.

import type { Ms } from '../actions.js';
import type { IsakmpSaState, Snapshot } from '../api/snapshot.js';
import { rekeyConnectionId } from '../api/snapshot-isakmp.js';
import { formatIpv4 } from '../config/addresses.js';
import { type Config, DefaultRegistrationRate } from '../config/model.js';
import { describeIdentity } from '../gdoi/authorization.js';
import type { MemberStatus } from '../gdoi/status.js';
import { defaultBounds } from '../isakmp/half-open.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { GdoiPort } from '../isakmp/ports.js';
import { Doi } from '../isakmp/sa-payload.js';

function since(time: Ms, now: Ms): number {
  return Math.max(0, Math.round((now - time) / 1000));
}

/** IOS prints the responder as dst. */
export function phase1State(sa: Phase1Sa, now: Ms): IsakmpSaState {
  const [local, remote] = [formatIpv4(sa.local.address), formatIpv4(sa.remote.address)];
  const up = sa.state === 'GDOI_IDLE';
  // Before message 2 an initiator's policy is only the first that it offered.
  const agreed = up || !sa.state.endsWith('_NO_STATE');
  const { encryption, hash, authentication, group } = sa.policy;
  const translated = sa.translation.local || sa.translation.remote;
  return {
    destination: sa.initiator ? remote : local,
    source: sa.initiator ? local : remote,
    // IOS names the idle SA of the IPsec DOI after quick mode.
    state: up && sa.doi === Doi.Ipsec ? 'QM_IDLE' : sa.state,
    connectionId: sa.connectionId,
    status: 'ACTIVE',
    local,
    localPort: sa.local.port,
    remote,
    remotePort: sa.remote.port,
    suite: agreed ? { encryption, hash, authentication, group } : null,
    ageSeconds: up ? since(sa.establishedAt, now) : null,
    remainingSeconds: up ? since(now, sa.expiresAt) : null,
    capabilities: `${sa.abilities.deadPeerDetection ? 'D' : ''}${translated ? 'N' : ''}`,
    phase1Id: up ? describeIdentity(sa.peerId) : null,
    ...(sa.profile !== undefined && { profile: sa.profile }),
  };
}

/** The KEK of a member's group. */
export function rekeySaStates(groups: readonly MemberStatus[], now: Ms): IsakmpSaState[] {
  return groups.flatMap(({ kek, localAddress, transport }) => {
    if (!kek || localAddress === null) return [];
    const local = formatIpv4(localAddress);
    const source = formatIpv4(kek.source);
    return [
      {
        destination: transport === 'multicast' ? formatIpv4(kek.destination) : local,
        source,
        state: 'GDOI_REKEY',
        connectionId: rekeyConnectionId(kek.spi),
        status: 'ACTIVE',
        local,
        localPort: GdoiPort,
        remote: source,
        remotePort: GdoiPort,
        suite: { encryption: kek.cipher, hash: kek.signatureHash, authentication: 'rsa-sig', group: 0 },
        ageSeconds: since(kek.createdAt, now),
        remainingSeconds: since(now, kek.expiresAt),
        capabilities: '',
        phase1Id: null,
      },
    ];
  });
}

export function admissionStateOf(config: Config): Snapshot['admission'] {
  return {
    ratePerSecond: config.registrationRate ?? DefaultRegistrationRate,
    mostNegotiating: defaultBounds.total,
    mostNegotiatingPerAddress: defaultBounds.perAddress,
  };
}
