// ISAKMP profiles: which one a peer has follows from what it calls itself; entries of a crypto map ask for one; identity and keepalives are a profile's.

import t from 'tap';
import type { IsakmpProfile } from '../../../../control/config/model.js';
import { IdType } from '../../../../control/isakmp/identification.js';
import { profileOf } from '../../../../control/isakmp/profiles.js';
import { anyPeer } from '../isakmp/two-engines.js';
import { address, flows, Gateway, left, line, mismatch, right, Wire } from './two-gateways.js';

function profile(name: string, change: Partial<IsakmpProfile> = {}): IsakmpProfile {
  return { line: 1, name, keyring: null, matchAddresses: [], initiateAggressive: false, ...change };
}

function profiles(...list: IsakmpProfile[]): Map<string, IsakmpProfile> {
  return new Map(list.map((item) => [item.name, item]));
}

const called = (text: string): { type: number; protocol: number; port: number; data: Uint8Array } => {
  const type = text.includes('@') ? IdType.UserFqdn : IdType.Fqdn;
  return { type, protocol: 17, port: 500, data: new TextEncoder().encode(text) };
};

t.test('match identity', async (t) => {
  const all = profiles(
    profile('HOST', { matchNames: [{ kind: 'host', name: 'R1.example.net' }] }),
    profile('DOMAIN', { matchNames: [{ kind: 'host-domain', name: 'example.net' }] }),
    profile('USER', { matchNames: [{ kind: 'user', name: 'ann@example.net' }] }),
    profile('USERS', { matchNames: [{ kind: 'user-domain', name: 'example.net' }] }),
    profile('NET', { matchAddresses: [{ address: address('10.0.0.0'), mask: 0xff000000 }] }),
  );
  const found = (text: string): string | undefined => profileOf(all, null, called(text))?.name;
  t.same(['r1.example.NET', 'r2.example.net', 'example.net', 'notexample.net', 'r1.example.net.evil'].map(found), [
    'HOST',
    'DOMAIN',
    undefined,
    undefined,
    undefined,
  ]);
  t.same(['ann@example.net', 'bob@example.net', 'bob@sub.example.net', 'a@b@example.net'].map(found), [
    'USER',
    'USERS',
    undefined,
    'USERS',
  ]);
  const ipv4 = { type: IdType.Ipv4Address, protocol: 17, port: 500, data: new Uint8Array([10, 1, 2, 3]) };
  t.equal(profileOf(all, null, ipv4)?.name, 'NET');
  t.equal(profileOf(all, address('10.9.9.9'), called('nobody.org'))?.name, 'NET', 'by the address that a key is bound to');
  t.equal(profileOf(all, null, called('nobody.org')), null);
  t.equal(profileOf(all, null, { ...ipv4, type: IdType.KeyId }), null);
});

function network(hub: Map<string, IsakmpProfile>, change: Parameters<typeof flows>[2], spoke: Map<string, IsakmpProfile> = profiles()) {
  const a = new Gateway(left, [flows(left, right, spoke.size > 0 ? { profile: 'P' } : {})], { ike: { profiles: spoke } });
  const b = new Gateway(right, [flows(right, left, change)], { ike: { profiles: hub } });
  const wire = new Wire([a, b]);
  wire.demand(a);
  wire.run(2000);
  return { a, b, wire };
}
const toHub = profile('P', { matchAddresses: [{ address: right, mask: 0xffffffff }] });
const named = profiles({ ...toHub, selfIdentity: { kind: 'fqdn', name: 'spoke.example.net' } });

t.test('an entry is for peers of its profile alone', async (t) => {
  const hub = profiles(profile('SPOKES', { matchNames: [{ kind: 'host-domain', name: 'example.net' }] }));
  const good = network(hub, { profile: 'SPOKES' }, named);
  t.equal(mismatch(good.a.pairs[0], good.b.pairs[0]), null, 'self-identity fqdn, match identity host domain');
  t.same([good.a.ike.sas()[0].profile, good.b.ike.sas()[0].profile], ['P', 'SPOKES']);
  const stranger = network(hub, { profile: 'SPOKES' });
  t.same([stranger.a.pairs, stranger.b.pairs, stranger.b.count('ipsec_no_flow')], [[], [], 1], 'the same peer without that name');
  const user = profiles({ ...toHub, selfIdentity: { kind: 'user-fqdn', name: 'ann@example.net' } });
  const users = profiles(profile('USERS', { matchNames: [{ kind: 'user-domain', name: 'example.net' }] }));
  const third = network(users, { profile: 'USERS' }, user);
  t.equal(mismatch(third.a.pairs[0], third.b.pairs[0]), null, 'self-identity user-fqdn');
});

t.test('the next entry is for those that the first is not for', async (t) => {
  const hub = profiles(profile('SPOKES', { matchNames: [{ kind: 'host', name: 'other.example.net' }] }));
  const b = new Gateway(right, [flows(right, left, { profile: 'SPOKES' }), flows(right, left, { sequence: 20 })], {
    ike: { profiles: hub },
  });
  const a = new Gateway(left, [flows(left, right)]);
  const wire = new Wire([a, b]);
  wire.demand(a);
  wire.run(1000);
  t.same(
    b.pairs.map(({ policy }) => policy),
    [`M 20 ${right}`],
  );
});

