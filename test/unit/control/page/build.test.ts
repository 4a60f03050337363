// What the status page is told: states in words and colours, bounded lists, and nothing of what a snapshot holds besides.

import fc from 'fast-check';
import t from 'tap';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import { buildPageState } from '../../../../control/page/build.js';
import { emptySnapshot, getvpn1, isakmpSa, memberTek, serverGroup, serverMember } from '../../cli/show/sample.js';

const silent = { address: '1.1.1.1', answers: false, heardSecondsAgo: 9, reason: 'no answer' };

t.test('a member, its group and its key servers', async (t) => {
  const unheard = { address: '2.2.2.2', answers: null, heardSecondsAgo: null, reason: null };
  const good = { address: '1.1.1.1', answers: true, heardSecondsAgo: 0, reason: null };
  const of = (change: Partial<Snapshot>, group = {}) =>
    buildPageState({ ...emptySnapshot(), gdoiMembers: [{ ...getvpn1(), keyServers: [good, unheard], ...group }], ...change }).groups[0];
  t.match(of({}), {
    name: 'getvpn1',
    role: 'member',
    servers: [
      { address: '1.1.1.1', health: 'good', state: 'answers, in use' },
      { address: '2.2.2.2', health: 'unknown', state: 'not heard yet' },
    ],
    members: [{ name: 'R1', address: '3.3.1.1', health: 'good', state: 'registered', isSelf: true }],
  });
  t.match(of({}, { keyServers: [silent] }), { servers: [{ health: 'bad', state: 'no answer' }], members: [{ health: 'good' }] });
  t.match(of({}, { registered: false }), { members: [{ health: 'bad', state: 'not registered' }] });
  t.match(of({ dataplaneConnected: false }), { members: [{ health: 'bad', state: 'no dataplane' }] });
});

t.test('a key server and its members: who misses rekeys comes first, the rest is counted', async (t) => {
  const members = Array.from({ length: 1000 }, (_, n) => serverMember(`10.1.${n >> 8}.${n & 255}`));
  members[700] = { ...members[700], rekeyAcksMissed: 3, rekeyAcksReceived: 0 };
  members[800] = { ...members[800], rekeyAcksMissed: 1, rekeyAcksReceived: 9 };
  const group = { ...serverGroup('ks', '777', '172.16.4.2'), members };
  const [shown] = buildPageState({ ...emptySnapshot(), gdoiServers: [group] }).groups;
  t.match(shown, { role: 'key server', memberCount: 1000, servers: [{ address: '172.16.4.2', health: 'good', state: 'serving' }] });
  t.equal(shown.members.length, 48);
  t.match(shown.members.slice(0, 3), [
    { address: '10.1.2.188', health: 'bad', state: '3 missed' },
    { address: '10.1.3.32', health: 'warn', state: '1 missed' },
    { address: '10.1.0.0', health: 'good', state: 'registered' },
  ]);
  const [pending] = buildPageState({ ...emptySnapshot(), gdoiServers: [{ ...group, policyPending: true }] }).groups;
  t.match(pending.servers, [{ health: 'warn', state: 'policy pending' }]);
  const [stopped] = buildPageState({ ...emptySnapshot(), gdoiServers: [{ ...group, serving: false }] }).groups;
  t.match(stopped.servers, [{ health: 'bad', state: 'not serving' }]);
});

t.test('associations, soonest to end first', async (t) => {
  const state = buildPageState({
    ...emptySnapshot(),
    gdoiMembers: [{ ...getvpn1(), teks: [memberTek(0xabc, 20), memberTek(0xdef, 500)] }],
    isakmpSas: [
      isakmpSa({ ageSeconds: 40, remainingSeconds: 60 }),
      isakmpSa({ state: 'MM_NO_STATE', ageSeconds: null }),
      isakmpSa({ state: 'GDOI_REKEY' }),
    ],
  });
  t.match(state.sas.slice(0, 2), [
    { kind: 'TEK', with: 'getvpn1', spi: '0x00000ABC', remainingSeconds: 20, lifetimeSeconds: 600 },
    { kind: 'IKE', with: '1.1.1.1', remainingSeconds: 60, lifetimeSeconds: 100 },
  ]);
  t.strictSame(state.sas.map(({ kind }) => kind).toSorted(), ['IKE', 'KEK', 'TEK', 'TEK']);
  const many = { ...getvpn1(), teks: Array.from({ length: 100 }, (_, n) => memberTek(n, 600 - n)) };
  const bounded = buildPageState({ ...emptySnapshot(), gdoiMembers: [many] });
  t.match([bounded.sas.length, bounded.saCount, bounded.sas[0].remainingSeconds], [64, 101, 501]);
});

t.test('a word that a snapshot holds elsewhere is not told', async () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{12}$/), (word) => {
      const secret = `SECRET${word}`;
      const snapshot = {
        ...emptySnapshot(),
        runningConfig: secret,
        logging: { ...emptySnapshot().logging, lines: [secret] },
        publicKeys: [{ name: secret, bits: 1024, exportable: false, generatedAt: 0, publicKeyHex: '30' }],
        debugging: [secret],
        // What strays into an object is not copied with it.
        gdoiMembers: [
          { ...getvpn1(), teks: [{ ...memberTek(1, 2), key: secret }], [secret]: secret, keyServers: [{ ...silent, key: secret }] },
        ],
        gdoiServers: [{ ...serverGroup('ks', '7', '1.1.1.1'), members: [{ ...serverMember('1.1.1.2'), key: secret }], secret }],
      } as unknown as Snapshot;
      if (JSON.stringify(buildPageState(snapshot)).includes(secret)) throw new Error(`${secret} is told`);
    }),
  );
});
