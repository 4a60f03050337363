// Control without sockets and timers: a key server and a member, each a whole Router, wired to each other. What is checked is what
// router.ts adds to the engines: state on disk before a message leaves, IV spaces that a dead dataplane took along, restarts.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Datagram } from '../../control/actions.js';
import { CounterSet } from '../../control/api/counters.js';
import { parseConfig } from '../../control/config/parse.js';
import { gdoiCounters } from '../../control/gdoi/counters.js';
import { ipsecCounters } from '../../control/ipsec/counters.js';
import { ikeCounters } from '../../control/isakmp/counters.js';
import type { Membership } from '../../control/multicast-sockets.js';
import { RsaKeys } from '../../control/pki/rsa-keys.js';
import { Router, routerCounters } from '../../control/router.js';
import { SealedStore } from '../../control/store/sealed-store.js';
import { CryptoEntry, Sa, SaFlag } from '../../dataplane/tables/layout.js';
import type { TablesHead } from '../../dataplane/tables/message.js';

const member = [
  'hostname R1',
  'crypto isakmp policy 10',
  ' encr aes',
  ' authentication pre-share',
  ' group 19',
  'crypto isakmp key R1-KEY address 172.16.4.2',
  'crypto gdoi group G',
  ' identity number 777',
  ' server address ipv4 172.16.4.2',
  'crypto map M 10 gdoi',
  ' set group G',
  'interface eth0',
  ' ip address 172.16.1.2 255.255.255.252',
  ' crypto map M',
].join('\n');
const server = [
  'hostname R4',
  'crypto isakmp policy 10',
  ' encr aes',
  ' authentication pre-share',
  ' group 19',
  'crypto isakmp key R1-KEY address 172.16.1.2',
  'crypto ipsec transform-set T esp-gcm 128',
  'crypto ipsec profile P',
  ' set transform-set T',
  'crypto gdoi group G',
  ' identity number 777',
  ' server local',
  '  rekey authentication mypubkey rsa K',
  '  rekey transport unicast',
  '  sa ipsec 1',
  '   profile P',
  '   match address ipv4 A',
  '  address ipv4 172.16.4.2',
  'ip access-list extended A',
  ' permit ip 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255',
  'interface eth0',
  ' ip address 172.16.4.2 255.255.255.252',
].join('\n');

let now = 1_900_000_000_000;
const folder = mkdtempSync(join(tmpdir(), 'groupwire-router-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** One control process: a Router over a state directory that outlives it. */
async function boot(name: string, text: string) {
  const store = await SealedStore.open(join(folder, name));
  const rsaKeys = new RsaKeys(store);
  if (name.startsWith('r4') && !rsaKeys.privateKey('K')) rsaKeys.generate('K', 1024);
  const outbox: Datagram[] = [];
  const joins: Membership[] = [];
  const published: { head: TablesHead; blobs: Uint8Array[] }[] = [];
  const journal: string[] = [];
  const logged: string[] = [];
  const save = store.save.bind(store);
  store.save = (entry, bytes) => {
    journal.push(`save ${entry}`);
    save(entry, bytes);
  };
  const append = store.append.bind(store);
  store.append = (entry, bytes) => {
    journal.push(`append ${entry}`);
    return append(entry, bytes);
  };
  const router = new Router(
    parseConfig(text).config,
    {
      log: { write: (facility, severity, mnemonic, text) => logged.push(`${facility}-${severity}-${mnemonic}: ${text}`) },
      counters: new CounterSet(ikeCounters, ipsecCounters, gdoiCounters, routerCounters),
      store,
      rsaKeys,
      keyLog: null,
      send(datagram) {
        journal.push('send');
        outbox.push(datagram);
        return true;
      },
      join: (memberships) => joins.push(...memberships),
      publish(head, blobs) {
        journal.push('publish');
        published.push({ head, blobs });
      },
    },
    now,
  );
  return { router, outbox, published, journal, joins, logged };
}
type Node = Awaited<ReturnType<typeof boot>>;

/** What a dataplane says that comes up. */
const helloOf = (generation: number, knownSenders: string[], workers = 1) => ({ generation, knownSenders, workers });

/** Delivers everything that is on the way until nothing is. */
function exchange(a: Node, b: Node): void {
  for (let round = 0; round < 50 && a.outbox.length + b.outbox.length > 0; round++) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      for (const { local, remote, bytes } of from.outbox.splice(0)) to.router.receive({ local: remote, remote: local, bytes }, now);
    }
  }
}

/** The newest tables: SA rows in use, and the SA that the crypto map seals with. */
function tablesOf(node: Node) {
  const { blobs } = node.published[node.published.length - 1];
  const rows = new Int32Array(blobs[2].buffer);
  const sas = [];
  for (let at = 0; at < rows.length; at += Sa.Words)
    if (rows[at + Sa.Serial] !== 0) sas.push({ slot: at / Sa.Words, row: rows.subarray(at, at + Sa.Words) });
  return { sas, outbound: new Int32Array(blobs[1].buffer)[CryptoEntry.OutboundSa] };
}

