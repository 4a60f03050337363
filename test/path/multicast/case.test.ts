// Multicast: a copy for every configured port but the one it came by, encrypted where policy says so, its outer destination the group.
import t from 'tap';
import { LinkKind } from '../../../dataplane/mem/links.js';
import { Cap } from '../../../dataplane/tables/layout.js';
import { hex, ipv4, udp, withTtl } from '../packets.js';
import { type AceSpec, memberTables, Router, type SaSpec, type TablesSpec } from '../router.js';

const group = '239.1.1.1';
const header = '01005e010101020000000001';
const sa: SaSpec = { spi: 0x8001, transform: 'gcm-256', sids: [1] };
const acl: AceSpec[] = [{ action: 'permit', src: '10.0.0.0/16', dst: '239.0.0.0/8' }];
const stream = (ttl = 16, size = 100) => ipv4({ src: '10.0.1.10', dst: group, payload: udp(5000, 5000, size), ttl });

/** Port 0 inside, 1 outside, 2 another inside; the group goes to all of `ports`. */
function tables(member: 1 | 2, ports: number[], more: Partial<TablesSpec> = {}): TablesSpec {
  const plain = memberTables(member, { ...sa, sids: [member] }, { acls: [acl] });
  return {
    ...plain,
    ports: [...plain.ports, { address: '10.9.0.1' }].map((port) => ({ ...port, link: LinkKind.Groups })),
    groups: [{ group, ports }],
    neighbours: ports.map((port) => ({ port, address: group, header })),
    ...more,
  };
}
/** Queues of the links for multicast. */
const linkOf = (port: number) => Cap.Ports + port;
const framesOf = (out: Uint8Array[][], port: number) => out[linkOf(port)];

t.test('from a branch: sealed for the WAN, as it is for another branch network', (t) => {
  const router = new Router(tables(1, [0, 1, 2]));
  const out = router.forward(linkOf(0), stream());
  t.strictSame(
    out.map((list) => list.length).filter((count) => count > 0),
    [1, 1],
    'two copies, none back',
  );
  const [clear] = framesOf(out, 2);
  t.equal(hex(clear.subarray(0, 14)), `${header}0800`);
  t.equal(hex(clear.subarray(14)), hex(withTtl(stream(), 15)));
  const [sealed] = framesOf(out, 1);
  t.equal(hex(sealed.subarray(0, 14)), `${header}0800`);
  t.strictSame([...sealed.subarray(14 + 12, 14 + 20)], [10, 0, 1, 10, 239, 1, 1, 1], 'addresses preserved');
  t.equal(sealed[14 + 9], 50);
  t.match(router.counters(), { 'path.received_packets': 1, 'path.made_packets': 1, 'path.sent_packets': 2, 'sa[0].sealed_packets': 1 });
  t.equal(router.imbalance(), null);

  const receiver = new Router(tables(2, [0]));
  const opened = framesOf(receiver.forward(linkOf(1), sealed.subarray(14)), 0);
  t.equal(hex(opened[0].subarray(14)), hex(withTtl(stream(), 14)), 'two routers, two hops');
  t.match(receiver.counters(), { 'sa[0].opened_packets': 1 });
  t.equal(framesOf(receiver.forward(linkOf(1), sealed.subarray(14)), 0).length, 0, 'not twice');
  t.equal(framesOf(receiver.forward(linkOf(1), stream()), 0).length, 0, 'not in the clear');
  t.match(receiver.counters(), { 'drop.esp_replay': 1, 'drop.clear_must_be_encrypted': 1 });
  t.end();
});

t.test('what is not forwarded', (t) => {
  const drops = (packet: Uint8Array, from = 0, spec = tables(1, [0, 1])) => {
    const router = new Router(spec);
    const sent = router.forward(linkOf(from), packet).flat().length;
    t.equal(router.imbalance(), null);
    return [sent, ...Object.keys(router.counters()).filter((name) => name.startsWith('drop.'))];
  };
  t.strictSame(drops(ipv4({ src: '10.0.1.10', dst: '239.1.1.2' })), [0, 'drop.no_route'], 'a group that is not configured');
  t.strictSame(drops(ipv4({ src: '10.0.1.10', dst: '224.0.0.5', protocol: 89 })), [0, 'drop.no_route'], 'what never leaves its link');
  t.strictSame(drops(stream(), 2), [0, 'drop.multicast_reverse'], 'not from where its source is');
  t.strictSame(drops(stream(), 0, tables(1, [0])), [0, 'drop.no_route'], 'nowhere else to go');
  t.strictSame(drops(stream(1)), [0, 'drop.ttl_expired'], 'and no ICMP error about it');
  t.strictSame(drops(stream(16, 1472)), [2], 'too long: cut, as other packets are');
  t.strictSame(drops(ipv4({ src: '10.0.1.10', dst: group, payload: udp(1, 2, 1472), df: true })), [0, 'drop.mtu_exceeded'], 'too long, DF');
  t.strictSame(drops(stream(), 0, tables(1, [1], { neighbours: [] })), [0, 'drop.multicast_no_link']);
  t.end();
});
