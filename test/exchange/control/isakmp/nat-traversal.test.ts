// RFC 3947 between two engines: translators are found, the SA moves to port 4500, and what is not IKE there does no harm (bad-input 25).

import t from 'tap';
import type { Datagram } from '../../../../control/actions.js';
import { unwrapNonEsp, wrapNonEsp } from '../../../../control/isakmp/nat-traversal.js';
import { agreed, memberAndServer, memberEnd, type Network, serverEnd } from './two-engines.js';

const outside = 0xc6336401;

/** The member behind a translator: its address becomes `outside`, its ports become others. */
function behindNat(network: Network): void {
  network.translate = (datagram: Datagram): Datagram => {
    const { local, remote } = datagram;
    if (local.address === memberEnd.address) return { ...datagram, local: { address: outside, port: local.port + 10_000 } };
    if (remote.address === outside) return { ...datagram, remote: { address: memberEnd.address, port: remote.port - 10_000 } };
    return datagram;
  };
}

t.test('no translator: nothing moves', async (t) => {
  const { member, server, network } = memberAndServer();
  network.initiate(member, server);
  network.run(1000);
  t.match(member.up, [{ translation: { local: false, remote: false }, remote: serverEnd, local: memberEnd }]);
  t.ok(agreed(member, server), 'up');
});

t.test('the member behind a translator', async (t) => {
  const { member, server, network } = memberAndServer({ settings: { natKeepaliveSeconds: 20 } });
  behindNat(network);
  network.initiate(member, server);
  network.run(1000);
  t.ok(agreed(member, server), 'up');
  t.match(
    member.up[0],
    { translation: { local: true, remote: false }, local: { port: 4500 }, remote: { ...serverEnd, port: 4500 } },
    'the member knows',
  );
  t.match(
    server.up[0],
    { translation: { local: false, remote: true }, local: { port: 4500 }, remote: { address: outside, port: 14_500 } },
    'the server too',
  );
  const [, , , , proof] = network.sent;
  t.same(
    [proof.local.port, proof.remote.port, [...proof.bytes.subarray(0, 4)]],
    [4500, 4500, [0, 0, 0, 0]],
    'message 5 goes to 4500 behind the marker',
  );
  network.perform(member, member.engine.notify(member.up[0], 40_000, new Uint8Array([1])));
  network.perform(server, server.engine.notify(server.up[0], 40_001, new Uint8Array([2])));
  network.run(1000);
  t.same([server.notifications.length, member.notifications.length], [1, 1], 'messages under the SA arrive in both directions');
  network.run(60_000);
  t.ok(member.count('ike_nat_keepalives_sent') >= 2, 'keepalives');
  t.equal(server.count('ike_nat_keepalives'), member.count('ike_nat_keepalives_sent'), 'taken for what they are');
  t.equal(server.count('ike_nat_keepalives_sent'), 0, 'by the one behind the translator alone');
});

t.test('the translator gives the member another port', async (t) => {
  const { member, server, network } = memberAndServer();
  behindNat(network);
  network.initiate(member, server);
  network.run(1000);
  network.translate = (datagram) =>
    datagram.local.address === memberEnd.address
      ? { ...datagram, local: { address: outside, port: 3333 } }
      : { ...datagram, remote: memberEnd };
  network.perform(member, member.engine.notify(member.up[0], 40_000, new Uint8Array([1])));
  network.run(1000);
  t.equal(server.notifications.length, 1, 'known by its cookies');
  t.same(server.up[0].remote, { address: outside, port: 3333 }, 'answers go there from now on');
  t.equal(server.engine.sas().length, 1, 'the same SA');
  const bytes = network.sent.at(-1)?.bytes.slice(4) as Uint8Array;
  const changed = bytes.slice();
  changed[40] ^= 1;
  network.perform(
    server,
    server.engine.receive({ local: { ...serverEnd, port: 4500 }, remote: { address: outside, port: 9 }, bytes: changed }, network.now),
  );
  t.same(server.up[0].remote.port, 3333, 'a forged message moves nothing');
  network.perform(
    server,
    server.engine.receive({ local: { ...serverEnd, port: 4500 }, remote: { address: 77, port: 9 }, bytes }, network.now),
  );
  t.same(server.up[0].remote.address, outside, 'nor does one from another address');
});

t.test('one side does not want it', async (t) => {
  for (const [ours, theirs] of [
    [true, false],
    [false, true],
  ]) {
    const { member, server, network } = memberAndServer({ settings: { natTraversal: ours } }, { settings: { natTraversal: theirs } });
    behindNat(network);
    network.initiate(member, server);
    network.run(1000);
    t.ok(agreed(member, server), 'up');
    t.equal(member.up[0]?.remote.port, serverEnd.port, 'where it began');
  }
});

t.test('what comes to port 4500', async (t) => {
  const ends = { local: { ...serverEnd, port: 4500 }, remote: memberEnd };
  const of = (...bytes: number[]) => unwrapNonEsp({ ...ends, bytes: new Uint8Array(bytes) });
  t.equal(of(0xff), 'ike_nat_keepalives');
  t.same([of(), of(0), of(0, 0), of(0, 0, 0), of(0xfe)], Array(5).fill('ike_malformed'), 'too short for the marker');
  t.equal(of(0, 0, 1, 0, 9), 'ike_esp_in_udp', 'an SPI');
  t.same(of(0, 0, 0, 0, 9), { ...ends, bytes: new Uint8Array([9]) }, 'marker');
  const message = { ...ends, bytes: new Uint8Array([1, 2, 3]) };
  t.same(unwrapNonEsp(wrapNonEsp(message)), message, 'there and back');
  const elsewhere = { ...message, local: serverEnd };
  t.same([unwrapNonEsp(elsewhere), wrapNonEsp(elsewhere)], [elsewhere, elsewhere], 'other ports have none');
});
