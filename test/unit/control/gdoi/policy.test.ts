// Configuration -> policy of a group: what is resolved, and what is refused with its reason.

import t from 'tap';
import type { AclEntry, Config } from '../../../../control/config/model.js';
import { inexpressible, PolicyError, resolvePolicy } from '../../../../control/gdoi/policy.js';
import { ace, serverConfig } from '../../../exchange/control/gdoi/group-network.js';

function resolve(change: (config: Config) => void = () => {}) {
  const config = serverConfig();
  change(config);
  const group = config.gdoiGroups.get('G');
  if (!group) throw new Error('the group exists');
  return resolvePolicy(config, group);
}

function reasons(change: (config: Config) => void): string {
  try {
    resolve(change);
  } catch (error) {
    if (error instanceof PolicyError) return error.reasons.join('\n');
    throw error;
  }
  return 'accepted';
}

function server(config: Config) {
  const found = config.gdoiGroups.get('G')?.server;
  if (!found) throw new Error('the group has a server');
  return found;
}

t.test('resolved', async (t) => {
  t.match(resolve(), [
    {
      sequence: 1,
      profile: 'P',
      aclName: 'ACL',
      encryption: 'esp-aes-256',
      authentication: 'esp-sha256-hmac',
      lifetimeSeconds: 3600,
      replayWindow: 64,
    },
  ]);
  const [policy] = resolve((config) => {
    config.ipsecProfiles.set('P', { line: 1, name: 'P', transformSets: ['TS'], lifetimeSeconds: null, pfs: null });
    for (const sa of server(config).sas.values()) sa.replay = { method: 'none' };
  });
  t.equal(policy.lifetimeSeconds, 3600, 'IOS default');
  t.equal(policy.replayWindow, 0);
  t.notOk('line' in policy.entries[0], 'no line numbers on the wire');
});

t.test('refused', async (t) => {
  const cases: [RegExp, (config: Config) => void][] = [
    [/the group has no identity/, (config) => Object.assign(config.gdoiGroups.get('G') ?? {}, { identity: null })],
    [/no sa ipsec is configured/, (config) => server(config).sas.clear()],
    [/multicast rekeys \(the default\) have no rekey address/, (config) => Object.assign(server(config), { rekeyTransport: 'multicast' })],
    [/sa ipsec 1: profile P does not exist/, (config) => config.ipsecProfiles.clear()],
    [/sa ipsec 1: profile P has no transform set/, (config) => config.transformSets.clear()],
    [/transport mode is not supported/, (config) => Object.assign(config.transformSets.get('TS') ?? {}, { mode: 'transport' })],
    [/do not go together/, (config) => Object.assign(config.transformSets.get('TS') ?? {}, { authentication: null })],
    [/access list ACL does not exist/, (config) => config.accessLists.clear()],
    [/access list ACL is empty/, (config) => config.accessLists.get('ACL')?.entries.splice(0)],
    [
      /more than 400 entries/,
      (config) => Object.assign(config.accessLists.get('ACL') ?? {}, { entries: Array.from({ length: 401 }, () => ace()) }),
    ],
    [/lifetime of 14 seconds/, (config) => Object.assign(config.ipsecProfiles.get('P') ?? {}, { lifetimeSeconds: 14 })],
  ];
  for (const [expected, change] of cases) t.match(reasons(change), expected);
  t.match(
    reasons((config) => {
      config.ipsecProfiles.clear();
      Object.assign(config.gdoiGroups.get('G') ?? {}, { identity: null });
    }),
    /no identity\n.*does not exist|does not exist\n|identity/,
    'all reasons at once',
  );
});

t.test('entries that a SAT payload cannot say', async (t) => {
  const eq = (...ports: number[]) => ({ operator: 'eq', ports }) as const;
  const cases: [RegExp | null, Partial<AclEntry>][] = [
    [null, {}],
    [null, { protocol: 6, destinationPort: eq(22) }],
    [null, { protocol: 1 }],
    [/holes/, { sourceWildcard: 0xff00ff00 }],
    [/holes/, { destinationWildcard: 1 << 8 }],
    [/only 'eq'/, { protocol: 6, sourcePort: { operator: 'range', ports: [1, 2] } }],
    [/only 'eq'/, { protocol: 6, destinationPort: { operator: 'neq', ports: [1] } }],
    [/only 'eq'/, { protocol: 6, destinationPort: eq(1, 2) }],
    [/port 0/, { protocol: 6, destinationPort: eq(0) }],
    [/without a protocol that has ports/, { destinationPort: eq(1) }],
    [/without a protocol that has ports/, { protocol: 50, destinationPort: eq(1) }],
    [/protocol 0/, { protocol: 0 }],
  ];
  for (const [expected, change] of cases) {
    const why = inexpressible(ace(change));
    if (expected) t.match(why, expected, JSON.stringify(change));
    else t.equal(why, null, JSON.stringify(change));
  }
});
