// Life of a port's links: who closes what, and when.

import t from 'tap';
import type { Native } from '../../../../dataplane/native/native.js';
import type { IngressDrop } from '../../../../dataplane/port/ingress-drop.js';
import type { LinuxLink } from '../../../../dataplane/port/linux-state.js';
import { Ports } from '../../../../dataplane/port/ports.js';
import type { ToWorker } from '../../../../dataplane/port/worker-messages.js';
import type { WorkerSet } from '../../../../dataplane/port/worker-set.js';
import type { InterfaceRow } from '../../../../dataplane/tables/message.js';
import { plainInterface } from '../../../support/interface-row.js';

const row = plainInterface(1, 'GigabitEthernet0/1', { device: 'eth1', driver: 'raw' as const, driverChosen: true });
const link: LinuxLink = { name: 'eth1', index: 5, up: true, carrier: true, mtu: 1500, mac: '02:00:00:00:00:01', ethernet: true };

function setUp(kind: Native['kind'] = 'addon') {
  const open = new Set<number>();
  const sent: string[] = [];
  const told: string[] = [];
  const dropped: string[] = [];
  let next = 10;
  const make = (): number => {
    open.add(next);
    return next++;
  };
  const native: Partial<Native> = {
    kind,
    tunOpen: make,
    tunSteer: () => {
      throw new Error('no steering here');
    },
    joinsUdp: () => false,
    rawOpen: make,
    packetOpen: make,
    packetFilter: (fd, own, count) => told.push(`filter ${fd} ${own.slice(0, count).join()}`),
    fdClose: (fd) => {
      if (!open.delete(fd)) throw new Error(`${fd} is closed twice`);
    },
  };
  const workers = {
    count: 2,
    send: (worker: number, message: ToWorker) =>
      sent.push(`${worker} ${message.kind} ${'links' in message ? message.links.map(({ fd }) => fd).join() : ''}`.trim()),
  };
  const ingress = {
    set: async (devices: readonly string[], own: readonly number[]) => void dropped.push(`${devices.join()} ${own.join()}`),
    close: () => dropped.push('closed'),
  };
  const ports = new Ports(native as Native, () => workers as unknown as WorkerSet, ingress as unknown as IngressDrop, {
    lost: (port) => told.push(`lost ${port}`),
    degraded: (text, severity) => told.push(`${severity} ${text}`),
  });
  return { ports, open, sent, told, dropped };
}

t.test('opened, closed when every worker has let go', async (t) => {
  const { ports, open, sent, told } = setUp();
  await ports.open(row, link, []);
  await ports.open({ ...row, port: 2, device: 'eth2' }, link, []);
  t.same(sent.splice(0), ['0 port-open 10,12', '1 port-open 11,13', '0 port-open 14,16', '1 port-open 15,17'], 'the TUN first');
  t.equal(told.filter((text) => text.includes('no steering')).length, 1, 'said once');
  t.same(ports.list()[0], { port: 1, device: 'eth1', tun: 'gw-eth1', driver: 'raw' });
  t.equal(ports.find(1)?.offloads, true);
  const closed = ports.close(1).then(() => 'closed');
  t.same(sent, ['0 port-close', '1 port-close']);
  ports.release(1, 1);
  t.ok(open.has(10) && !open.has(11) && !open.has(13), 'only what the worker has let go');
  ports.release(1, 1);
  ports.release(0, 1);
  t.equal(await closed, 'closed');
  t.equal(ports.find(1), null);
  t.equal(open.size, 4, 'the other port stays');
  ports.release(0, 1);
  ports.closeAll();
  t.equal(open.size, 0);
});

t.test('one worker loses a link: all let go, then it is lost', async (t) => {
  const { ports, open, sent, told } = setUp();
  await ports.open(row, link, []);
  sent.length = 0;
  told.length = 0;
  ports.release(0, 1);
  t.same(sent, ['1 port-close'], 'the other one is asked');
  t.same(told, []);
  ports.release(1, 1);
  t.same(told, ['lost 1']);
  t.equal(open.size, 0);
});

t.test('when a port must be opened again', async (t) => {
  const { ports } = setUp();
  await ports.open(row, link, []);
  const isAsWanted = (more: Partial<InterfaceRow>, index = 5) => ports.isAsWanted(1, { ...row, ...more }, { ...link, index }, []);
  t.ok(isAsWanted({ shutdown: true, ipMtu: 1400 }), 'flows stay');
  t.notOk(isAsWanted({ driver: 'tun' }));
  t.notOk(isAsWanted({ offloads: false }));
  t.notOk(isAsWanted({ device: 'eth9' }));
  t.notOk(isAsWanted({}, 6), 'another netdev of that name');
  t.notOk(ports.isAsWanted(1, undefined, link, []), 'no interface any more');
  t.notOk(ports.isAsWanted(1, row, undefined, []), 'no netdev any more');
  t.notOk(ports.isAsWanted(2, row, link, []), 'not open');
});

t.test('packet: the kernel drops before the workers read, and knows the own addresses', async (t) => {
  const { ports, sent, told, dropped } = setUp();
  await ports.open({ ...row, driver: 'packet' }, link, [7]);
  t.same(dropped, ['eth1 7']);
  t.same(sent, ['0 port-open 10,12', '1 port-open 11,13']);
  told.length = 0;
  await ports.setOwnAddresses([7, 8]);
  t.same(told, ['filter 12 7,8', 'filter 13 7,8']);
  t.same(dropped.at(-1), 'eth1 7,8');
  await ports.setOwnAddresses([7, 8]);
  t.equal(told.length, 2, 'nothing to change');
  const many = Array.from({ length: 65 }, (_, i) => i);
  t.notOk(ports.isAsWanted(1, { ...row, driver: 'packet' }, link, many), 'more addresses than a filter holds');
  ports.release(0, 1);
  ports.release(1, 1);
  await ports.setOwnAddresses([7, 8]);
  t.equal(dropped.at(-1), ' 7,8', 'a port that is gone is left to the kernel');
});

t.test('a driver that cannot be had: a warning to who asked for it, a notice else, nothing from the twin', async (t) => {
  const tell = async (kind: Native['kind'], driverChosen: boolean) => {
    const { ports, told } = setUp(kind); // it has no xdp
    await ports.open({ ...row, driver: 'xdp', driverChosen }, link, []);
    return [ports.find(1)?.driver, ...told.filter((text) => text.includes('port-driver'))];
  };
  t.match(await tell('addon', true), ['raw', /^4 .* no port-driver xdp: .*; raw is used$/]);
  t.match(await tell('addon', false), ['raw', /^5 .* no port-driver xdp: .*; raw is used$/]);
  t.match(await tell('twin', true), ['raw', /^4 /]);
  t.same(await tell('twin', false), ['tun']);
});
