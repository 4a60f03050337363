// PAT with several workers: a flow's session is the worker's that has its global port, whichever worker a packet comes to first.

import t from 'tap';
import { PathCount } from '../../../dataplane/counters/declare.js';
import { workersOf } from '../nat-rules/configured.js';
import { ip, ipv4, sumOf, udp } from '../packets.js';
import { Workers } from '../workers.js';
import { datagram, expectFlow, global, icmp, natTables, read, server, summed } from './flows.js';

t.test('what comes back is handed to the worker that has the port', (t) => {
  const workers = new Workers(3, natTables());
  const known = new Set<number>();
  for (let i = 0; i < 30; i++) {
    const host = `10.0.1.${10 + i}`;
    workers.all[i % 3].inputs[0].push(datagram(host, server, 5000, 53));
    const out = workers.run().flat();
    t.equal(out.length, 1);
    const { ports } = read(t, out[0]);
    t.notOk(known.has(ports[0]), 'no port twice');
    known.add(ports[0]);
    workers.all[(i + 1) % 3].inputs[1].push(datagram(server, global, 53, ports[0]));
    expectFlow(t, workers.run(0).flat()[0], server, 53, host, 5000);
    workers.all[(i + 2) % 3].inputs[1].push(icmp('203.0.113.9', global, 11, 0, 0, out[0].subarray(0, 28)));
    const error = workers.run(0).flat()[0];
    t.equal(error[19], 10 + i, 'an ICMP error too');
  }
  t.equal(workers.sum(PathCount.HandedOver), workers.sum(PathCount.TakenOver));
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('echo by identifier; the router’s own flows are known where their port is', (t) => {
  const workers = new Workers(2, natTables());
  for (const id of [0x4d2, 0x4d3]) {
    workers.all[0].inputs[0].push(icmp('10.0.1.10', server, 8, 0, id * 65536 + 1, Uint8Array.of(1)));
    const request = workers.run().flat()[0];
    const globalId = new DataView(request.buffer).getUint16(24);
    workers.all[1].inputs[1].push(icmp(server, global, 0, 0, globalId * 65536 + 1, Uint8Array.of(1)));
    t.equal(new DataView(workers.run(0).flat()[0].buffer).getUint16(24), id);
  }
  for (const port of [6000, 6001]) {
    workers.all[0].inputs[1].push(summed({ src: global, dst: server }, udp(port, 53, 9), 6));
    t.equal(workers.run().flat().length, 1);
    for (const host of ['10.0.1.10', '10.0.1.11', '10.0.1.12', '10.0.1.13']) {
      workers.all[0].inputs[0].push(datagram(host, server, port, 53));
      t.not(read(t, workers.run().flat()[0]).ports[0], port);
    }
  }
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('protocols without ports through a pool: whichever worker reads them, one for each peer and address, and answers find it', (t) => {
  const lists = 'access-list 1 permit 10.0.1.0 0.0.0.255\nip nat pool P 172.16.1.60 172.16.1.75 prefix-length 24\n';
  const ends = (packet: Uint8Array): number[] => {
    t.equal(sumOf(packet.subarray(0, 20)), 0);
    const view = new DataView(packet.buffer, packet.byteOffset);
    return [view.getUint32(12), view.getUint32(16)];
  };
  for (const statement of ['pool P overload', 'pool P', 'interface eth1 overload'])
    for (const protocol of [47, 50]) {
      const workers = workersOf(2, `${lists}ip nat inside source list 1 ${statement}`);
      const seen = new Set<string>();
      for (let i = 0; i < 8; i++) {
        const host = `10.0.1.${10 + (i & 3)}`;
        const peer = `198.51.100.${20 + i}`;
        workers.all[i & 1].inputs[0].push(ipv4({ src: host, dst: peer, protocol, payload: new Uint8Array(24) }));
        const out = workers.run().flat();
        t.equal(out.length, 1, `${statement}, protocol ${protocol}, flow ${i}`);
        const [source, destination] = ends(out[0]);
        t.equal(destination, ip(peer));
        if (statement.startsWith('pool')) t.ok(source >= ip('172.16.1.60') && source <= ip('172.16.1.75'), 'of the pool');
        else t.equal(source, ip(global));
        seen.add(`${source} ${destination}`);
        for (const reader of [0, 1]) {
          const answer = ipv4({ src: peer, dst: peer, protocol, payload: new Uint8Array(24) });
          new DataView(answer.buffer).setUint32(16, source);
          new DataView(answer.buffer).setUint16(10, 0);
          new DataView(answer.buffer).setUint16(10, sumOf(answer.subarray(0, 20)));
          workers.all[reader].inputs[1].push(answer);
          t.strictSame(workers.run(0).flat().map(ends), [[ip(peer), ip(host)]]);
        }
      }
      t.equal(seen.size, 8);
      t.equal(workers.imbalance(), null);
    }
  t.end();
});