function pairs(node: Node): string[] {
  return tablesOf(node).sas.flatMap(({ row }) =>
    Array.from(row.subarray(Sa.Sids, Sa.Sids + row[Sa.SidCount]), (sid) => `${row[Sa.Spi] >>> 0}:${sid}`),
  );
}

t.test('a member registers, survives restarts of either process, and never uses a lost IV space', async (t) => {
  const r4 = await boot('r4', server);
  r4.router.dataplaneUp(helloOf(0, []), null, now);
  r4.router.start(false, now);
  let r1 = await boot('r1', member);
  r1.router.dataplaneUp(helloOf(0, []), null, now);
  t.equal(tablesOf(r1).sas.length, 0, 'interfaces come first, without keys');
  r1.router.start(false, now);
  exchange(r1, r4);
  const first = tablesOf(r1);
  t.equal(first.sas.length, 1, 'one SA');
  t.equal(first.outbound, first.sas[0].slot, 'the crypto map seals with it');
  t.equal(first.sas[0].row[Sa.Flags], (SaFlag.Inbound | SaFlag.Outbound) as number);
  const firstPairs = pairs(r1);
  t.equal(firstPairs.length, 1, 'one sender ID');

  // The key server's sender-ID counter is on disk before the ID leaves; the member's IV space before the dataplane gets it.
  const lastSend = r4.journal.lastIndexOf('send');
  t.ok(
    r4.journal.lastIndexOf('append gdoi', lastSend) >= 0 && r4.journal[lastSend - 1] === 'append gdoi',
    `saved, then sent: ${r4.journal.slice(-4).join(', ')}`,
  );
  t.ok(
    r1.journal.indexOf('save published-senders') < r1.journal.lastIndexOf('publish'),
    `saved, then published: ${r1.journal.slice(-4).join(', ')}`,
  );

  // kill -9 of control while the dataplane forwards: same SA, same slot, no new registration.
  const sent = r1.published[r1.published.length - 1].head.generation;
  r1 = await boot('r1', member);
  r1.router.dataplaneUp(helloOf(sent, firstPairs), null, now);
  t.strictSame(pairs(r1), firstPairs, 'the same IV space goes on');
  t.equal(r1.outbox.length, 0, 'nothing was sent to the key server');
  t.equal(tablesOf(r1).sas[0].row[Sa.Serial], first.sas[0].row[Sa.Serial], 'the same SA');
  t.ok(r1.published[0].head.generation > sent, 'generations go on');

  // kill -9 of the dataplane, and its counters survived in the file.
  r1.router.dataplaneDown();
  r1.router.dataplaneUp(helloOf(0, firstPairs), null, now);
  t.equal(r1.outbox.length, 0, 'known IV spaces need no registration');
  t.strictSame(pairs(r1), firstPairs);

  // The same, but the counters are gone (another boot, a damaged file): inbound only, until there is a fresh sender ID.
  r1.router.dataplaneDown();
  r1.router.dataplaneUp(helloOf(0, []), null, now);
  t.strictSame(pairs(r1), [], 'the lost IV space is not published again');
  t.equal(tablesOf(r1).outbound, -1, 'nothing is sealed meanwhile');
  t.equal(tablesOf(r1).sas[0].row[Sa.Flags], SaFlag.Inbound as number, 'it still opens');
  exchange(r1, r4);
  const renewed = pairs(r1);
  t.equal(renewed.length, 1);
  t.notSame(renewed, firstPairs, 'a sender ID that was never used');
  t.equal(tablesOf(r1).sas[0].row[Sa.Spi], first.sas[0].row[Sa.Spi], 'under the same TEK');

  // A dataplane with two workers: what one used is not theirs, each gets an ID of its own.
  r1.router.dataplaneDown();
  r1.router.dataplaneUp(helloOf(0, [], 2), null, now);
  exchange(r1, r4);
  const ofTwo = pairs(r1);
  t.equal(ofTwo.length, 2, 'a sender ID for each worker');
  t.notOk(
    ofTwo.some((pair) => [...firstPairs, ...renewed].includes(pair)),
    'fresh ones',
  );

  // A key server that comes back goes on counting.
  const r4again = await boot('r4', server);
  r4again.router.dataplaneUp(helloOf(0, []), null, now);
  r4again.router.start(false, now);
  const registrations = (): number => r1.router.gdoi.memberGroups()[0].succeededRegistrations;
  const before = registrations();
  r1.router.perform(r1.router.gdoi.clearGroup('G', now), now);
  for (let second = 0; second < 120 && registrations() === before; second++) {
    exchange(r1, r4again); // its IKE SA is unknown to the key server's new process
    now += 1000;
    r1.router.tick(now);
  }
  const third = pairs(r1);
  t.equal(
    new Set([...firstPairs, ...renewed, ...ofTwo, ...third]).size,
    6,
    `four registrations, six sender IDs: ${[firstPairs, renewed, third].join(' ')}`,
  );

  // A clean start registers afresh although there is a saved state.
  const fresh = await boot('r1', member);
  fresh.router.dataplaneUp(helloOf(0, third), null, now);
  fresh.router.start(false, now);
  t.equal(tablesOf(fresh).sas.length, 0, 'no keys before it has registered');
  exchange(fresh, r4again);
  t.equal(pairs(fresh).length, 1);
  t.notOk([...firstPairs, ...renewed, ...ofTwo, ...third].includes(pairs(fresh)[0]), 'again a fresh one');
  t.end();
});

