// debug crypto isakmp and ipsec: the exec lines, what is told of two gateways that talk, at which rate, and no key.

import t from 'tap';
import { renderDebugging } from '../../../cli/show/logging.js';
import type { Snapshot } from '../../../control/api/snapshot.js';
import { parseExec } from '../../../control/config/exec.js';
import { Debug } from '../../../control/debug.js';
import { ipsecCounters } from '../../../control/ipsec/counters.js';
import { ikeCounters } from '../../../control/isakmp/counters.js';
import { left, twoGateways } from '../../exchange/control/ipsec/two-gateways.js';

function open() {
  const lines: string[] = [];
  const helpOf = (counter: string) => [...ikeCounters, ...ipsecCounters].find(({ name }) => name === counter)?.help;
  const debug = new Debug((text, facility) => lines.push(`${facility ?? 'GDOI'} ${text}`), helpOf);
  const pair = twoGateways();
  const look = (): void => {
    debug.crypto.begin(pair.wire.now);
    debug.crypto.observe(() => pair.b.ike.sas(), pair.b.ipsec.pairs);
  };
  return { debug, lines, look, ...pair };
}

t.test('the lines', async (t) => {
  t.match(parseExec('debug crypto isakmp'), { kind: 'debug crypto', topic: 'isakmp', on: true });
  t.match(parseExec('deb cry ips'), { kind: 'debug crypto', topic: 'ipsec', on: true });
  for (const line of ['undebug crypto ipsec', 'no debug crypto ipsec']) t.match(parseExec(line), { topic: 'ipsec', on: false });
  t.match(parseExec('debug crypto gdoi'), { kind: 'debug', on: true }, 'as before');
  const { debug } = open();
  debug.crypto.set('ipsec', true);
  debug.crypto.set('isakmp', true);
  t.same(debug.describe(), ['Crypto ISAKMP debugging is on', 'Crypto IPSEC debugging is on']);
  t.same(renderDebugging({ debugging: debug.describe() } as unknown as Snapshot), [
    'Cryptographic Subsystem:',
    '  Crypto ISAKMP debugging is on',
    '  Crypto IPSEC debugging is on',
  ]);
  debug.clear();
  t.same([debug.active, debug.describe()], [false, []]);
});

t.test('states of SAs, pairs that come and go; off: nothing', async (t) => {
  const { debug, lines, look, a, b, wire } = open();
  look();
  t.same(lines, []);
  debug.crypto.set('isakmp', true);
  debug.crypto.set('ipsec', true);
  wire.fault = ({ bytes }) => [{ delay: 10, bytes }];
  wire.demand(a);
  for (let n = 0; n < 200; n++) {
    wire.run(5);
    look();
  }
  const [pair] = b.pairs;
  const hex = pair.inboundSpi.toString(16).toUpperCase().padStart(8, '0');
  t.same(lines.slice(0, 4), [
    'CRYPTO ISAKMP:(1001):Old State = IKE_READY  New State = IKE_R_MM2',
    'CRYPTO ISAKMP:(1001):Old State = IKE_R_MM2  New State = IKE_R_MM4',
    'CRYPTO ISAKMP:(1001):Old State = IKE_R_MM4  New State = IKE_P1_COMPLETE',
    'CRYPTO ISAKMP:(1001):SA has been authenticated with 192.0.2.1:500',
  ]);
  t.equal(
    lines[4],
    `CRYPTO IPSEC(create_sa): sa created, (sa) sa_dest= 192.0.2.2, sa_proto= 50, sa_spi= 0x${hex}(${pair.inboundSpi}), sa_trans= esp-aes esp-sha-hmac, sa_lifetime(k/sec)= (4608000/3600)`,
  );
  t.match(lines[5], /sa created, \(sa\) sa_dest= 192\.0\.2\.1/);
  t.equal(lines[6], `CRYPTO IPSEC(key_engine_enable_outbound): enable SA with spi ${pair.outboundSpi}/50`);
  t.equal(lines.length, 7);
  wire.perform(b, b.ipsec.clear(left, wire.now));
  for (const sa of b.ike.sas()) wire.perform(b, b.ike.deleteSa(sa, wire.now));
  look();
  t.match(lines.slice(7), [
    /ISAKMP:\(1001\):Old State = IKE_P1_COMPLETE {2}New State = IKE_DEST_SA/,
    /IPSEC\(delete_sa\): deleting SA, \(sa\) sa_dest= 192\.0\.2\.2/,
    /IPSEC\(delete_sa\): deleting SA, \(sa\) sa_dest= 192\.0\.2\.1/,
  ]);
  const keys = [pair.inbound, pair.outbound].flatMap(({ encryptionKey, integrityKey }) => [encryptionKey, integrityKey]);
  for (const key of keys) t.notOk(lines.join().toLowerCase().includes(Buffer.from(key).toString('hex')), 'no key');
});

t.test('messages and counted events', async (t) => {
  const { debug, lines, a, wire } = open();
  debug.crypto.set('isakmp', true);
  wire.demand(a);
  debug.datagram('sent', wire.sent[0], { gdoiGroups: new Map() } as never);
  t.match(lines[0], /^CRYPTO ISAKMP: sending packet to 192\.0\.2\.2 my_port 500 peer_port 500 MM, \d+ bytes, message ID = 0$/);
  debug.counted('ike_auth_failed', 'HASH is wrong');
  debug.counted('ipsec_no_flow', 'not of this topic');
  t.match(lines.slice(1), [/^CRYPTO ISAKMP: .*: HASH is wrong$/]);
  debug.crypto.set('ipsec', true);
  debug.counted('ipsec_no_flow', '0: 10.0.0.0/8');
  t.match(lines[2], /^CRYPTO IPSEC\(key_engine\): Quick Mode offers for traffic that no crypto map entry permits: 0: 10\.0\.0\.0\/8$/);
});

t.test('a flood is cut, and what was cut is told', async (t) => {
  const { debug, lines } = open();
  debug.crypto.set('isakmp', true);
  debug.crypto.begin(1_000_000);
  for (let n = 0; n < 5000; n++) debug.counted('ike_malformed', String(n));
  t.equal(lines.length, 100);
  debug.crypto.begin(1_001_000);
  debug.counted('ike_malformed', 'later');
  t.match(lines.slice(100), [/4900 more lines not shown/, /later$/]);
});
