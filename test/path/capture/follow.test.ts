// Packets that are followed: the filter is asked where each is seen first, and its way is told as it was.

import t from 'tap';
import type { FollowedPacket } from '../../../control/api/snapshot-packet-trace.js';
import { describeRecord, describeWay } from '../../../control/capture/followed-packet.js';
import { Ace, AceAction } from '../../../dataplane/tables/layout.js';
import { datagram, natTables, sa, server } from '../nat/flows.js';
import { branchPacket, ip, ipv4, udp, withTtl } from '../packets.js';
import { memberTables, Router } from '../router.js';
import { Watching } from './watching.js';

/** What comes from 10.0.1.10. */
function fromHost(): number[] {
  const row = new Array<number>(Ace.Words).fill(0);
  row[Ace.Action] = AceAction.Permit;
  row[Ace.Protocol] = -1;
  row[Ace.Src] = ip('10.0.1.10') | 0;
  row[Ace.SrcCare] = -1;
  row[Ace.SrcPortHigh] = row[Ace.DstPortHigh] = 65535;
  return row;
}

/** The ways of all packets that were seen. */
function waysOf(watching: Watching): FollowedPacket[] {
  watching.take();
  const packets = new Map<number, ReturnType<typeof describeRecord>[]>();
  for (const record of watching.records) {
    const seen = describeRecord(record, `eth${record.port}`, record.port === 2);
    packets.set(record.packet, [...(packets.get(record.packet) ?? []), seen]);
  }
  return [...packets.values()].map(describeWay);
}

function inWords({ input, output, state, reason, steps }: FollowedPacket): string[] {
  const told = steps.map(({ type, subtype, interface: name, information }) =>
    [type, subtype, name, ...information].filter((word) => word !== '').join(' '),
  );
  return [`${input} ${output} ${state}${reason ? ` ${reason.name}` : ''}`, ...told];
}

t.test('sealed, opened, translated, dropped, for the router itself', (t) => {
  const sender = new Router(
    natTables({
      routes: [
        { prefix: '10.0.0.0/16', port: 1 },
        { prefix: '198.51.100.0/24', port: 1 },
        { prefix: '10.0.1.1/32', kind: 'local' },
      ],
    }),
  );
  const near = new Watching([sender], { aces: fromHost(), follow: true });
  const esp = sender.forward(0, branchPacket(100))[1][0];
  sender.forward(0, datagram('10.0.1.10', server, 1000, 53));
  sender.forward(0, ipv4({ src: '10.0.1.10', dst: '203.0.113.9' }));
  sender.forward(0, ipv4({ src: '10.0.1.10', dst: '10.0.1.1' }));
  sender.forward(0, datagram('10.0.1.11', server, 1000, 53));
  t.strictSame(waysOf(near).slice(0, 3).map(inWords), [
    ['eth0 eth1 FWD', 'INPUT eth0', 'VPN encrypt eth1 SA with SPI 0x00007001', 'OUTPUT eth1 SA with SPI 0x00007001'],
    ['eth0 eth1 FWD', 'INPUT eth0', 'NAT eth1 source 10.0.1.10/1000 became 172.16.1.2/1000', 'OUTPUT eth1'],
    ['eth0 null DROP no_route', 'INPUT eth0'],
  ]);
  t.ok(
    waysOf(near).some((way) => way.state === 'PUNT' && way.steps.at(-1)?.type === 'LOCAL'),
    'handed to the host',
  );
  t.notOk(
    waysOf(near).some(({ steps }) => steps[0].packet.source === '10.0.1.11'),
    'the filter is asked',
  );
  near.end();

  const receiver = new Router(memberTables(2, { ...sa, sids: [2] }));
  const far = new Watching([receiver], { follow: true });
  receiver.forward(1, withTtl(esp, 63));
  receiver.forward(1, withTtl(esp, 63));
  t.strictSame(waysOf(far).map(inWords), [
    ['eth1 eth0 FWD', 'INPUT eth1 SA with SPI 0x00007001', 'VPN decrypt eth1 SA with SPI 0x00007001', 'OUTPUT eth0'],
    ['eth1 null DROP esp_replay', 'INPUT eth1 SA with SPI 0x00007001'],
  ]);
  far.end();
  t.end();
});

t.test('fragments of a packet have its number', (t) => {
  const router = new Router(memberTables(1, null, { ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2', mtu: 600 }] }));
  const watching = new Watching([router], { aces: fromHost(), follow: true });
  router.forward(0, ipv4({ src: '10.0.1.10', dst: '198.51.100.7', payload: new Uint8Array(1400) }));
  const [way, ...others] = waysOf(watching);
  t.strictSame(others, []);
  t.strictSame(inWords(way), ['eth0 eth1 FWD', 'INPUT eth0', 'OUTPUT eth1', 'OUTPUT eth1', 'OUTPUT eth1']);
  watching.end();
  t.end();
});

t.test('ESP in UDP: sealed and opened under its SPI; IKE on that port has none', (t) => {
  const sender = new Router(memberTables(1, { ...sa, sids: [1], peerPort: 4500 }));
  const near = new Watching([sender], { follow: true });
  const [inUdp] = sender.forward(0, branchPacket(100))[1];
  sender.forward(0, ipv4({ src: '10.0.1.10', dst: server, payload: udp(4500, 4500, new Uint8Array(40)) }));
  t.strictSame(waysOf(near).map(inWords), [
    ['eth0 eth1 FWD', 'INPUT eth0', 'VPN encrypt eth1 SA with SPI 0x00007001', 'OUTPUT eth1 SA with SPI 0x00007001'],
    ['eth0 eth1 FWD', 'INPUT eth0', 'OUTPUT eth1'],
  ]);
  near.end();
  const receiver = new Router(memberTables(2, { ...sa, sids: [2], peerPort: 4500 }));
  const far = new Watching([receiver], { follow: true });
  receiver.forward(1, withTtl(inUdp, 63));
  t.strictSame(waysOf(far).map(inWords), [
    ['eth1 eth0 FWD', 'INPUT eth1 SA with SPI 0x00007001', 'VPN decrypt eth1 SA with SPI 0x00007001', 'OUTPUT eth0'],
  ]);
  far.end();
  t.end();
});
