// The seam between the dataplane and the machine: batched packet I/O, wake-ups, AEAD/HMAC batches and a shared file mapping.
// Two implementations stand behind it: the C addon (build/groupwire.node) and, with GROUPWIRE_NATIVE=0, its twin on node:fs and
// node:crypto. One test suite runs over both. Nothing here knows IP, ESP padding, replay or policy: those are stages.
//
// Arrays may be views over a SharedArrayBuffer. Every call checks its arguments against the arrays' lengths before it touches
// a byte and throws RangeError/TypeError when they do not fit (a bug of the caller); what a peer sent never throws.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EspAuth, EspCipher } from '../tables/layout.js';
import { makeTwin } from './twin.js';

/**
 * One crypto job, Int32 words. At `Offset` in the pool lies
 *
 *     SPI(4) | SEQ(4) | IV (8 or 16, 0 for NULL) | text (TextLen) | ICV
 *
 * so a job covers 8 + IvLen + TextLen + IcvLen bytes, the lengths following from the SA's cipher and auth.
 */
export const enum Job {
  /** SA slot, 0..Cap.Sas-1. */
  Slot = 0,
  /** Of the ESP header, bytes from the start of the pool. */
  Offset = 1,
  /** Bytes of plaintext including the ESP trailer = bytes of ciphertext. */
  TextLen = 2,
  /** Out: JobStatus. */
  Status = 3,
  /** 1 + the upper half of an extended sequence number, which goes into the ICV (RFC 4303 §2.2.1); 0 = the number has 32 bits. */
  Extended = 4,
  Words = 5,
}
export const enum JobStatus {
  Ok = 0,
  /** The ICV is wrong; the text was not released: it is ciphertext (HMAC) or zeroes (GCM). */
  Integrity = 1,
  /** No SA in the slot, text not a whole number of blocks, or the library failed. The job's bytes must not be sent. */
  Error = 2,
}

export const enum NativeCap {
  /** The largest `count` of poll(). */
  PollFds = 64,
  /** The largest `count` of rx() and tx(). */
  Batch = 512,
}

/** Words of a bound call: what it is told, and what it answers. Each call reads those that it needs. */
export const enum BoundWord {
  Fd = 0,
  Count = 1,
  /** Bytes of a slot of rx(), milliseconds of poll(). */
  Limit = 2,
  /** Out. */
  Result = 3,
  Words = 4,
}

/** A call whose arrays never change: what it is told stands in its {@link BoundWord} words. Throws as the call that it stands for. */
export type BoundCall = () => void;

/**
 * rx(), tx(), seal(), open() and poll() with their arrays looked up once (native/bind.c). The arrays' memory must not be transferred. poll() also
 * leaves the time in `now`, the words of one Float64: monotonicMs() as it returns.
 */
export interface BoundCalls {
  rx(pool: Uint8Array, offsets: Int32Array, lengths: Int32Array, words: Int32Array): BoundCall;
  tx(pool: Uint8Array, offsets: Int32Array, lengths: Int32Array, results: Int32Array, words: Int32Array): BoundCall;
  seal(pool: Uint8Array, jobs: Int32Array, words: Int32Array): BoundCall;
  open(pool: Uint8Array, jobs: Int32Array, words: Int32Array): BoundCall;
  poll(fds: Int32Array, ready: Int32Array, now: Int32Array, words: Int32Array): BoundCall;
}

/** Is this errno of tx() a device that is full (EAGAIN, ENOBUFS on Linux), rather than a refusal? */
export function isFull(errno: number): boolean {
  return errno === 11 || errno === 105;
}

/** Bytes before a datagram that an Ethernet link needs. */
export const EthernetHeaderLen = 14;

/**
 * The worker that everything from one IPv4 source belongs to: sequence numbers, replay windows. The socket filters and the steering
 * program compute the same (Knuth's multiplicative hash, upper half). @param source signed or unsigned @returns 0..workers-1
 */
export function ownerOf(source: number, workers: number): number {
  return (Math.imul(source, 0x9e3779b1) >>> 16) % workers;
}

/** Intel's multi-buffer library where the build has it and the CPU has AES-NI, PCLMULQDQ and AVX (native/mb.c), else OpenSSL. */
export type AesLibrary = 'ipsec-mb' | 'openssl';

