// Which links a driver gives to which worker, and what happens when it cannot be had. The kernel's side of it: test/netns/driver-*.

import t from 'tap';
import { type Link, LinkKind } from '../../../../dataplane/mem/links.js';
import type { Native } from '../../../../dataplane/native/native.js';
import { filterPackets, type LinkRequest, loadProgram, openFastLinks, RawMark } from '../../../../dataplane/port/links.js';

type Calls = Pick<Native, 'rawOpen' | 'packetOpen' | 'packetFilter' | 'xdpOpen' | 'xdpSender' | 'fdClose'>;

/** Hands out descriptors and remembers which are open. */
class FakeNative implements Calls {
  readonly open = new Map<number, string>();
  readonly filtered: string[] = [];
  private next = 100;

  /** @param refused fails a call by its text */
  constructor(private readonly refused: RegExp = /^$/) {}

  private make(text: string): number {
    if (this.refused.test(text)) throw new Error(`${text}: refused`);
    this.open.set(this.next, text);
    return this.next++;
  }
  rawOpen(device: string, mark: number, worker: number, workers: number): number {
    return this.make(`raw ${device} ${mark === RawMark} ${worker}/${workers}`);
  }
  packetOpen(device: string, own: Int32Array, count: number, worker: number, workers: number, offloads: boolean): number {
    return this.make(`packet ${device} ${own.slice(0, count).join()} ${worker}/${workers} ${offloads}`);
  }
  packetFilter(fd: number, own: Int32Array, count: number, worker: number, workers: number): void {
    this.filtered.push(`${fd} ${own.slice(0, count).join()} ${worker}/${workers}`);
  }
  xdpOpen(device: string, queue: number): number {
    return this.make(`xdp ${device} ${queue}`);
  }
  xdpSender(fd: number): number {
    return this.make(`sender of ${this.open.get(fd)}`);
  }
  fdClose(fd: number): void {
    if (!this.open.delete(fd)) throw new Error(`${fd} is not open`);
  }
}

t.test('a program whose check a signal interrupted is loaded again, a refusal is one', (t) => {
  let calls = 0;
  const fail = (code: string) => {
    calls++;
    throw Object.assign(new Error(code), { code });
  };
  t.equal(
    loadProgram(() => (calls < 3 ? fail('EAGAIN') : 7)),
    7,
  );
  t.equal(calls, 3);
  t.throws(() => loadProgram(() => fail('EPERM')), /EPERM/);
  t.equal(calls, 4, 'at once');
  t.throws(() => loadProgram(() => fail('EAGAIN')), /EAGAIN/);
  t.equal(calls, 9, 'five times at the most');
  t.end();
});

const request: LinkRequest = { device: 'lo', ethernet: true, driver: 'tun', offloads: true, workers: 2, own: [0x0a000001, 0xc0a80001] };
const nothing = async (): Promise<void> => undefined;

async function openWith(fake: FakeNative, more: Partial<LinkRequest>, complete: (driver: string) => Promise<void> = nothing) {
  const { driver, byWorker, reasons } = await openFastLinks(fake as unknown as Native, { ...request, ...more }, complete);
  const texts = byWorker.map((links: Link[]) => links.map(({ fd, kind }) => `${kind} ${fake.open.get(fd)}`));
  t.equal(fake.open.size, byWorker.flat().length, 'what is not handed out is closed');
  return { driver, texts, reasons };
}

t.test('what a worker gets', async (t) => {
  t.same(await openWith(new FakeNative(), {}), { driver: 'tun', texts: [[], []], reasons: [] });
  t.same(await openWith(new FakeNative(), { driver: 'raw' }), {
    driver: 'raw',
    texts: [[`${LinkKind.Raw} raw lo true 0/2`], [`${LinkKind.Raw} raw lo true 1/2`]],
    reasons: [],
  });
  const own = `${0x0a000001},${0xc0a80001 | 0}`;
  t.same((await openWith(new FakeNative(), { driver: 'packet', offloads: false })).texts, [
    [`${LinkKind.Packet} packet lo ${own} 0/2 false`],
    [`${LinkKind.Packet} packet lo ${own} 1/2 false`],
  ]);
  // lo has one receive queue: the other workers send by it.
  const sender = [`${LinkKind.XdpSender} sender of xdp lo 0`];
  t.same((await openWith(new FakeNative(), { driver: 'xdp', workers: 3 })).texts, [[`${LinkKind.Xdp} xdp lo 0`], sender, sender]);
});

t.test('what takes its place', async (t) => {
  const noXdp = await openWith(new FakeNative(/^xdp/), { driver: 'xdp' });
  t.equal(noXdp.driver, 'raw');
  t.same(noXdp.reasons, ['xdp: xdp lo 0: refused']);
  t.equal((await openWith(new FakeNative(/^sender/), { driver: 'xdp' })).driver, 'raw', 'no half of a driver');
  const nothingFast = await openWith(new FakeNative(/^xdp|^raw .* 1\/2/), { driver: 'xdp' });
  t.equal(nothingFast.driver, 'tun', 'one worker without its link is a driver that cannot be had');
  t.equal(nothingFast.reasons.length, 2);
  const noEthernet = await openWith(new FakeNative(), { driver: 'packet', ethernet: false });
  t.match(noEthernet, { driver: 'tun', reasons: [/lo is no Ethernet device/] });
  t.equal((await openWith(new FakeNative(), { driver: 'xdp', ethernet: false })).driver, 'raw');
  const crowded = await openWith(new FakeNative(), { driver: 'packet', own: Array.from({ length: 65 }, (_, i) => i) });
  t.match(crowded, { driver: 'tun', reasons: [/65 addresses/] });
  t.equal((await openWith(new FakeNative(), { driver: 'packet', own: Array.from({ length: 64 }, (_, i) => i) })).driver, 'packet');
  const noNft = await openWith(new FakeNative(), { driver: 'packet' }, async () => {
    throw new Error('nft: not found');
  });
  t.match(noNft, { driver: 'tun', reasons: [/packet: nft: not found/] });
});

t.test('another list of own addresses', async (t) => {
  const fake = new FakeNative();
  const links = [
    [
      { fd: 1, kind: LinkKind.Tun },
      { fd: 2, kind: LinkKind.Packet },
    ],
    [{ fd: 3, kind: LinkKind.Packet }],
  ];
  filterPackets(fake as unknown as Native, links, [7, 0xffffffff]);
  t.same(fake.filtered, ['2 7,-1 0/2', '3 7,-1 1/2'], 'only packet sockets have one');
});
