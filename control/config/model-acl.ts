// Access lists and object groups in the configuration's model.

import type { Ipv4 } from './model.js';

export interface AccessList {
  line: number;
  name: string;
  kind: 'standard' | 'extended';
  entries: AclEntry[];
  /** `remark`: comments in front of the entry with the same or the next higher sequence; absent when there is none. */
  remarks?: { line: number; sequence: number; text: string }[];
}

export interface PortMatch {
  operator: 'eq' | 'neq' | 'gt' | 'lt' | 'range';
  /** `eq` and `neq`: one to ten numbers, `range`: two, else one. */
  ports: number[];
}

/** In the order in which they are printed. */
export const tcpFlags = ['ack', 'fin', 'psh', 'rst', 'syn', 'urg'] as const;
export type TcpFlag = (typeof tcpFlags)[number];

/** `match-all +syn -ack`; bare flags (`syn ack`) are any of them, as on IOS. Each list in the order of {@link tcpFlags}. */
export interface TcpFlagMatch {
  mode: 'any' | 'all';
  set: TcpFlag[];
  clear: TcpFlag[];
}

/** `code` null = any. */
export interface IcmpMatch {
  type: number;
  code: number | null;
}

/** One line. What is optional is there only when the line says it. */
export interface AclEntry {
  line: number;
  sequence: number;
  action: 'permit' | 'deny';
  /** IP protocol number, null = ip (any). */
  protocol: number | null;
  source: Ipv4;
  /** Set bits are not compared. */
  sourceWildcard: Ipv4;
  destination: Ipv4;
  destinationWildcard: Ipv4;
  sourcePort: PortMatch | null;
  destinationPort: PortMatch | null;
  /** Object groups, by name: in place of protocol and ports, of the source, of the destination (which are as for `ip any any` then). */
  serviceGroup?: string;
  sourceGroup?: string;
  destinationGroup?: string;
  icmp?: IcmpMatch;
  established?: true;
  flags?: TcpFlagMatch;
  /** 0..63, 0..7, 0..15. */
  dscp?: number;
  precedence?: number;
  tos?: number;
  fragments?: true;
  log?: 'log' | 'log-input';
}

/** A reference to another group of the same kind. */
interface GroupMember {
  line: number;
  kind: 'group';
  name: string;
}

export type NetworkMember =
  | GroupMember
  /** `host A`, `A MASK`, `any`. */
  | { line: number; kind: 'network'; address: Ipv4; wildcard: Ipv4 }
  | { line: number; kind: 'range'; first: Ipv4; last: Ipv4 };

/** What a service asks of a packet: protocol null = ip. */
export interface Service {
  protocol: number | 'tcp-udp' | null;
  sourcePort: PortMatch | null;
  destinationPort: PortMatch | null;
  icmp: IcmpMatch | null;
}
export type ServiceMember = GroupMember | ({ line: number; kind: 'service' } & Service);

interface Group<Kind, Member> {
  line: number;
  name: string;
  kind: Kind;
  description: string | null;
  members: Member[];
}
export type NetworkGroup = Group<'network', NetworkMember>;
export type ServiceGroup = Group<'service', ServiceMember>;
export type ObjectGroup = NetworkGroup | ServiceGroup;
