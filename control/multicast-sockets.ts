// Sockets for multicast rekeys: one per group address, a member of the group on the interface of the registration. The kernel speaks IGMP
// (RFC 3376). Joining fails while the interface is down or without its address: it is tried again.

import { createSocket, type Socket } from 'node:dgram';
import type { Datagram } from './actions.js';
import { formatIpv4, isMulticast, parseIpv4 } from './config/addresses.js';
import type { Ipv4 } from './config/model.js';
import type { GdoiEngine } from './gdoi/gdoi-engine.js';

const RetryMs = 1000;

export interface Membership {
  group: Ipv4;
  /** Of the interface that joins. */
  local: Ipv4;
}

interface Joined {
  socket: Socket;
  bound: boolean;
  /** Addresses of interfaces that have joined. */
  locals: Set<string>;
}

export class MulticastSockets {
  private readonly groups = new Map<string, Joined>();
  private wanted = new Map<string, Set<string>>();
  private timer: NodeJS.Timeout | null = null;
  private readonly failures = new Map<string, string>();

  /**
   * @param port 848
   * @param onDatagram its local end is the group's address
   * @param onError called when joining fails, with the reason: once, until it has another one or succeeds
   */
  constructor(
    private readonly port: number,
    private readonly onDatagram: (datagram: Datagram) => void,
    private readonly report: (group: string, local: string, reason: string) => void,
  ) {}

  /** Makes the memberships equal to these. */
  set(memberships: readonly Membership[]): void {
    this.wanted = new Map();
    for (const { group, local } of memberships) {
      const name = formatIpv4(group);
      const locals = this.wanted.get(name) ?? new Set();
      this.wanted.set(name, locals.add(formatIpv4(local)));
    }
    for (const [group, { socket }] of this.groups) {
      if (this.wanted.has(group)) continue;
      socket.close(); // leaves the group
      this.groups.delete(group);
    }
    for (const group of this.wanted.keys()) {
      const joined = this.groups.get(group);
      if (!joined) this.open(group);
      else if (joined.bound) this.join(group, joined);
    }
  }

  /** @returns `239.1.1.1 on 172.16.1.2` for each that is wanted and not there */
  missing(): string[] {
    return [...this.wanted].flatMap(([group, locals]) =>
      [...locals].filter((local) => !this.groups.get(group)?.locals.has(local)).map((local) => `${group} on ${local}`),
    );
  }

  close(): void {
    this.set([]);
    if (this.timer) clearTimeout(this.timer);
  }

  private open(group: string): void {
    const address = parseIpv4(group) as Ipv4;
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const joined: Joined = { socket, bound: false, locals: new Set() };
    this.groups.set(group, joined);
    socket.on('error', (error) => {
      socket.close();
      if (this.groups.get(group) === joined) this.groups.delete(group);
      this.failed(group, '', error.message);
      this.retryLater();
    });
    socket.on('listening', () => {
      joined.bound = true;
      this.join(group, joined);
    });
    socket.on('message', (bytes, from) => {
      const remote = parseIpv4(from.address);
      const local = { address, port: this.port };
      if (remote !== null) this.onDatagram({ local, remote: { address: remote, port: from.port }, bytes: new Uint8Array(bytes) });
    });
    // Bound to the group, so that nothing else arrives here.
    socket.bind({ address: group, port: this.port });
  }

  private join(group: string, joined: Joined): void {
    const wanted = this.wanted.get(group) ?? new Set();
    for (const local of joined.locals) {
      if (wanted.has(local)) continue;
      this.attempt(group, local, () => joined.socket.dropMembership(group, local));
      joined.locals.delete(local);
    }
    for (const local of wanted) {
      if (joined.locals.has(local)) continue;
      if (this.attempt(group, local, () => joined.socket.addMembership(group, local))) joined.locals.add(local);
      else this.retryLater();
    }
  }

  private attempt(group: string, local: string, act: () => void): boolean {
    try {
      act();
      this.failures.delete(`${group} ${local}`);
      return true;
    } catch (error) {
      this.failed(group, local, (error as Error).message);
      return false;
    }
  }

  private failed(group: string, local: string, reason: string): void {
    const key = `${group} ${local}`;
    if (this.failures.get(key) === reason) return;
    this.failures.set(key, reason);
    this.report(group, local, reason);
  }

  private retryLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.set([...this.wanted].flatMap(([group, locals]) => [...locals].map((local) => membership(group, local))));
    }, RetryMs).unref();
  }
}

function membership(group: string, local: string): Membership {
  return { group: parseIpv4(group) as Ipv4, local: parseIpv4(local) as Ipv4 };
}

/** Multicast groups of the KEKs that a router has, on the interfaces that it registered from. */
export function membershipsOf(gdoi: GdoiEngine): Membership[] {
  return gdoi.memberGroups().flatMap(({ kek, localAddress }) => {
    const joins = kek !== null && localAddress !== null && isMulticast(kek.destination);
    return joins ? [{ group: kek.destination, local: localAddress }] : [];
  });
}
