// Aggressive mode between two engines, keyrings and profiles; what a stranger gets out of it (bad-input 18).

import t from 'tap';
import type { IsakmpKey, IsakmpProfile, Keyring } from '../../../../control/config/model.js';
import { authority, entity, identityOf, storeOf, trustOf } from '../../../support/test-ca.js';
import { agreed, anyPeer, memberAndServer, memberEnd, Network, Peer, type PeerOptions, policy, serverEnd } from './two-engines.js';

const on: Partial<PeerOptions> = { settings: { aggressiveMode: true } };
const hostKey = (address: number, key = 'k'): IsakmpKey => ({ line: 1, key, address, mask: 0xffffffff });

function profiles(change: Partial<IsakmpProfile> = {}): Map<string, IsakmpProfile> {
  const everyone = [{ address: 0, mask: 0 }];
  return new Map([['P', { line: 1, name: 'P', keyring: null, matchAddresses: everyone, initiateAggressive: false, ...change }]]);
}

function keyrings(change: Partial<Keyring>): Map<string, Keyring> {
  return new Map([['R', { line: 1, name: 'R', keys: [], hostKeys: [], ...change }]]);
}

const begins = { profiles: profiles({ initiateAggressive: true }) };
const keysOfBoth = [{ keys: [hostKey(serverEnd.address)] }, { keys: [hostKey(memberEnd.address)] }];

t.test('three messages', async (t) => {
  for (const [encryption, hash, group] of [
    ['aes-128', 'sha256', 19],
    ['3des', 'sha', 2],
    ['aes-256', 'sha512', 14],
  ] as const) {
    const policies = [policy({ encryption, hash, group }), policy({ priority: 20, group: 15 })];
    const { member, server, network } = memberAndServer({ policies, ...keysOfBoth[0], ...begins }, { policies, ...keysOfBoth[1], ...on });
    network.initiate(member, server);
    t.match(member.engine.sas(), [{ state: 'AG_NO_STATE' }], 'visible while it lasts');
    network.run(1000);
    t.ok(agreed(member, server), `${encryption} ${hash} group ${group}`);
    t.equal(network.sent.length, 3, 'three');
    t.same([member.logs, server.logs], [[], []], 'no complaints');
    network.perform(member, member.engine.notify(member.up[0], 40_000, new Uint8Array(1)));
    network.run(100);
    t.equal(server.notifications.length, 1, 'the SA carries messages');
  }
});

t.test('RSA signatures', async (t) => {
  const root = authority('Root');
  const trust = trustOf([root]);
  const of = (name: string, ip: string) => ({
    keys: [],
    certificates: storeOf(identityOf(name, entity(name, root, { ip: [ip] })), trust),
    policies: [policy({ authentication: 'rsa-sig' })],
  });
  const { member, server, network } = memberAndServer({ ...of('m', '10.0.0.1'), ...begins }, { ...of('s', '10.0.0.2'), ...on });
  network.now = Date.now();
  network.initiate(member, server);
  network.run(1000);
  t.ok(agreed(member, server), 'up');
});

t.test('a name with a key of its own, from behind a translator', async (t) => {
  const ring = keyrings({ hostKeys: [{ line: 1, hostname: 'm.example.net', key: 'k' }] });
  const { member, server, network } = memberAndServer(
    { keys: [anyPeer('k')], identity: 'hostname', hostname: 'm.example.net', ...begins },
    { keys: [], keyrings: ring, profiles: profiles({ keyring: 'R' }), ...on },
  );
  network.translate = (datagram) =>
    datagram.local.address === memberEnd.address
      ? { ...datagram, local: { address: 99, port: datagram.local.port + 1000 } }
      : { ...datagram, remote: { address: memberEnd.address, port: datagram.remote.port - 1000 } };
  network.initiate(member, server);
  network.run(1000);
  t.ok(agreed(member, server), 'up');
  t.match(
    server.up[0],
    { translation: { remote: true, local: false }, remote: { address: 99, port: 5500 }, local: { port: 4500 } },
    'moved to 4500',
  );
});

