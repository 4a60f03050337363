// Message 1 of either mode: who may begin, with which policy, and what is said to others. Nothing here is kept: a refused offer costs no state.

import type { Action, Datagram, Ms, RandomBytes } from '../actions.js';
import { AggressiveResponder, readInitiatorId } from './aggressive-mode.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { Exchange, type IsakmpHeader } from './header.js';
import type { IkeLog } from './ike-log.js';
import type { IkeConfiguration } from './ike-options.js';
import { buildClearNotification } from './informational.js';
import { chooseTransform, MainModeResponder, NoProposalChosen, type ResponderOptions } from './main-mode-responder.js';
import { newMessageId } from './message-cipher.js';
import { NotifyType } from './notification.js';

export interface OfferContext {
  configuration: IkeConfiguration;
  log: IkeLog;
  random: RandomBytes;
}

/** An offer that can be answered. */
export type OpenOffer = Omit<ResponderOptions, 'serial'>;

/** @returns the offer, or what is done instead of answering it @throws WireError when it is malformed, or aggressive where that is off */
export function openOffer(context: OfferContext, datagram: Datagram, header: IsakmpHeader, now: Ms): OpenOffer | Action[] {
  const { configuration, log, random } = context;
  const { credentials, settings, policies: all } = configuration;
  const { local, remote, bytes } = datagram;
  const aggressive = header.exchange === Exchange.Aggressive;
  if (aggressive && !settings.aggressiveMode) {
    throw new ExchangeRefusal('RFC 2409 §5', 'Aggressive Mode is disabled', 'ike_unexpected', 5, 'IKMP_AG_MODE_DISABLED');
  }
  const id = aggressive ? readInitiatorId(header, bytes) : null;
  const policies = credentials.usable(all, remote.address, id);
  if (policies.length === 0) return log.unusable(all, remote, now);
  try {
    const choice = chooseTransform(header, bytes, policies);
    const authenticator = credentials.authenticator(choice.policy.authentication, remote.address, id);
    if (!authenticator) return log.unusable(all, remote, now);
    const abilities = { natTraversal: settings.natTraversal, deadPeerDetection: true };
    return { local, remote, choice, authenticator, random, abilities };
  } catch (error) {
    if (!(error instanceof NoProposalChosen)) throw error;
    // An answer would tell a stranger that there is such an identity.
    if (aggressive) return log.refused(error, remote, now);
    const notification = buildClearNotification(header, newMessageId(random), error.doi, NotifyType.NoProposalChosen);
    return [...log.refused(error, remote, now), { kind: 'send', datagram: { local, remote, bytes: notification } }];
  }
}

/** @throws WireError from its answer(), when message 1 of aggressive mode cannot be used */
export function makeResponder(offer: OpenOffer, serial: number, now: Ms): MainModeResponder {
  const aggressive = offer.choice.header.exchange === Exchange.Aggressive;
  return aggressive ? new AggressiveResponder({ ...offer, serial }, now) : new MainModeResponder({ ...offer, serial }, now);
}
