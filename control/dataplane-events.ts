// What the packet path saw that only control can judge: logged in IOS's words, counted, and acted upon.

import type { DataplaneEvent } from '../dataplane/tables/message.js';
import type { Ms } from './actions.js';
import type { CounterSet } from './api/counters.js';
import { formatIpv4 } from './config/addresses.js';
import type { SystemLog } from './log.js';
import type { Router } from './router.js';

type EventOf<Kind extends DataplaneEvent['kind']> = Extract<DataplaneEvent, { kind: Kind }>;

export class DataplaneEvents {
  constructor(
    private readonly router: Router,
    private readonly log: SystemLog,
    private readonly counters: CounterSet,
  ) {}

  receive(event: DataplaneEvent, now: Ms): void {
    const { router, log } = this;
    if (event.kind === 'invalid-spi') this.invalidSpi(event, now);
    else if (event.kind === 'no-sa') {
      const flow = router.tables?.flows.get(event.flow);
      if (flow) router.perform(router.ipsec.demand(flow.policy, flow.selector, now), now);
    } else if (event.kind === 'replay') {
      const text = `decrypt: replay check failed ${event.count} times, last from ${formatIpv4(event.src)} to ${formatIpv4(event.dst)}`;
      log.write('CRYPTO', 4, 'PKT_REPLAY_ERR', text);
    } else if (event.kind === 'replay-time') {
      const groups = router.gdoi.memberGroups().map(({ name }) => ({ name, teks: router.gdoi.policyOf(name).teks }));
      const text = router.clocks.note(event, groups, now);
      if (text !== null) log.write('GDOI', 4, 'TIMEBASED_REPLAY_FAILED', text);
    } else if (event.kind === 'sa-exhausted') this.exhausted(event, now);
    else if (event.kind === 'interface') {
      const text = `Line protocol on Interface ${router.interfaceOf(event.port) ?? event.port}, changed state to ${event.up ? 'up' : 'down'}`;
      log.write('LINEPROTO', 5, 'UPDOWN', text);
    } else if (event.kind === 'tunnel' && event.state === 'recursive') {
      log.write('TUN', 5, 'RECURDOWN', `${router.interfaceOf(event.port)} temporarily disabled due to recursive routing`);
    }
  }

  private invalidSpi({ spi, src, dst }: EventOf<'invalid-spi'>, now: Ms): void {
    const { router, log } = this;
    this.counters.add('invalid_spi');
    const name = `0x${spi.toString(16).toUpperCase()}`;
    const text = `rec'd IPSEC packet has invalid spi for destaddr=${formatIpv4(dst)}, prot=50, spi=${name}, srcaddr=${formatIpv4(src)}`;
    log.write('CRYPTO', 4, 'RECVD_PKT_INV_SPI', text);
    router.gdoi.invalidSpi(spi, src, dst, now);
    router.perform(router.ipsec.invalidSpi(spi, src, dst, now), now);
  }

  private exhausted({ spi, space }: EventOf<'sa-exhausted'>, now: Ms): void {
    const { router, log } = this;
    const used = `${space} space of spi 0x${spi.toString(16).toUpperCase()} is used up`;
    const group = router.gdoi.memberGroups().find(({ name }) => router.gdoi.policyOf(name).teks.some((tek) => tek.spi === spi));
    const next = group ? 'registering again' : 'a new SA takes its place';
    log.write('CRYPTO', 4, 'SA_EXHAUSTED', `${used}: ${next}`);
    router.perform(group ? router.gdoi.renewSenderIds(group.name, now) : router.ipsec.exhausted(spi, now), now);
  }
}
