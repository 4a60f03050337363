// What entries with `log` write, and that neither flows nor lines grow without bound.
import t from 'tap';
import { AccessListLog, type LoggedEntry, logLine, type Match } from '../../../control/access-list-log.js';

const entry: LoggedEntry = { list: '101', kind: 'extended', action: 'deny', interface: null };

function match(change: Partial<Match> = {}): Match {
  const packet = { protocol: 6, src: 0x0a000001, dst: 0x0a000002, sport: 1024, dport: 80 };
  return { kind: 'acl-log', counter: 7, port: -1, ...packet, count: 1, ...change };
}

t.test('a line for each kind of packet and list', (t) => {
  for (const [change, about, mnemonic, text] of [
    [{}, {}, 'IPACCESSLOGP', 'list 101 denied tcp 10.0.0.1(1024) -> 10.0.0.2(80), 1 packet'],
    [{ protocol: 17 }, { action: 'permit' }, 'IPACCESSLOGP', 'list 101 permitted udp 10.0.0.1(1024) -> 10.0.0.2(80), 1 packet'],
    [{}, { interface: 'eth0' }, 'IPACCESSLOGP', 'list 101 denied tcp 10.0.0.1(1024) (eth0) -> 10.0.0.2(80), 1 packet'],
    [{ protocol: 1, sport: 8, dport: 0 }, {}, 'IPACCESSLOGDP', 'list 101 denied icmp 10.0.0.1 -> 10.0.0.2 (8/0), 1 packet'],
    [{ protocol: 89, sport: -2, dport: -2 }, {}, 'IPACCESSLOGRP', 'list 101 denied ospf 10.0.0.1 -> 10.0.0.2, 1 packet'],
    [{ protocol: 99, sport: -2, dport: -2 }, {}, 'IPACCESSLOGNP', 'list 101 denied 99 10.0.0.1 -> 10.0.0.2, 1 packet'],
    [{}, { list: '1', kind: 'standard' }, 'IPACCESSLOGS', 'list 1 denied 10.0.0.1 1 packet'],
  ] as const)
    t.strictSame(logLine(match(change), { ...entry, ...about }, 1), { mnemonic, text });
  t.match(logLine(match(), entry, 4), { text: /4 packets$/ });
  t.end();
});

t.test('the first packet at once, the others every five minutes', (t) => {
  const log = new AccessListLog();
  t.equal(log.nextTick(), null);
  t.match(log.note(match({ count: 3 }), entry, 1000), [{ text: /1 packet$/ }]);
  t.strictSame(log.note(match({ count: 5 }), entry, 2000), []);
  t.match(log.note(match({ sport: 1025 }), entry, 3000), [{ text: /\(1025\)/ }], 'another flow');
  t.equal(log.nextTick(), 301_000);
  t.strictSame(log.tick(300_999), []);
  t.match(log.tick(303_000), [{ text: /7 packets$/ }], 'the quiet one is not told');
  t.equal(log.size, 1);
  t.strictSame(log.tick(700_000), []);
  t.equal(log.size, 0);
  t.match(log.note(match(), entry, 700_001), [{ text: /1 packet$/ }], 'and begins anew');
  t.end();
});

t.test('a standard list knows sources only', (t) => {
  const log = new AccessListLog();
  const standard: LoggedEntry = { ...entry, kind: 'standard' };
  t.equal(log.note(match(), standard, 0).length, 1);
  t.strictSame(log.note(match({ dst: 1, sport: 5 }), standard, 0), []);
  t.end();
});

t.test('a flood: a hundred lines, then twenty a second; what is left out is told once a minute', (t) => {
  const log = new AccessListLog();
  let lines = 0;
  for (let i = 0; i < 5000; i++) lines += log.note(match({ src: i, count: 2 }), entry, 0).length;
  t.equal(lines, 100);
  t.strictSame(log.tick(0), [{ mnemonic: 'IPACCESSLOGRL', text: 'access-list logging rate-limited or missed 9800 packets' }]);
  log.miss(1);
  t.strictSame(log.tick(59_999), []);
  t.match(log.tick(60_000), [{ text: /missed 1 packet$/ }]);
  for (let i = 0; i < 100_000; i++) log.note(match({ src: 10_000 + i }), entry, 61_000 + i);
  t.ok(log.size <= 1024, `${log.size} flows`);
  t.end();
});