t.test('lost, doubled and damaged messages', async (t) => {
  for (let n = 0; n < 3; n++) {
    for (const kind of ['lost', 'doubled', 'damaged'] as const) {
      const { member, server, network } = memberAndServer({ ...keysOfBoth[0], ...begins }, { ...keysOfBoth[1], ...on });
      network.fault = ({ bytes }, i) => {
        const copy = { delay: 1, bytes };
        if (i !== n) return [copy];
        if (kind === 'lost') return [];
        const damaged = bytes.slice();
        damaged[damaged.length - 3] ^= 1;
        return kind === 'doubled'
          ? [copy, copy, copy]
          : [
              { delay: 1, bytes: damaged },
              { delay: 2, bytes },
            ];
      };
      network.initiate(member, server);
      network.run(60_000);
      t.equal(member.up.length, 1, `message ${n + 1} ${kind}: the initiator is up`);
      // Nobody repeats message 3: the responder gives up, and the initiator's user finds out.
      const expected = n === 2 && kind === 'lost' ? 0 : 1;
      t.equal(server.up.length, expected, `message ${n + 1} ${kind}: the responder`);
      if (expected) t.ok(agreed(member, server), 'with the same keys');
    }
  }
});

t.test('off by default, and no word to strangers', async (t) => {
  const silent: [string, Partial<PeerOptions>, Partial<PeerOptions>][] = [
    ['off', keysOfBoth[1], {}],
    ['no key', { keys: [], ...on }, {}],
    ['only a wildcard key', { keys: [anyPeer('k')], ...on }, {}],
    ['only a key for the network', { keys: [{ line: 1, key: 'k', address: 0x0a000000, mask: 0xffffff00 }], ...on }, {}],
    [
      'an unknown name',
      {
        ...keysOfBoth[1],
        keyrings: keyrings({ hostKeys: [{ line: 1, hostname: 'x', key: 'k' }] }),
        profiles: profiles({ keyring: 'R' }),
        ...on,
      },
      { identity: 'hostname', hostname: 'y' },
    ],
    ['an offer that does not fit', { ...keysOfBoth[1], policies: [policy({ group: 14 })], ...on }, {}],
  ];
  for (const [name, serverOptions, memberOptions] of silent) {
    const { member, server, network } = memberAndServer({ keys: [anyPeer('k')], ...begins, ...memberOptions }, serverOptions);
    network.initiate(member, server);
    network.run(60_000);
    t.same([member.up, server.up, server.engine.sas()], [[], [], []], `${name}: no SA, no state`);
    t.equal(network.sent.filter(({ local }) => local.address === serverEnd.address).length, 0, `${name}: not a word`);
    t.ok(server.logs.length > 0, `${name}: ${server.logs[0]}`);
  }
  const { member, server, network } = memberAndServer({ keys: [anyPeer('wrong')], ...begins }, { ...keysOfBoth[1], ...on });
  network.initiate(member, server);
  network.run(60_000);
  t.same([member.up, server.up, server.engine.sas()], [[], [], []], 'wrong key: no SA');
  t.match(member.failures, [/does not prove its sender/], 'the initiator sees it at once, and stays');
});

t.test('floods', async (t) => {
  const server = new Peer({
    end: serverEnd,
    bounds: { total: 8, perAddress: 2 },
    keys: Array.from({ length: 50 }, (_, i) => hostKey(100 + i)),
    ...on,
  });
  const network = new Network([server]);
  for (let i = 0; i < 50; i++) {
    const end = { address: 100 + (i % 10), port: 848 };
    const peer = new Peer({ end, seed: `flood ${i}`, keys: [anyPeer('k')], ...begins });
    const [, action] = peer.engine.initiate(end, serverEnd, network.now);
    if (action.kind === 'send') network.inject(end, server, action.datagram.bytes);
  }
  t.ok(server.engine.sas().length <= 8, `${server.engine.sas().length} half open`);
  network.run(60_000);
  t.same(server.engine.sas(), [], 'all given up');
});

t.test('keyrings in main mode: the profile’s keyring, then the global keys', async (t) => {
  const ring = keyrings({ keys: [anyPeer('of the ring')] });
  const cases: [string, string, Partial<IsakmpProfile>][] = [
    ['of the ring', 'global', { keyring: 'R' }],
    ['global', 'global', { keyring: 'R', matchAddresses: [{ address: 0xc0000000, mask: 0xff000000 }] }],
    ['global', 'global', { keyring: null }],
    ['global', 'global', { keyring: 'none such' }],
  ];
  for (const [key, global, profile] of cases) {
    const { member, server, network } = memberAndServer(
      { keys: [anyPeer(key)] },
      { keys: [anyPeer(global)], keyrings: ring, profiles: profiles(profile) },
    );
    network.initiate(member, server);
    network.run(1000);
    t.ok(agreed(member, server), JSON.stringify(profile));
  }
});
