// Floods: half-open exchanges in all and per address, logs, and what stays afterwards (bad-input 13, 17).

import t from 'tap';
import { HalfOpenMs } from '../../../../control/isakmp/ike-engine.js';
import { memberEnd, Network, Peer, policy, serverEnd } from './two-engines.js';

/** Message 1 of a peer with that address and seed. */
function offerOf(address: number, seed: string): Uint8Array {
  const peer = new Peer({ end: { address, port: 848 }, seed });
  const action = peer.engine.initiate(peer.end, serverEnd, 0).find((item) => item.kind === 'send');
  if (action?.kind !== 'send') throw new Error('no message 1');
  return action.datagram.bytes;
}

t.test('one address', async (t) => {
  const server = new Peer({ end: serverEnd, bounds: { total: 100, perAddress: 4 } });
  const network = new Network([server]);
  for (let i = 0; i < 50; i++) network.inject({ address: 7, port: 848 }, server, offerOf(7, `flood ${i}`));
  t.equal(server.engine.sas().length, 4, 'four half-open exchanges');
  t.equal(server.count('ike_half_open_limited'), 46, 'the others counted');
  network.inject({ address: 8, port: 848 }, server, offerOf(8, 'other'));
  t.equal(server.engine.sas().length, 5, 'another address has its own');
  network.run(HalfOpenMs + 1000);
  t.same(server.engine.sas(), [], 'all are given up');
  t.ok(server.logs.length <= 10, `${server.logs.length} log lines`);
});

t.test('forged addresses do not keep a true member out', async (t) => {
  const server = new Peer({ end: serverEnd, bounds: { total: 16, perAddress: 4 } });
  const member = new Peer({ end: memberEnd });
  const network = new Network([server, member]);
  let forged = 0;
  const flood = (): void => {
    for (let i = 0; i < 4; i++) network.inject({ address: 1000 + forged, port: 848 }, server, offerOf(1000 + forged, `forged ${forged++}`));
  };
  for (let i = 0; i < 4; i++) flood();
  t.equal(server.engine.sas().length, 16, 'full');
  network.initiate(member, server);
  for (let i = 0; i < 20; i++) {
    flood();
    network.run(1);
  }
  t.equal(member.up.length, 1, 'up');
  t.ok(server.engine.sas().length <= 17, 'bounded');
});

t.test('exchanges past message 1 are not pushed out', async (t) => {
  const server = new Peer({ end: serverEnd, bounds: { total: 1, perAddress: 1 } });
  const member = new Peer({ end: memberEnd });
  const network = new Network([server, member], ({ bytes }, n) => (n < 4 ? [{ delay: 1, bytes }] : []));
  network.initiate(member, server);
  network.run(100);
  t.match(server.engine.sas(), [{ state: 'MM_KEY_EXCH' }], 'message 3 has been answered');
  network.inject({ address: 9, port: 848 }, server, offerOf(9, 'late'));
  t.match(server.engine.sas(), [{ state: 'MM_KEY_EXCH', remote: memberEnd }], 'stays');
  t.ok(
    server.logs.some((line) => line.startsWith('%CRYPTO-4-IKMP_HALF_OPEN_LIMIT')),
    'log',
  );
  t.equal(server.count('ike_requests_received'), 2);
  t.equal(server.count('ike_requests_accepted'), 1, 'the other one was refused');
});

t.test('answers never echo what was not read', async (t) => {
  const server = new Peer({ end: serverEnd, policies: [policy({ group: 21 })] });
  const network = new Network([server]);
  const secret = new TextEncoder().encode('bytes beyond the length of the message');
  const offer = offerOf(7, 'probe');
  network.inject({ address: 7, port: 848 }, server, new Uint8Array([...offer, ...secret]));
  t.equal(network.sent.length, 1, 'a notification');
  t.equal(network.sent[0].bytes.length, 40, 'header and twelve bytes');
  t.notOk(Buffer.from(network.sent[0].bytes).includes(Buffer.from(secret)), 'nothing of the probe');
});

t.test('a flood of rubbish is counted, and logged at a limited rate', async (t) => {
  const server = new Peer({ end: serverEnd });
  const network = new Network([server]);
  for (let i = 0; i < 1000; i++) network.inject({ address: i, port: 848 }, server, new Uint8Array(i % 64));
  t.equal(server.count('ike_malformed'), 1000, 'counted');
  t.equal(server.logs.length, 5, 'five lines');
  t.equal(network.sent.length, 0, 'no answers');
});
