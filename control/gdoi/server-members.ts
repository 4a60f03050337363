// The members that a key server knows of one group, by address: whom pushes go to, what they acknowledged, whom to give up.

import type { Endpoint, Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { ServerMemberStatus } from './status.js';

/** GET VPN: a member that left three rekeys in a row unanswered is removed. */
const MaxMissed = 3;

/** Plain data: part of the saved state. */
export interface ServerMember extends ServerMemberStatus {
  local: Endpoint;
  remote: Endpoint;
  consecutiveMissed: number;
  /** RFC 8263 §6: until its first acknowledgement a member may simply not know how. */
  everAcknowledged: boolean;
}

function lastFour(list: readonly number[], sequence: number): number[] {
  return [sequence, ...list].slice(0, 4);
}

export class ServerMembers {
  private readonly members: Map<Ipv4, ServerMember>;

  constructor(saved: readonly ServerMember[] = []) {
    this.members = new Map(saved.map((member) => [member.address, member]));
  }

  get size(): number {
    return this.members.size;
  }

  /** In order of registration. */
  list(): ServerMember[] {
    return [...this.members.values()];
  }

  find(address: Ipv4): ServerMember | null {
    return this.members.get(address) ?? null;
  }

  has(address: Ipv4): boolean {
    return this.members.has(address);
  }

  /** A registration, first or repeated: its counts go on, what it missed is forgiven. */
  register(local: Endpoint, remote: Endpoint, version: string, now: Ms): ServerMember {
    const known = this.members.get(remote.address);
    const fresh = { rekeysSent: 0, rekeyRetries: 0, rekeyAcksReceived: 0, rekeyAcksMissed: 0, sentSequences: [], receivedSequences: [] };
    const member: ServerMember = {
      ...fresh,
      everAcknowledged: false,
      ...known,
      address: remote.address,
      version,
      state: 'Registered',
      registeredAt: now,
      local,
      remote,
      consecutiveMissed: 0,
    };
    this.members.set(remote.address, member);
    return member;
  }

  sent(address: Ipv4, sequence: number): void {
    const member = this.members.get(address);
    if (!member) return;
    member.rekeysSent++;
    member.sentSequences = lastFour(member.sentSequences, sequence);
  }

  repeated(address: Ipv4): void {
    const member = this.members.get(address);
    if (member) member.rekeyRetries++;
  }

  acknowledged(address: Ipv4, sequence: number): void {
    const member = this.members.get(address);
    if (!member) return;
    member.rekeyAcksReceived++;
    member.consecutiveMissed = 0;
    member.everAcknowledged = true;
    member.receivedSequences = lastFour(member.receivedSequences, sequence);
  }

  /** @returns true when the member was removed for it */
  missed(address: Ipv4): boolean {
    const member = this.members.get(address);
    if (!member) return false;
    member.rekeyAcksMissed++;
    member.consecutiveMissed++;
    return member.everAcknowledged && member.consecutiveMissed >= MaxMissed && this.members.delete(address);
  }

  clear(): void {
    this.members.clear();
  }
}
