import t from 'tap';
import { planGuard } from '../../../../dataplane/port/leak-guard.js';
import { formatRule, type PortDevices } from '../../../../dataplane/port/rules.js';
import { AceAction, CryptoEntry, CryptoFlag } from '../../../../dataplane/tables/layout.js';

type AceText = [AceAction, number, number, number, number, number, number?, number?, number?, number?];

function ace([
  action,
  protocol,
  src,
  srcCare,
  dst,
  dstCare,
  sportLow = 0,
  sportHigh = 65535,
  dportLow = 0,
  dportHigh = 65535,
]: AceText): number[] {
  return [action, protocol, src | 0, srcCare | 0, dst | 0, dstCare | 0, sportLow, sportHigh, dportLow, dportHigh, ...noFacts];
}

/** Words that a test does not name are 0. */
function entry(words: number[]): number[] {
  return [...words, ...new Array<number>(CryptoEntry.Words - words.length).fill(0)];
}

/** Nothing else is asked. */
const noFacts = [0, 0, 0, 0, 0];

function plan(aces: AceText[], entries: number[][], ports: PortDevices[] = []): string[] {
  return planGuard(Int32Array.from(aces.flatMap(ace)), Int32Array.from(entries.flatMap(entry)), ports).map(formatRule);
}

const net1 = [0x0a010000, 0xffff0000] as const;
const net2 = [0x0a020000, 0xffffff00] as const;

t.test('permit and deny in order', async (t) => {
  const rules = plan(
    [
      [AceAction.Deny, 6, ...net1, ...net2, 0, 65535, 22, 22],
      [AceAction.Permit, -1, ...net1, ...net2],
      [AceAction.Permit, 17, 0, 0, 0x0a020001, 0xffffffff],
    ],
    [[0, 0, 3, -1, 0, CryptoFlag.Registered]],
  );
  t.same(rules, [
    'pref 130 from 10.1.0.0/16 to 10.2.0.0/24 ipproto 6 dport 22 lookup 254',
    'pref 131 from 10.1.0.0/16 to 10.2.0.0/24 blackhole',
    'pref 132 to 10.2.0.1 ipproto 17 blackhole',
  ]);
});

t.test('only entries whose policy is known, each ACL once', async (t) => {
  const acl: AceText[] = [[AceAction.Permit, -1, ...net1, ...net2]];
  t.same(plan(acl, [[0, 0, 1, -1, 0, 0]]), [], 'not registered');
  const twice = plan(acl, [
    [0, 0, 1, -1, 0, CryptoFlag.Registered],
    [1, 0, 1, -1, 0, CryptoFlag.Registered],
  ]);
  t.equal(twice.length, 1, 'one map on two ports');
});

t.test('a deny of one entry goes on to the next', async (t) => {
  const rules = plan(
    [
      [AceAction.Deny, -1, ...net1, ...net2],
      [AceAction.Permit, -1, 0, 0, 0, 0],
      [AceAction.Deny, -1, ...net1, ...net2],
      [AceAction.Permit, -1, ...net1, 0, 0],
    ],
    [
      [0, 0, 2, -1, 0, CryptoFlag.Registered],
      [0, 2, 2, -1, 1, CryptoFlag.Registered],
    ],
  );
  t.match(rules[0], /goto 132$/);
  t.match(rules[2], /^pref 132 .* lookup 254$/);
});