export interface Native {
  /** Which implementation this is. */
  readonly kind: 'addon' | 'twin';
  /** Whose AES it uses, where that library has the mode. */
  readonly aes: AesLibrary;
  /** For calls that come with every pass, where the implementation has them: use bind.ts. */
  readonly bound?: BoundCalls;
  /**
   * Opens (creates) a TUN device: IFF_TUN | IFF_NO_PI | IFF_VNET_HDR [| IFF_MULTI_QUEUE], nonblocking, close-on-exec. The device is down
   * and has no address; it vanishes when its last descriptor is closed. @param name 1..15 bytes @param queues true: may be opened once
   * per worker, each time one more queue, in the order of the workers @param offloads true: the kernel hands over superpackets and
   * packets without checksum (TUNSETOFFLOAD CSUM, TSO4, TSO6, USO4, USO6 where it has it), which rx() cuts and completes, and tx() coalesces
   * @returns file descriptor, valid in every thread of the process. Throws Error with `code` = errno name and what to do.
   */
  tunOpen(name: string, queues: boolean, offloads: boolean): number;
  /**
   * Lets a multi-queue TUN put each packet into the queue of its owner ({@link ownerOf} of the IPv4 source). @param fd any queue of it
   * @param workers how many queues there are. Throws Error with `code` when the kernel refuses (the twin: always ENOTSUP): then the
   * kernel's own spreading stays and the pipeline hands over what came to the wrong worker.
   */
  tunSteer(fd: number, workers: number): void;
  /** Whether tx() of a TUN joins equal UDP datagrams of a flow to superpackets: with offloads, and a kernel that has USO (Linux 6.2). */
  joinsUdp(fd: number): boolean;
  /**
   * A raw IPv4 socket (IPPROTO_ESP, IP_HDRINCL), bound to a netdev: receives the ESP that the kernel delivers locally, whole and
   * reassembled, and sends IPv4 datagrams with any source. @param mark SO_MARK of what is sent, so that a policy rule can route it
   * @param worker takes only the share of this one of @param workers (by {@link ownerOf} of the source, as a socket filter).
   * Throws Error with `code`; the twin always with ENOTSUP, as the two below.
   */
  rawOpen(device: string, mark: number, worker: number, workers: number): number;
  /**
   * The sending half of rawOpen alone, for any IPv4 datagram: nothing is received, it is not to be polled. Parameters and errors as there.
   */
  rawSender(device: string, mark: number): number;
  /**
   * AF_PACKET with PACKET_VNET_HDR on an Ethernet netdev. Receives IPv4 frames sent to this host's MAC address, TTL > 1, without VLAN tag, whose
   * destination is not among the first `ownCount` of `own` (signed addresses) nor multicast or broadcast; only the share of `worker`.
   * The kernel sees them too: the caller has it drop them. `rx` and `tx` are superpacket-aware, as a TUN with offloads, when `offloads`.
   */
  packetOpen(device: string, own: Int32Array, ownCount: number, worker: number, workers: number, offloads: boolean): number;
  /** Gives a packet descriptor another list of own addresses, without losing a packet. Parameters as in packetOpen. */
  packetFilter(fd: number, own: Int32Array, ownCount: number, worker: number, workers: number): void;
  /**
   * A packet socket for multicast: receives IPv4 frames to the first `count` of `groups` (signed addresses, 1..16), TTL > 1, without VLAN tag, only
   * the share of `worker`, and lets the netdev take them. Sends as packetOpen's. Throws Error with `code`.
   */
  groupOpen(device: string, groups: Int32Array, count: number, worker: number, workers: number): number;
  /**
   * AF_XDP in copy mode on one receive queue of an Ethernet netdev, with a program that redirects IPv4 ESP, also in UDP to port 4500 (whole datagrams, no
   * VLAN tag), and passes the rest to the kernel: native mode, else generic. The program goes when its last descriptor is closed. Several queues of a
   * netdev share one program: open queue 0 first. Throws Error with `code`.
   */
  xdpOpen(device: string, queue: number): number;
  /**
   * A further descriptor for an xdp link, for the tx() of another thread: rx() on it reads nothing, and it is not to be polled, because it is
   * ready when the link is. Each of the two may be closed first. @param fd what xdpOpen returned. Throws RangeError when it is no xdp link
   */
  xdpSender(fd: number): number;
  /**
   * A raw IPv4 socket to ask the network with, blocking (a read ends with EAGAIN after 100 ms), read with node:fs. ICMP (1): datagrams with their IPv4
   * header, echo replies and errors alone, of all that comes to this host. UDP (17): nothing is received. @param source signed, an address of
   * this host, 0 = the kernel chooses @param dontFragment sets DF; without, the kernel cuts to the MTU of its interface.
   * Throws Error with `code`; the twin always with ENOTSUP, as the next.
   */
  probeOpen(protocol: number, source: number, tos: number, dontFragment: boolean): number;
  /** Sends by it what stands behind an IPv4 header, 8..65515 bytes. @param destination signed @returns 0 = sent, else errno */
  probeSend(fd: number, destination: number, ttl: number, bytes: Uint8Array): number;
  /** Closes what an open call returned. No thread may be using it any more. Throws Error with `code`. */
  fdClose(fd: number): void;
  /** A descriptor that makes another thread's poll() return. */
  wakeOpen(): number;
  wakeSignal(fd: number): void;
  /** Swallows all signals so far. Called by the thread that polls. */
  wakeClear(fd: number): void;
  /**
   * Blocks until one of the descriptors is readable or broken. @param timeoutMs -1 = for ever
   * @param ready out: 1 per descriptor that is ready, else 0 @returns how many are ready; 0 on timeout or on a signal.
   * A descriptor is polled and read by one thread only.
   */
  poll(fds: Int32Array, count: number, timeoutMs: number, ready: Int32Array): number;
  /**
   * Reads up to `count` IPv4 datagrams, datagram i to pool[offsets[i]..]. Superpackets are cut to their segments, checksums that the sender
   * left to its device are completed: what arrives is what a wire would carry. A superpacket that does not fit into the remaining offsets
   * goes on with the next call (poll() then reports the descriptor as ready). Ethernet headers are taken off.
   * @param maxLength bytes that each slot has room for @param lengths out: bytes; a longer datagram is cut and its length reported as maxLength + 1
   * @returns how many were read, perhaps fewer than wait (poll() tells), 0 = none waiting, -1 = the device is gone.
   */
  rx(fd: number, pool: Uint8Array, offsets: Int32Array, lengths: Int32Array, count: number, maxLength: number): number;
  /**
   * Writes `count` IPv4 datagrams. With offloads, neighbouring segments of a TCP stream and equal UDP datagrams of a flow leave as one
   * superpacket when the receiver can cut it to exactly these datagrams again (checksums are verified first); the order within a flow
   * stays. packet and xdp: the EthernetHeaderLen bytes before each datagram are its Ethernet header, written by the caller, and the slot
   * has room for them. The datagrams' bytes may be changed. @param results out: 0 = sent, else errno (EAGAIN, ENOBUFS: the device is full)
   * @returns how many were sent
   */
  tx(fd: number, pool: Uint8Array, offsets: Int32Array, lengths: Int32Array, count: number, results: Int32Array): number;
  /**
   * Keys one SA slot for both directions, in the calling thread only. @param keys one SaKey row (tables/layout.ts); it is copied into
   * the crypto contexts @param cipherKeyLen bytes without salt @param authKeyLen bytes. CBC without HMAC is possible (IOS has it),
   * NULL without HMAC and GCM with HMAC are not. Throws RangeError on a combination or key length that cannot be.
   */
  saSet(slot: number, cipher: EspCipher, auth: EspAuth, keys: Uint8Array, cipherKeyLen: number, authKeyLen: number): void;
  /** Wipes a slot. Nothing happens when it is empty. */
  saClear(slot: number): void;
  /**
   * Encrypts and authenticates in place. GCM (RFC 4106): the caller has written the 8-byte IV and answers for its uniqueness;
   * CBC (RFC 3602, RFC 2451): a random IV is written here. @param jobs `Job` rows of packets that do not overlap; Status is written for each.
   */
  seal(pool: Uint8Array, jobs: Int32Array, count: number): void;
  /** Verifies, then decrypts in place. @param jobs `Job` rows of packets that do not overlap; Status is written for each. */
  open(pool: Uint8Array, jobs: Int32Array, count: number): void;
  /**
   * Maps a file of mode 0600, created or extended with zeroes: memory that survives kill -9 of this process, not a reboot when
   * the file is in /run, and not a power failure. Each thread maps for itself; addon mappings of one file are one memory.
   * The twin has a private copy, read here and written back by mapFlush. Throws Error with `code`.
   */
  mapFile(path: string, bytes: number): ArrayBuffer;
  /** Makes what was written to the mapping survive the process from now on. Free of cost in the addon, a file write in the twin. */
  mapFlush(buffer: ArrayBuffer): void;
  /** Asks for huge pages under a large array that is looked at all over: a hint, nothing to the twin. */
  adviseHuge(words: Int32Array): void;
  /** Milliseconds of CLOCK_MONOTONIC, with fraction. The same clock in every thread. */
  monotonicMs(): number;
}