t.test('we begin, and the peer is not who the profile wants', async (t) => {
  const wrong = profiles(profile('P', { matchNames: [{ kind: 'host', name: 'hub.example.net' }] }));
  const { a, b } = network(profiles(), {}, wrong);
  t.same([a.pairs, b.pairs], [[], []]);
  t.match(a.logs.join('\n'), /its identity does not match isakmp profile P of crypto map M 10/);
  const hub = profiles(
    profile('H', { matchAddresses: [{ address: left, mask: 0xffffffff }], selfIdentity: { kind: 'fqdn', name: 'hub.example.net' } }),
  );
  const good = network(hub, {}, wrong);
  t.equal(mismatch(good.a.pairs[0], good.b.pairs[0]), null, 'the responder calls itself what its profile for us says');
});

t.test('keyrings: of the profile that the entry names, and of profiles for names', async (t) => {
  const key = { ...anyPeer('of a keyring'), mask: 0, address: 0 };
  const keyrings = new Map([['R', { line: 1, name: 'R', keys: [key], hostKeys: [] }]]);
  const hub = profiles(profile('SPOKES', { keyring: 'R', matchNames: [{ kind: 'host-domain', name: 'example.net' }] }));
  const own = profiles(
    profile('P', {
      keyring: 'R',
      selfIdentity: { kind: 'fqdn', name: 'x.example.net' },
      matchAddresses: [{ address: right, mask: 0xffffffff }],
    }),
  );
  const a = new Gateway(left, [flows(left, right, { profile: 'P' })], { ike: { profiles: own, keyrings, keys: [] } });
  const b = new Gateway(right, [flows(right, left, { profile: 'SPOKES' })], { ike: { profiles: hub, keyrings, keys: [] } });
  const wire = new Wire([a, b]);
  wire.demand(a);
  wire.run(1000);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
  for (let n = 0; n < 3; n++) wire.run(3_000_000);
  t.notMatch(a.logs.join('\n'), /DOWN/, 'and over replacements of both kinds');
});

t.test('a key that came from the keyring of another profile than the one that fits is still a key', async (t) => {
  const keyrings = new Map([['R', { line: 1, name: 'R', keys: [{ ...anyPeer('k'), mask: 0, address: 0 }], hostKeys: [] }]]);
  const hub = profiles(
    profile('FIRST', { matchAddresses: [{ address: left, mask: 0xffffffff }] }),
    profile('NAMES', { keyring: 'R', matchNames: [{ kind: 'host-domain', name: 'example.net' }] }),
  );
  const a = new Gateway(left, [flows(left, right)], { ike: { keys: [anyPeer('k')] } });
  const b = new Gateway(right, [flows(right, left)], { ike: { profiles: hub, keyrings, keys: [] } });
  const wire = new Wire([a, b]);
  wire.demand(a);
  wire.run(1000);
  t.match(b.ike.sas(), [{ profile: 'FIRST' }]);
  const policies = b.ike.sas().map(({ policy }) => policy);
  t.strictSame(b.ike.reconfigure({ policies, keys: [], keyrings, profiles: hub }, wire.now), []);
  t.equal(b.ike.sas().length, 1);
});

t.test("a profile's keepalive finds a dead peer", async (t) => {
  const hub = profiles(
    profile('H', {
      matchAddresses: [{ address: left, mask: 0xffffffff }],
      keepalive: { seconds: 10, retrySeconds: 2, mode: 'periodic' },
    }),
  );
  const { a, b, wire } = network(hub, {});
  wire.fault = () => [];
  wire.run(60_000);
  t.same([b.pairs.length, a.pairs.length], [0, 1], 'here, and not where no keepalive is configured');
});

t.test('two entries with one peer and two profiles: an ISAKMP SA each', async (t) => {
  const hub = profiles(
    profile('ONE', { matchNames: [{ kind: 'host', name: 'one' }] }),
    profile('TWO', { matchNames: [{ kind: 'host', name: 'two' }] }),
  );
  const lists = ['10.1.0.0', '10.3.0.0'];
  const of = (name: string): IsakmpProfile => ({ ...toHub, name, selfIdentity: { kind: 'fqdn', name: name.toLowerCase() } });
  const policies = lists.map((net, i) =>
    flows(left, right, { sequence: 10 + i, entries: [line(net, '10.2.0.0')], profile: ['ONE', 'TWO'][i] }),
  );
  const a = new Gateway(left, [policies[0]], { ike: { profiles: profiles(of('ONE')) } });
  const b = new Gateway(
    right,
    lists.map((net, i) => flows(right, left, { sequence: 10 + i, entries: [line('10.2.0.0', net)], profile: ['ONE', 'TWO'][i] })),
    { ike: { profiles: hub } },
  );
  const wire = new Wire([a, b]);
  wire.demand(a);
  wire.run(1000);
  t.same(
    b.pairs.map(({ policy }) => policy),
    [`M 10 ${right}`],
  );
  const ended = a.ike.reconfigure(
    {
      policies: a.ike.sas().map(({ policy }) => policy),
      keys: [anyPeer('a shared secret')],
      profiles: profiles(of('TWO')),
    },
    wire.now,
  );
  wire.perform(a, ended);
  a.policies = [policies[1]];
  wire.perform(a, a.ipsec.configure(policies, wire.now));
  wire.demand(a);
  wire.run(1000);
  t.same(
    [b.pairs.map(({ policy }) => policy), b.ike.sas().map((sa) => sa.profile)],
    [
      [`M 10 ${right}`, `M 11 ${right}`],
      ['ONE', 'TWO'],
    ],
  );
});
