// What the status page is told, once a second, as JSON: types only, because the browser's code imports them too. Nothing here can hold a
// key, a configuration or a log line.

/** `unknown`: nothing was heard yet. */
export type Health = 'good' | 'warn' | 'bad' | 'unknown';

/** A router in the drawing. */
export interface PageNode {
  name: string;
  address: string;
  health: Health;
  /** One or two words: what is seen besides the colour. */
  state: string;
  /** The router whose page it is. */
  isSelf: boolean;
}

/** A group, as one of its routers sees it. */
export interface PageGroup {
  name: string;
  identity: string;
  role: 'member' | 'key server';
  servers: PageNode[];
  members: PageNode[];
  /** How many there are: `members` may hold fewer. */
  memberCount: number;
}

export interface PageSa {
  kind: 'TEK' | 'KEK' | 'IKE' | 'ESP in' | 'ESP out';
  /** Group or peer. */
  with: string;
  /** In hexadecimal; empty: it has none. */
  spi: string;
  transform: string;
  remainingSeconds: number;
  /** null = not known. */
  lifetimeSeconds: number | null;
}

/** Counters since the dataplane started: the page takes differences. */
export interface PageInterface {
  name: string;
  up: boolean;
  /** It carries a crypto map: shown first. */
  isProtected: boolean;
  receivedPackets: number;
  receivedBytes: number;
  sentPackets: number;
  sentBytes: number;
}

/** A class of a service-policy whose packets wait in a queue of their own. */
export interface PageQueue {
  name: string;
  packets: number;
  tailDrops: number;
}

export interface PageState {
  /** Unix ms. */
  takenAt: number;
  hostname: string;
  instance: string;
  version: string;
  uptimeSeconds: number;
  dataplaneUp: boolean;
  groups: PageGroup[];
  sas: PageSa[];
  saCount: number;
  interfaces: PageInterface[];
  /** Of all groups. */
  sealedPackets: number;
  openedPackets: number;
  /** Reasons with packets, most first. */
  drops: { reason: string; help: string; packets: number }[];
  droppedPackets: number;
  queuedPackets: number;
  queues: PageQueue[];
  natSessions: number;
}
