// The open links of one worker: what rx reads in turn, and where tx sends what leaves by a port. Every port that is open has its TUN;
// beside it may stand links of its driver. Changed between passes only.

import { Cap } from '../tables/layout.js';

/** What a link is; native.ts says how each is read and written. */
export const enum LinkKind {
  /** Every port has its TUN: what the kernel routes to us, what is for the host, and what no faster link can take. */
  Tun = 0,
  /** Receives ESP, sends what was sealed. */
  Raw = 1,
  /** Ethernet: sends whatever has a known neighbour. */
  Packet = 2,
  /** Ethernet: receives ESP, in UDP too, sends whatever has a known neighbour. */
  Xdp = 3,
  /** The sending half of another worker's Xdp link, for a worker that has no receive queue. */
  XdpSender = 4,
  /** Ethernet: receives and sends multicast of the configured groups. */
  Groups = 5,
  /** Sends what policy routing has for one hop. */
  Policy = 6,
  /** The netdev of a tunnel: receives what the kernel and programs send through it, sends what came through it for this host. */
  Tunnel = 7,
}

export interface Link {
  fd: number;
  kind: LinkKind;
  /** Of a Policy link: number of its hop. */
  hop?: number;
  /** Of a TUN: see joinsUdp of native.ts. */
  joinsUdp?: boolean;
}

/** Links of one worker: poll() takes 64 descriptors, one of them is the wake-up. */
export const MaxLinks = 63;

export class Links {
  /** In the order of rx; `count` are in use. */
  readonly fd = new Int32Array(MaxLinks);
  readonly port = new Int32Array(MaxLinks);
  readonly kind = new Int32Array(MaxLinks);
  /** 1 where rx has a look; the worker writes here what poll() said. Nobody polls: all are read in turn. */
  readonly ready = new Uint8Array(MaxLinks).fill(1);
  count = 0;
  /** Descriptor of each port's TUN, -1 = the port is closed. */
  readonly tun = new Int32Array(Cap.Ports).fill(-1);
  /** 1 where the port's TUN joins UDP datagrams to superpackets. */
  readonly joinsUdp = new Uint8Array(Cap.Ports);
  /** The link that tx prefers, and what it is; -1 = the TUN has to do. */
  readonly fast = new Int32Array(Cap.Ports).fill(-1);
  readonly fastKind = new Int32Array(Cap.Ports);
  /** The link for multicast, -1 = none. */
  readonly groups = new Int32Array(Cap.Ports).fill(-1);
  /** The link to each hop of policy routing, -1 = none, and the port that it is of. */
  readonly policy = new Int32Array(Cap.PolicyHops).fill(-1);
  readonly policyPort = new Int32Array(Cap.PolicyHops);
  /** 1 where the port is this worker's. */
  private readonly isOpen = new Uint8Array(Cap.Ports);
  /** 1 where a device was found gone; the worker tells the main thread. */
  readonly lost = new Uint8Array(Cap.Ports);

  /** @param links the TUN first */
  open(port: number, links: readonly Link[]): void {
    this.close(port);
    this.isOpen[port] = 1;
    for (const { fd, kind, hop, joinsUdp = false } of links) {
      if (kind === LinkKind.Policy && hop !== undefined) {
        this.policy[hop] = fd;
        this.policyPort[hop] = port;
        continue; // nothing to read
      }
      if (kind === LinkKind.Tun || kind === LinkKind.Tunnel) {
        this.tun[port] = fd;
        this.joinsUdp[port] = joinsUdp ? 1 : 0;
      } else if (kind === LinkKind.Groups) this.groups[port] = fd;
      else if (this.fast[port] < 0) {
        this.fast[port] = fd;
        this.fastKind[port] = kind;
      }
      if (kind === LinkKind.XdpSender) continue; // nothing to read
      if (this.count === MaxLinks) break; // its packets are read by nobody, which its counters show
      this.fd[this.count] = fd;
      this.port[this.count] = port;
      this.kind[this.count++] = kind;
    }
  }

  /** Forgets the links of a port; their descriptors are the main thread's to close. @returns false = it was not open */
  close(port: number): boolean {
    if (this.isOpen[port] === 0) return false;
    this.isOpen[port] = 0;
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.port[i] === port) continue;
      this.fd[kept] = this.fd[i];
      this.port[kept] = this.port[i];
      this.kind[kept++] = this.kind[i];
    }
    this.count = kept;
    this.tun[port] = -1;
    this.fast[port] = -1;
    this.groups[port] = -1;
    for (let hop = 0; hop < Cap.PolicyHops; hop++) if (this.policyPort[hop] === port) this.policy[hop] = -1;
    return true;
  }
}
