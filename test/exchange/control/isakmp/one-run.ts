// One run of main mode under a fault, and what is wrong with its outcome.

import type { IsakmpPolicy } from '../../../../control/config/model.js';
import { agreed, type Fault, memberAndServer, type Peer, policy } from './two-engines.js';

export interface Outcome {
  member: Peer;
  server: Peer;
  sent: number;
}

export function runWith(fault: Fault, form: IsakmpPolicy = policy()): Outcome {
  const { member, server, network } = memberAndServer({ policies: [form] }, { policies: [form] });
  network.fault = fault;
  network.initiate(member, server);
  network.run(120_000);
  return { member, server, sent: network.sent.length };
}

/** @returns what is wrong with the outcome, or null */
export function complaint({ member, server }: Outcome): string | null {
  if (member.up.length + member.failures.length !== 1) return `user told ${member.up.length} x up and ${member.failures.length} x failed`;
  if (server.up.length > 1) return 'the server came up twice';
  if (member.up.length === 1 && !agreed(member, server)) return 'the member is up with keys that the server does not have';
  if (member.failures.length === 1 && member.logs.length === 0) return 'failed without a log';
  if (member.up.length === 0 && member.engine.sas().length > 0) return 'a rest of the failed exchange';
  if (server.up.length === 0 && server.engine.sas().length > 0) return 'a half-open exchange stays for ever';
  return null;
}

export const onTime: Fault = ({ bytes }) => [{ delay: 1, bytes }];
/** Only the n-th datagram of the run, from 0. */
export const withNth =
  (n: number, change: Fault): Fault =>
  (datagram, i) =>
    i === n ? change(datagram, i) : onTime(datagram, i);
