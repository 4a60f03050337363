// UDP sockets of IKE and GDOI, one per local address and port, so that every datagram's local end is known and answers leave
// from the address that was asked (RFC 2408 §5.1). Addresses appear when the dataplane has configured them: binding is retried.

import { createSocket, type Socket } from 'node:dgram';
import type { Datagram, Endpoint } from './actions.js';
import { formatIpv4, parseIpv4 } from './config/addresses.js';
import type { Ipv4 } from './config/model.js';

const RetryMs = 100;
/** As unicast datagrams have it. */
const MulticastTtl = 64;

interface Bound {
  end: Endpoint;
  socket: Socket;
  listening: boolean;
}

function keyOf({ address, port }: Endpoint): string {
  return `${formatIpv4(address)}:${port}`;
}

export class UdpSockets {
  private readonly sockets = new Map<string, Bound>();
  private wanted = new Map<string, Endpoint>();
  /** What has been reported and not come right since. */
  private readonly failing = new Set<string>();
  private timer: NodeJS.Timeout | null = null;

  /**
   * @param onDatagram called for every datagram
   * @param onBound called when one more address is bound
   * @param onError called once per failing address and port, with the reason
   */
  constructor(
    private readonly onDatagram: (datagram: Datagram) => void,
    private readonly onBound: () => void,
    private readonly onError: (end: Endpoint, reason: string) => void,
  ) {}

  /** Makes the set of bound ends equal to addresses x ports; what cannot be bound is tried again at once and then every 100 ms. */
  listen(addresses: Iterable<Ipv4>, ports: readonly number[]): void {
    const ends = [...addresses].flatMap((address) => ports.map((port) => ({ address, port })));
    this.wanted = new Map(ends.map((end) => [keyOf(end), end]));
    for (const [key, { socket }] of this.sockets) {
      if (this.wanted.has(key)) continue;
      socket.close();
      this.sockets.delete(key);
    }
    this.bindMissing();
  }

  /** Addresses on which `port` is wanted but not bound yet. */
  missing(port: number): string[] {
    return [...this.wanted]
      .filter(([key, end]) => end.port === port && !this.sockets.get(key)?.listening)
      .map(([, { address }]) => formatIpv4(address));
  }

  /** @returns false when no socket is bound to the datagram's local address and port */
  send(datagram: Datagram): boolean {
    const bound = this.sockets.get(keyOf(datagram.local));
    if (!bound?.listening) return false;
    // A destination that cannot be reached is the engines' business: they retransmit.
    bound.socket.send(datagram.bytes, datagram.remote.port, formatIpv4(datagram.remote.address), () => undefined);
    return true;
  }

  close(): void {
    this.listen([], []);
    if (this.timer) clearTimeout(this.timer);
  }

  private bindMissing(): void {
    for (const [key, end] of this.wanted) if (!this.sockets.has(key)) this.bind(key, end);
  }

  private bind(key: string, end: Endpoint): void {
    const bound: Bound = { end, socket: createSocket('udp4'), listening: false };
    const { socket } = bound;
    this.sockets.set(key, bound);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      this.sockets.delete(key);
      // An address that is not there yet is the dataplane's to bring.
      if (error.code !== 'EADDRNOTAVAIL' && !this.failing.has(key)) this.onError(end, error.message);
      if (error.code !== 'EADDRNOTAVAIL') this.failing.add(key);
      this.retryLater();
    });
    socket.on('listening', () => {
      bound.listening = true;
      this.failing.delete(key);
      // Multicast rekeys leave by the interface of this address and cross the WAN; nothing of them comes back to us.
      socket.setMulticastInterface(formatIpv4(end.address));
      socket.setMulticastTTL(MulticastTtl);
      socket.setMulticastLoopback(false);
      this.onBound();
    });
    socket.on('message', (bytes, from) => {
      const remote = parseIpv4(from.address);
      if (remote !== null) this.onDatagram({ local: end, remote: { address: remote, port: from.port }, bytes: new Uint8Array(bytes) });
    });
    socket.bind({ address: formatIpv4(end.address), port: end.port, exclusive: true });
  }

  private retryLater(): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.bindMissing();
    }, RetryMs);
  }
}
