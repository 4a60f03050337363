// `debug crypto isakmp`, `debug crypto ipsec`: phase 1 and Quick Mode seen from outside, in the manner of IOS: states of SAs, pairs that come and go,
// counted events with their reasons, headers of messages. At a limited rate, and never a key: lines are made of headers, SPIs, addresses and lifetimes.
//
//   ISAKMP:(1001):Old State = IKE_R_MM4  New State = IKE_P1_COMPLETE
//   IPSEC(create_sa): sa created, (sa) sa_dest= 10.9.0.1, sa_proto= 50, sa_spi= 0x1234ABCD(305441741), sa_trans= esp-gcm 256, sa_lifetime(k/sec)= (4608000/3600)

import type { Datagram, Ms } from './actions.js';
import { transformText } from './compile/transforms.js';
import { formatIpv4 } from './config/addresses.js';
import type { CryptoDebugTopic } from './config/debug-commands.js';
import type { SaPair } from './ipsec/sa-pairs.js';
import { Exchange } from './isakmp/header.js';
import type { Phase1Sa } from './isakmp/phase1-sa.js';

/** Lines in one second: what is more is counted. */
const MostLines = 100;
const WindowMs = 1000;

const exchangeNames: Record<number, string> = {
  [Exchange.Main]: 'MM',
  [Exchange.Aggressive]: 'AG',
  [Exchange.Informational]: 'INFO',
  [Exchange.GroupkeyPull]: 'QM',
};
/** IOS's names of our states, as initiator and as responder. */
const stateNames: Record<Phase1Sa['state'], [initiator: string, responder: string]> = {
  MM_NO_STATE: ['IKE_I_MM1', 'IKE_R_MM1'],
  MM_SA_SETUP: ['IKE_I_MM3', 'IKE_R_MM2'],
  MM_KEY_EXCH: ['IKE_I_MM5', 'IKE_R_MM4'],
  AG_NO_STATE: ['IKE_I_AM1', 'IKE_R_AM1'],
  AG_INIT_EXCH: ['IKE_I_AM2', 'IKE_R_AM2'],
  GDOI_IDLE: ['IKE_P1_COMPLETE', 'IKE_P1_COMPLETE'],
};

function spiText(spi: number): string {
  return `0x${spi.toString(16).toUpperCase().padStart(8, '0')}(${spi})`;
}

function stateOf({ state, initiator }: Phase1Sa): string {
  return stateNames[state][initiator ? 0 : 1];
}

export class CryptoDebug {
  private readonly topics = new Set<CryptoDebugTopic>();
  /** As they were told last. */
  private states = new Map<Phase1Sa, string>();
  private pairs = new Map<SaPair, boolean>();
  private now: Ms = 0;
  private windowAt: Ms = 0;
  private written = 0;
  private left = 0;

  constructor(private readonly write: (text: string) => void) {}

  get active(): boolean {
    return this.topics.size > 0;
  }

  set(topic: CryptoDebugTopic, on: boolean): void {
    if (on) this.topics.add(topic);
    else this.topics.delete(topic);
    if (topic === 'isakmp') this.states = new Map();
    else this.pairs = new Map();
  }

  clear(): void {
    this.topics.clear();
  }

  describe(): string[] {
    return (['isakmp', 'ipsec'] as const).flatMap((topic) =>
      this.topics.has(topic) ? [`Crypto ${topic.toUpperCase()} debugging is on`] : [],
    );
  }

  /** Before anything of this moment. */
  begin(now: Ms): void {
    this.now = now;
  }

  /** After everything of this moment: what is different from before is told. */
  observe(sas: () => Iterable<Phase1Sa>, pairs: Iterable<SaPair>): void {
    if (this.topics.has('isakmp')) this.observeSas(new Set(sas()));
    if (this.topics.has('ipsec')) this.observePairs(new Set(pairs));
  }

