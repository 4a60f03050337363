// What `make bench` accepts, and that it refuses the rest before it starts.

import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import t from 'tap';
import { readKnobs } from '../../../bench/knobs.js';
import { startPeer } from '../../../bench/peers/index.js';
import { peerNames, plainPeerNames } from '../../../bench/peers/names.js';

t.test('nothing said', (t) => {
  const knobs = readKnobs({});
  t.ok(knobs.rounds >= 3, 'medians need three rounds');
  t.strictSame(knobs.segs, [0, 1]);
  t.strictSame(knobs.peers, [...plainPeerNames]);
  t.notOk(knobs.peers.includes('strongswan-3des'), 'older transforms have a target of their own');
  t.strictSame(readKnobs({ ROUNDS: '', PEERS: ' ' }), knobs, 'empty is not said');
  t.end();
});

t.test('what was said', (t) => {
  const knobs = readKnobs({ ROUNDS: '1', T: '2', SEGS: '1', PEERS: 'kernel, groupwire kernel', MEASURES: 'rtt', STEPS: '2', LABEL: 'x-1' });
  t.strictSame(knobs, {
    rounds: 1,
    seconds: 2,
    segs: [1],
    peers: ['kernel', 'groupwire'],
    measures: ['rtt'],
    losslessSteps: 2,
    label: 'x-1',
  });
  t.end();
});

t.test('refused, with the name of the knob', (t) => {
  for (const [name, value] of [
    ['ROUNDS', '0'],
    ['ROUNDS', '2.5'],
    ['ROUNDS', '1e2'],
    ['ROUNDS', '-1'],
    ['ROUNDS', 'three'],
    ['ROUNDS', '101'],
    ['T', '0'],
    ['T', '99999'],
    ['SEGS', '2'],
    ['SEGS', '0 x'],
    ['PEERS', 'wireguard'],
    ['PEERS', 'constructor'],
    ['MEASURES', 'tcp2'],
    ['STEPS', '13'],
    ['LABEL', '../../etc'],
  ]) {
    t.throws(() => readKnobs({ [name]: value }), new RegExp(`^(Error: )?${name}\\b`), `${name}=${value}`);
  }
  t.end();
});

t.test('every name can be started', (t) => {
  t.strictSame(Object.keys(startPeer).sort(), [...peerNames].sort());
  t.end();
});

t.test('the program ends with status 2 and one line', (t) => {
  const main = join(resolve(import.meta.dirname, '../../..'), 'bench/side-by-side.js');
  const { status, stderr, stdout } = spawnSync(process.execPath, [main], { env: { ...process.env, PEERS: 'nobody' }, encoding: 'utf8' });
  t.equal(status, 2);
  t.match(stderr, /^bench: PEERS: no such word 'nobody' \(known: groupwire .*\)\n$/);
  t.equal(stdout, '');
  t.end();
});
