// What a snapshot says of each configured interface.

import type { TunnelState } from './tunnel.js';

export interface TunnelStatus {
  state: TunnelState;
  /** Of the outer header; null = unknown now. */
  source: string | null;
  /** Netdev by which outer packets leave now. */
  device: string | null;
  /** How often recursive routing has taken it down. */
  recursions: number;
}

export interface InterfaceStatus {
  port: number;
  name: string;
  device: string | null;
  /** What is in use, which may be less than what was asked for. */
  driver: string;
  offloads: boolean;
  /** RxModeration.microsecondsOf(). */
  moderationUs: number | null;
  up: boolean;
  mtu: number;
  mac: string;
  addresses: string[];
  tunnel?: TunnelStatus;
}