  private observeSas(sas: ReadonlySet<Phase1Sa>): void {
    for (const sa of sas) {
      const [before, after] = [this.states.get(sa) ?? 'IKE_READY', stateOf(sa)];
      if (before === after) continue;
      this.states.set(sa, after);
      this.line(`ISAKMP:(${sa.connectionId}):Old State = ${before}  New State = ${after}`);
      if (sa.state !== 'GDOI_IDLE') continue;
      const profile = sa.profile === undefined ? '' : `, profile ${sa.profile}`;
      this.line(`ISAKMP:(${sa.connectionId}):SA has been authenticated with ${formatIpv4(sa.remote.address)}:${sa.remote.port}${profile}`);
    }
    for (const [sa, before] of this.states) {
      if (sas.has(sa)) continue;
      this.states.delete(sa);
      this.line(`ISAKMP:(${sa.connectionId}):Old State = ${before}  New State = IKE_DEST_SA`);
    }
  }

  private observePairs(pairs: ReadonlySet<SaPair>): void {
    for (const pair of pairs) {
      const before = this.pairs.get(pair);
      if (before === pair.established) continue;
      this.pairs.set(pair, pair.established);
      if (before === undefined) this.told(pair, 'IPSEC(create_sa): sa created');
      if (pair.established) this.line(`IPSEC(key_engine_enable_outbound): enable SA with spi ${pair.outboundSpi}/50`);
    }
    for (const pair of this.pairs.keys()) {
      if (pairs.has(pair)) continue;
      this.pairs.delete(pair);
      this.told(pair, 'IPSEC(delete_sa): deleting SA');
    }
  }

  /** Both SAs of a pair. */
  private told({ local, remote, inboundSpi, outboundSpi, suite, lifetimeSeconds, lifetimeKilobytes }: SaPair, what: string): void {
    const life = `sa_trans= ${transformText(suite.encryption, suite.authentication)}, sa_lifetime(k/sec)= (${lifetimeKilobytes ?? 'disabled'}/${lifetimeSeconds})`;
    for (const [{ address }, spi] of [
      [local, inboundSpi],
      [remote, outboundSpi],
    ] as const)
      this.line(`${what}, (sa) sa_dest= ${formatIpv4(address)}, sa_proto= 50, sa_spi= ${spiText(spi)}, ${life}`);
  }

  /** Of Quick Mode and phase 1, others are GDOI's. @param help text of the counter */
  counted(counter: string, help: string, reason: string | undefined): void {
    const text = `${help}${reason === undefined ? '' : `: ${reason}`}`;
    if (counter.startsWith('ike_') && this.topics.has('isakmp')) this.line(`ISAKMP: ${text}`);
    if (counter.startsWith('ipsec_') && this.topics.has('ipsec')) this.line(`IPSEC(key_engine): ${text}`);
  }

  /** @param datagram at least a header long */
  datagram(direction: 'sent' | 'received', { local, remote, bytes }: Datagram): void {
    if (!this.topics.has('isakmp')) return;
    const name = exchangeNames[bytes[18]] ?? `exchange ${bytes[18]}`;
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(20);
    const ends =
      direction === 'sent'
        ? `sending packet to ${formatIpv4(remote.address)} my_port ${local.port} peer_port ${remote.port}`
        : `received packet from ${formatIpv4(remote.address)} dport ${local.port} sport ${remote.port}`;
    this.line(`ISAKMP: ${ends} ${name}, ${bytes.length} bytes, message ID = ${id}`);
  }

  private line(text: string): void {
    if (this.now >= this.windowAt + WindowMs || this.now < this.windowAt) {
      this.windowAt = this.now;
      this.written = 0;
    }
    if (this.written >= MostLines) {
      this.left++;
      return;
    }
    if (this.left > 0) this.write(`${this.left} more lines not shown: the limit is ${MostLines} a second`);
    this.left = 0;
    this.written++;
    this.write(text);
  }
}
