// The acceptance ratios: who is compared with whom, and when a requirement counts as met.

import t from 'tap';
import { judgeAll, type Outcome, requirements } from '../../../bench/requirements.js';
import type { Round } from '../../../bench/results.js';
import { results, round, tcp } from './runs.js';

const rtt = (averageUs: number): Round['rtt'] => ({ answered: 1, lost: 0, averageUs, medianUs: averageUs, p99Us: averageUs });

function outcome(rounds: Round[], peer: string, column: string, seg: number, against: string | undefined): Outcome {
  const found = judgeAll(results(rounds)).filter(
    ({ requirement: r, seg: s }) => r.peer === peer && r.column === column && r.against === against && s === seg,
  );
  if (found.length !== 1) throw new Error(`${found.length} outcomes of ${peer} ${column} ${seg} ${against}`);
  return found[0];
}

t.test('a named peer', (t) => {
  const rounds = (ours: number) => [round('groupwire', 0, 1, { tcp1: tcp(ours) }), round('wireguard-go', 0, 1, { tcp1: tcp(2) })];
  t.match(
    outcome(rounds(3.2), 'groupwire', 'tcp1', 0, 'wireguard-go'),
    { met: true, ratio: { value: 1.6 } },
    'exactly what is wanted is enough',
  );
  t.match(outcome(rounds(3.19), 'groupwire', 'tcp1', 0, 'wireguard-go'), { met: false });
  t.match(
    outcome(rounds(3.2), 'groupwire', 'tcp1', 0, 'strongswan'),
    { met: null, ratio: null, theirs: null },
    'one that was not measured',
  );
  t.end();
});

t.test('the best peer is a userspace VPN, and not one with another transform', (t) => {
  const rounds = [
    round('groupwire', 1, 1, { tcp1: tcp(3), rtt: rtt(80) }),
    round('kernel', 1, 1, { tcp1: tcp(30), rtt: rtt(20) }),
    round('bound', 1, 1, { tcp1: tcp(5), rtt: rtt(30) }),
    round('strongswan-aes128', 1, 1, { tcp1: tcp(9), rtt: rtt(40) }),
    round('wireguard-go', 1, 1, { tcp1: tcp(1), rtt: rtt(70) }),
    round('openvpn', 1, 1, { tcp1: tcp(2), rtt: rtt(90) }),
    round('groupwire-fast', 1, 1, { failed: 'no such driver' }),
  ];
  t.match(outcome(rounds, 'groupwire', 'tcp1', 1, 'best'), { theirName: 'openvpn', ratio: { value: 1.5 }, met: true }, 'the fastest');
  t.match(outcome(rounds, 'groupwire', 'rtt', 1, 'best'), { theirName: 'wireguard-go', met: false }, 'the shortest round trip');
  t.match(
    outcome(rounds, 'groupwire-fast', 'tcp1', 1, 'bound'),
    { ours: null, met: null },
    'a peer of ours that failed is shown as not measured',
  );
  t.end();
});

t.test('a bound in the unit of the column', (t) => {
  const rounds = (pssMiB: number) => [round('groupwire', 0, 1, { memory: { processes: 3, pssMiB, rssMaxMiB: 1, rssSumMiB: 1 } })];
  t.match(outcome(rounds(150), 'groupwire', 'pss', 0, undefined), { met: true, ratio: null });
  t.match(outcome(rounds(150.1), 'groupwire', 'pss', 0, undefined), { met: false });
  t.end();
});

t.test('only peers and SEGs of the run are judged', (t) => {
  const judged = judgeAll(results([round('groupwire-3des', 0, 1, { tcp1: tcp(1) }), round('strongswan-3des', 0, 1, { tcp1: tcp(0.5) })]));
  t.equal(judged.length, 1);
  t.match(judged[0], { seg: 0, met: true, theirName: 'strongswan-3des', ratio: { value: 2 } });
  t.ok(
    requirements.every(({ least, most }) => (least === undefined) !== (most === undefined)),
    'every requirement has one bound',
  );
  t.end();
});