t.test('multicast rekeys: the group is joined from the address of the registration; nothing but rekeys is taken from it', async (t) => {
  const text = server
    .replace('  rekey transport unicast\n', '  rekey address ipv4 REKEY\n')
    .concat('\nip access-list extended REKEY\n permit udp host 172.16.4.2 eq 848 host 239.1.2.3 eq 848');
  const [r4, r1] = [await boot('r4-multicast', text), await boot('r1-multicast', member)];
  for (const node of [r4, r1]) node.router.start(false, now);
  exchange(r4, r1);
  t.same(r1.joins.at(-1), { group: 0xef010203, local: 0xac100102 });
  t.same(r4.joins, []);
  r4.router.perform(r4.router.gdoi.rekey('G', now), now);
  t.equal(r4.outbox.length, 1);
  const [push] = r4.outbox.splice(0);
  t.same([push.remote, push.local.address], [{ address: 0xef010203, port: 848 }, 0xac100402]);
  const before = r1.router.gdoi.memberGroups()[0].rekeysReceived;
  for (const type of [2, 4, 5, 32, 35]) {
    const bytes = push.bytes.slice();
    bytes[18] = type;
    r1.router.receiveMulticast({ local: push.remote, remote: push.local, bytes }, now);
  }
  r1.router.receiveMulticast({ local: push.remote, remote: push.local, bytes: new Uint8Array(3) }, now);
  t.equal(r1.router.gdoi.memberGroups()[0].rekeysReceived, before);
  r1.router.receiveMulticast({ local: push.remote, remote: push.local, bytes: push.bytes }, now);
  t.equal(r1.router.gdoi.memberGroups()[0].rekeysReceived, before + 1);
  t.same(r1.outbox, [], 'no acknowledgement');
});

t.test('client registration interface: its address is used, also when another interface carries the crypto map', async (t) => {
  const text = member
    .replace(' server address', ' client registration interface Loopback0\n server address')
    .concat('\ninterface Loopback0\n ip address 192.0.2.1 255.255.255.255');
  const r1 = await boot('r1-loopback', text);
  r1.router.start(false, now);
  t.match(r1.outbox, [{ local: { address: 0xc0000201, port: 848 } }]);
});

t.test('a map that fails closed is said to be closed, or open, once the packet path has it so', async (t) => {
  const [r4, r1] = [
    await boot('r4-closed', server),
    await boot('r1-closed', member.replace('crypto map M', 'crypto map M gdoi fail-close\n activate\ncrypto map M')),
  ];
  const inForce = (): void => r1.router.applied(r1.published.at(-1)!.head.generation);
  const said = (): string[] => r1.logged.splice(0).filter((line) => line.includes('FAIL_CLOSE'));
  for (const node of [r4, r1]) {
    node.router.dataplaneUp(helloOf(0, []), null, now);
    node.router.start(false, now);
  }
  t.same([said(), r1.router.closedMaps.has('M')], [[], false], 'published, and no more');
  inForce();
  t.same(
    [said(), r1.router.closedMaps.has('M')],
    [['CRYPTO-4-FAIL_CLOSE: crypto map M is closed: nothing passes in the clear until its groups are registered'], true],
  );
  exchange(r4, r1);
  t.equal(tablesOf(r1).sas.length, 1, 'registered');
  t.same([said(), r1.router.closedMaps.has('M')], [[], true], 'still closed');
  inForce();
  inForce();
  t.same(
    [said(), r1.router.closedMaps.has('M')],
    [['CRYPTO-5-FAIL_CLOSE: crypto map M is open: the policy of its groups is in force'], false],
  );
  // Keys end, and a reload follows before the packet path has said anything: the last tables decide.
  now = r1.router.gdoi.policyOf('G').teks[0].expiresAt;
  r1.router.tick(now);
  r1.router.reconfigure(parseConfig(member).config, now);
  inForce();
  t.same([said(), r1.router.closedMaps.has('M')], [[], false]);
});
