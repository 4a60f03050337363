// Two whole control processes without I/O, between gateways: what the packet path asks for, what it is given, before which message.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Datagram } from '../../control/actions.js';
import { CounterSet } from '../../control/api/counters.js';
import { parseConfig } from '../../control/config/parse.js';
import { type ExecMeans, runExec } from '../../control/exec.js';
import { gdoiCounters } from '../../control/gdoi/counters.js';
import { ipsecCounters } from '../../control/ipsec/counters.js';
import { ikeCounters } from '../../control/isakmp/counters.js';
import { RsaKeys } from '../../control/pki/rsa-keys.js';
import { Router, routerCounters } from '../../control/router.js';
import { SealedStore } from '../../control/store/sealed-store.js';
import { CryptoEntry, CryptoFlag, Sa, SaFlag } from '../../dataplane/tables/layout.js';
import type { TablesHead } from '../../dataplane/tables/message.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-router-ipsec-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const now = 1_900_000_000_000;

function textOf(n: 1 | 2): string {
  const other = 3 - n;
  return `crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 19
crypto isakmp key secret address 192.0.2.${other}
crypto ipsec transform-set T esp-gcm 256
crypto map M 10 ipsec-isakmp
 set peer 192.0.2.${other}
 set transform-set T
 match address A
ip access-list extended A
 permit ip 10.${n}.0.0 0.0.0.255 10.${other}.0.0 0.0.0.255
interface eth0
 ip address 192.0.2.${n} 255.255.255.0
 crypto map M
`;
}

async function boot(n: 1 | 2) {
  const store = await SealedStore.open(join(folder, String(n)));
  const outbox: Datagram[] = [];
  const journal: string[] = [];
  const debugged: string[] = [];
  const published: { head: TablesHead; blobs: Uint8Array[] }[] = [];
  const counters = new CounterSet(ikeCounters, ipsecCounters, gdoiCounters, routerCounters);
  const means = {
    log: { write: (facility: string, _: number, mnemonic: string, text: string) => void debugged.push(`${facility} ${mnemonic} ${text}`) },
    counters,
    store,
    rsaKeys: new RsaKeys(store),
    keyLog: null,
    send: (datagram: Datagram) => {
      journal.push(datagram.bytes[18] === 32 ? 'quick mode' : 'send');
      outbox.push(datagram);
      return true;
    },
    join: () => undefined,
    publish: (head: TablesHead, blobs: Uint8Array[]) => {
      journal.push('publish');
      published.push({ head, blobs });
    },
  } as unknown as ConstructorParameters<typeof Router>[1];
  const router = new Router(parseConfig(textOf(n)).config, means, now);
  router.start(false, now);
  router.dataplaneUp({ generation: 0, knownSenders: [], workers: 1 }, null, now);
  return { router, outbox, journal, published, counters, debugged };
}
type Node = Awaited<ReturnType<typeof boot>>;

function exchange(a: Node, b: Node): void {
  for (let round = 0; round < 50 && a.outbox.length + b.outbox.length > 0; round++)
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      if (from.published.length > 0) from.router.applied(from.published[from.published.length - 1].head.generation);
      for (const { local, remote, bytes } of from.outbox.splice(0)) to.router.receive({ local: remote, remote: local, bytes }, now);
      to.router.applied(to.published[to.published.length - 1].head.generation);
    }
}

/** Of the newest tables: SAs by direction, and under which SPI what leaves is sealed. */
function tablesOf({ published }: Node) {
  const { blobs } = published[published.length - 1];
  const [entries, words] = [blobs[1], blobs[2]].map((blob) => new Int32Array(blob.buffer, blob.byteOffset, blob.byteLength / 4));
  const sas: Int32Array[] = [];
  for (let at = 0; at < words.length; at += Sa.Words) if (words[at + Sa.Serial] !== 0) sas.push(words.subarray(at, at + Sa.Words));
  const spisOf = (flag: SaFlag): number[] => sas.filter((row) => (row[Sa.Flags] & flag) !== 0).map((row) => row[Sa.Spi]);
  const slot = entries[CryptoEntry.OutboundSa];
  return {
    inbound: spisOf(SaFlag.Inbound),
    outbound: spisOf(SaFlag.Outbound),
    sealsWith: slot < 0 ? null : words[slot * Sa.Words + Sa.Spi],
    flags: entries[CryptoEntry.Flags],
    flow: entries[CryptoEntry.Flow],
  };
}

t.test('traffic without an SA makes one, and both packet paths have it before the other sends', async (t) => {
  const [a, b] = [await boot(1), await boot(2)];
  const { flow, ...before } = tablesOf(a);
  t.same(before, { inbound: [], outbound: [], sealsWith: null, flags: CryptoFlag.PeerOut });
  const event = { kind: 'no-sa', flow, src: 0x0a010001, dst: 0x0a020001, count: 1 } as const;
  a.router.dataplaneEvent(event, now);
  a.router.dataplaneEvent(event, now);
  t.equal(a.outbox.length, 1, 'asked twice, one main mode');
  a.router.dataplaneEvent({ ...event, flow: 4711 }, now);
  exchange(a, b);
  const [x, y] = [tablesOf(a), tablesOf(b)];
  t.same([x.inbound, x.outbound], [y.outbound, y.inbound]);
  t.same([x.sealsWith, y.sealsWith], [x.outbound[0], y.outbound[0]]);
  t.equal(x.inbound.length, 1);
  const sending = a.journal.lastIndexOf('quick mode');
  t.equal(a.journal[sending - 1], 'publish', 'who began: tables, then message 3');
  t.ok(b.journal.indexOf('publish', 1) < b.journal.indexOf('quick mode'), 'who answered: tables, then message 2');
});

