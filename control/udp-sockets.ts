// UDP sockets of IKE and GDOI, one per local address and port, so that every datagram's local end is known and answers leave
// from the address that was asked (RFC 2408 §5.1). Addresses appear when the dataplane has configured them: binding is retried.

import { createSocket, type Socket } from 'node:dgram';
import type { Datagram } from './actions.js';
import { formatIpv4, parseIpv4 } from './config/addresses.js';
import type { Ipv4 } from './config/model.js';

const RetryMs = 100;
/** As unicast datagrams have it. */
const MulticastTtl = 64;

export class UdpSockets {
  private readonly sockets = new Map<string, Socket>();
  private readonly bound = new Set<string>();
  private wanted = new Set<string>();
  private timer: NodeJS.Timeout | null = null;

  /**
   * @param port 848 for GDOI (RFC 6407 §2.2)
   * @param onDatagram called for every datagram
   * @param onBound called when one more address is bound
   * @param onError called once per failing address, with the reason
   */
  constructor(
    private readonly port: number,
    private readonly onDatagram: (datagram: Datagram) => void,
    private readonly onBound: () => void,
    private readonly onError: (address: string, reason: string) => void,
  ) {}

  /** Makes the set of bound addresses equal to `addresses`; what cannot be bound is tried again at once and then every 100 ms. */
  listen(addresses: Iterable<Ipv4>): void {
    this.wanted = new Set([...addresses].map(formatIpv4));
    for (const [address, socket] of this.sockets) {
      if (this.wanted.has(address)) continue;
      socket.close();
      this.forget(address);
    }
    for (const address of this.wanted) if (!this.sockets.has(address)) this.bind(address);
  }

  /** Addresses that are wanted but not bound yet. */
  missing(): string[] {
    return [...this.wanted].filter((address) => !this.bound.has(address));
  }

  /** @returns false when no socket is bound to the datagram's local address */
  send(datagram: Datagram): boolean {
    const address = formatIpv4(datagram.local.address);
    const socket = this.sockets.get(address);
    if (!socket || !this.bound.has(address)) return false;
    // A destination that cannot be reached is the engines' business: they retransmit.
    socket.send(datagram.bytes, datagram.remote.port, formatIpv4(datagram.remote.address), () => undefined);
    return true;
  }

  close(): void {
    this.listen([]);
    if (this.timer) clearTimeout(this.timer);
  }

  private bind(address: string): void {
    const local = { address: parseIpv4(address) as Ipv4, port: this.port };
    const socket = createSocket('udp4');
    this.sockets.set(address, socket);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      this.forget(address);
      if (error.code !== 'EADDRNOTAVAIL') this.onError(address, error.message);
      this.retryLater();
    });
    socket.on('listening', () => {
      this.bound.add(address);
      // Multicast rekeys leave by the interface of this address and cross the WAN; nothing of them comes back to us.
      socket.setMulticastInterface(address);
      socket.setMulticastTTL(MulticastTtl);
      socket.setMulticastLoopback(false);
      this.onBound();
    });
    socket.on('message', (bytes, from) => {
      const remote = parseIpv4(from.address);
      if (remote !== null) this.onDatagram({ local, remote: { address: remote, port: from.port }, bytes: new Uint8Array(bytes) });
    });
    socket.bind({ address, port: this.port, exclusive: true });
  }

  private forget(address: string): void {
    this.sockets.delete(address);
    this.bound.delete(address);
  }

  private retryLater(): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      for (const address of this.wanted) if (!this.sockets.has(address)) this.bind(address);
    }, RetryMs);
  }
}