/** The addon (GROUPWIRE_ADDON says which file), or the twin when GROUPWIRE_NATIVE=0. Call once per thread: SA slots belong to the thread. Throws Error when the addon is not built. */
export function loadNative(): Native {
  if (process.env.GROUPWIRE_NATIVE === '0') return makeTwin();
  const path = process.env.GROUPWIRE_ADDON ?? join(packageRoot(), 'build', 'groupwire.node');
  if (!existsSync(path)) throw new Error(`${path}: not found: run make build, or set GROUPWIRE_NATIVE=0 for the slower twin`);
  const {
    bindRx: rx,
    bindTx: tx,
    bindSeal: seal,
    bindOpen: open,
    bindPoll: poll,
    ...addon
  } = createRequire(import.meta.url)(path) as Addon;
  // A copy: properties that C has set stand in a hash table, which every call would look up; those of a literal have places that V8 compiles in.
  return { ...addon, bound: { rx, tx, seal, open, poll } };
}

/** As C registers it (addon.c). */
interface Addon extends Omit<Native, 'bound'> {
  bindRx: BoundCalls['rx'];
  bindTx: BoundCalls['tx'];
  bindSeal: BoundCalls['seal'];
  bindOpen: BoundCalls['open'];
  bindPoll: BoundCalls['poll'];
}

/** The sources and the compiled files lie at different depths below package.json. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('groupwire: package.json not found above dataplane/native');
    folder = parent;
  }
  return folder;
}