t.test('what a rule cannot say', async (t) => {
  const one = (entry: AceText) => plan([entry], [[0, 0, 1, -1, 0, CryptoFlag.Registered]]);
  t.same(
    one([AceAction.Permit, -1, 0x0a010001, 0xffff00ff, ...net2]),
    ['pref 130 from 10.1.0.0/16 to 10.2.0.0/24 blackhole'],
    'covering prefix',
  );
  t.same(one([AceAction.Deny, -1, 0x0a010001, 0xffff00ff, ...net2]), [], 'a deny with scattered bits is left out');
  t.same(
    one([AceAction.Permit, 6, ...net1, ...net2, 0, 65535, 80, 80]),
    ['pref 130 from 10.1.0.0/16 to 10.2.0.0/24 ipproto 6 blackhole'],
    'fragments',
  );
  t.same(one([AceAction.Deny, 6, ...net1, ...net2, 1024, 65535]), [
    'pref 130 from 10.1.0.0/16 to 10.2.0.0/24 ipproto 6 sport 1024-65534 lookup 254',
  ]);
  t.same(one([AceAction.Deny, 17, ...net1, ...net2, 65535, 65535]), [], 'port 65535 alone');
  t.same(one([AceAction.Deny, 17, ...net1, ...net2, 0, 0]), [], 'port 0 alone');
  t.same(one([AceAction.Deny, 0, ...net1, ...net2]), [], 'protocol 0 would mean any');
  t.same(one([AceAction.Permit, 0, ...net1, ...net2]), ['pref 130 from 10.1.0.0/16 to 10.2.0.0/24 blackhole'], 'and does, for a permit');
});

const eth0: PortDevices = { port: 0, device: 'eth0', tun: 'gw-eth0', driver: 'tun' };

t.test('a closed port: exceptions both ways, then nothing that comes in by it, then the table', async (t) => {
  const aces: AceText[] = [
    [AceAction.Permit, -1, ...net1, ...net2],
    [AceAction.Deny, 6, 0, 0, ...net2, 0, 65535, 22, 22],
    [AceAction.Permit, -1, 0, 0, 0, 0],
    [AceAction.Deny, 6, ...net2, 0, 0, 22, 22],
    [AceAction.Permit, -1, 0, 0, 0, 0],
  ];
  const entries = [
    [0, 0, 1, -1, 0, CryptoFlag.Registered],
    [0, 1, 2, -1, 0, CryptoFlag.ClosedOut],
    [0, 3, 2, -1, 0, CryptoFlag.ClosedIn],
  ];
  t.same(plan(aces, entries, [eth0]), [
    'pref 130 from 10.1.0.0/16 to 10.2.0.0/24 blackhole',
    'pref 131 iif eth0 from 10.2.0.0/24 ipproto 6 sport 22 lookup 254',
    'pref 132 iif eth0 blackhole',
    'pref 133 to 10.2.0.0/24 ipproto 6 dport 22 lookup 254',
    'pref 134 lookup 8498',
  ]);
  t.same(plan(aces, entries, []), ['pref 130 from 10.1.0.0/16 to 10.2.0.0/24 blackhole'], 'a port that is not open has no netdev to guard');
});

t.test('a deny of a group goes on to what is closed', async (t) => {
  const aces: AceText[] = [
    [AceAction.Deny, -1, ...net1, ...net2],
    [AceAction.Permit, -1, 0, 0, 0, 0],
  ];
  const rules = plan(
    aces,
    [
      [0, 0, 1, -1, 0, CryptoFlag.Registered],
      [0, 1, 1, -1, 0, CryptoFlag.ClosedOut],
      [0, 1, 1, -1, 0, CryptoFlag.ClosedIn],
    ],
    [eth0],
  );
  t.same(rules, ['pref 130 from 10.1.0.0/16 to 10.2.0.0/24 goto 131', 'pref 131 iif eth0 blackhole', 'pref 132 lookup 8498']);
});

t.test('what a receive-only SA lets go in the clear is not guarded', async (t) => {
  const acl: AceText[] = [[AceAction.Permit, -1, ...net1, ...net2]];
  t.same(plan(acl, [[0, 0, 1, 0, 0, CryptoFlag.Registered | CryptoFlag.ReceiveOnly]]), [
    'pref 130 from 10.1.0.0/16 to 10.2.0.0/24 lookup 254',
  ]);
});

t.test('a flow between two gateways is guarded as it leaves', async (t) => {
  const rules = plan(
    [
      [AceAction.Permit, -1, ...net1, ...net2],
      [AceAction.Permit, -1, ...net2, ...net1],
    ],
    [
      [0, 0, 1, -1, 0, CryptoFlag.PeerOut, 1],
      [0, 1, 1, -1, 0, CryptoFlag.PeerIn, 1],
    ],
  );
  t.same(rules, ['pref 130 from 10.1.0.0/16 to 10.2.0.0/24 blackhole']);
});