t.test('message 2 waits until the tables are in force, but not for ever', async (t) => {
  const quick = ({ journal }: Node): number => journal.filter((entry) => entry === 'quick mode').length;
  for (const isApplied of [true, false]) {
    const [a, b] = [await boot(1), await boot(2)];
    a.router.dataplaneEvent({ kind: 'no-sa', flow: tablesOf(a).flow, src: 1, dst: 2, count: 1 }, now);
    const answer = b.router.applied.bind(b.router);
    b.router.applied = () => undefined;
    exchange(a, b);
    t.same([quick(a), quick(b)], [1, 0], 'the answer waits');
    t.equal(tablesOf(b).inbound.length, 1, 'the tables are published');
    const { generation } = b.published[b.published.length - 1].head;
    answer(generation - 1);
    b.router.tick(now + 1999);
    t.equal(quick(b), 0, 'for these tables');
    if (isApplied) answer(generation);
    else {
      t.equal(b.router.nextTick(), now + 2000);
      b.router.tick(now + 2000);
    }
    t.ok(quick(b) >= 1, isApplied ? 'in force' : 'long enough');
  }
});

t.test('the packet path dies: what waits for it is sent', async (t) => {
  const [a, b] = [await boot(1), await boot(2)];
  a.router.dataplaneEvent({ kind: 'no-sa', flow: tablesOf(a).flow, src: 1, dst: 2, count: 1 }, now);
  b.router.applied = () => undefined;
  exchange(a, b);
  b.router.dataplaneDown();
  t.equal(b.journal.filter((entry) => entry === 'quick mode').length, 1);
});

t.test('another configuration: without the entry there is nothing', async (t) => {
  const [a, b] = [await boot(1), await boot(2)];
  a.router.dataplaneEvent({ kind: 'no-sa', flow: tablesOf(a).flow, src: 1, dst: 2, count: 1 }, now);
  exchange(a, b);
  t.equal(tablesOf(b).inbound.length, 1);
  a.router.reconfigure(parseConfig(textOf(1).replace(/crypto map M 10[\s\S]*?match address A\n/, '')).config, now);
  // The delete goes when the tables without the SAs are in force.
  a.router.applied(a.published[a.published.length - 1].head.generation);
  exchange(a, b);
  t.same([tablesOf(a).inbound, tablesOf(b).inbound], [[], []], 'the peer has heard of it');
});

t.test('clear crypto isakmp leaves the pairs, clear crypto session takes both, on both sides', async (t) => {
  for (const [line, error, sas, pairs] of [
    ['clear crypto isakmp 4711', '% There is no ISAKMP SA 4711', 1, 1],
    ['clear crypto isakmp 1001', null, 0, 1],
    ['clear crypto isakmp', null, 0, 1],
    ['clear crypto session remote 192.0.2.9', null, 1, 1],
    ['clear crypto session remote 192.0.2.2', null, 0, 0],
    ['clear crypto session', null, 0, 0],
  ] as const) {
    const [a, b] = [await boot(1), await boot(2)];
    a.router.dataplaneEvent({ kind: 'no-sa', flow: tablesOf(a).flow, src: 1, dst: 2, count: 1 }, now);
    exchange(a, b);
    t.equal(runExec(line, a.router, {} as ExecMeans, now).error, error, line);
    a.router.applied(a.published[a.published.length - 1].head.generation);
    exchange(a, b);
    for (const { router } of [a, b]) t.same([router.ike.sas().length, router.ipsec.pairs.size], [sas, pairs], line);
  }
});

t.test('debug crypto isakmp and ipsec: switched by exec lines', async (t) => {
  const [a, b] = [await boot(1), await boot(2)];
  const exec = (line: string): string => runExec(line, b.router, {} as ExecMeans, now).output;
  t.equal(exec('debug crypto isakmp'), 'Crypto ISAKMP debugging is on');
  t.equal(exec('debug crypto ipsec'), 'Crypto ISAKMP debugging is on\nCrypto IPSEC debugging is on');
  a.router.dataplaneEvent({ kind: 'no-sa', flow: tablesOf(a).flow, src: 1, dst: 2, count: 1 }, now);
  exchange(a, b);
  const lines = b.debugged.filter((line) => line.startsWith('CRYPTO DEBUG '));
  for (const wanted of [
    /ISAKMP: received packet from 192\.0\.2\.1 dport 500 sport 500 MM,/,
    /ISAKMP:\(1001\):Old State = IKE_R_MM4 {2}New State = IKE_P1_COMPLETE/,
    /IPSEC\(create_sa\): sa created, \(sa\) sa_dest= 192\.0\.2\.2/,
    /IPSEC\(key_engine\): Quick Mode exchanges that led to a pair of SAs/,
  ])
    t.ok(
      lines.some((line) => wanted.test(line)),
      `${wanted}`,
    );
  t.equal(exec('undebug all'), 'All possible debugging has been turned off');
  const before = b.debugged.length;
  b.router.perform(b.router.ipsec.clear(null, now), now);
  t.notMatch(b.debugged.slice(before).join(), /DEBUG/);
});
