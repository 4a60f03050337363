import t from 'tap';
import { OurProtocol, parseLinux } from '../../../../dataplane/port/linux-state.js';
import { tunName } from '../../../../dataplane/port/ports.js';
import { diffRules, formatRule, planRules } from '../../../../dataplane/port/rules.js';

const ports = [{ port: 0, device: 'eth0', tun: 'gw-eth0', driver: 'tun' as const }];

/** As `ip -N -j rule` prints it. */
const kernelRules = [
  { priority: 0, src: 'all', table: '255' },
  { priority: 32766, src: 'all', table: '254' },
  { priority: 32767, src: 'all', table: '253' },
];
const ours = [
  { priority: 80, src: 'all', iif: 'eth0', ipproto: 'ipproto-17', dport: 848, table: '255', protocol: '84' },
  { priority: 90, src: 'all', iif: 'eth0', ipproto: 'ipproto-1', table: '8480', protocol: '84' },
  { priority: 100, src: 'all', table: '255', protocol: '84' },
  {
    priority: 131,
    src: '10.1.0.0',
    srclen: 24,
    dst: '10.2.0.1',
    ipproto: 'ipproto-6',
    dport_start: 1,
    dport_end: 9,
    action: '6',
    protocol: '84',
  },
  { priority: 132, src: '10.1.0.0', srclen: 24, goto: 140, protocol: '84' },
];

t.test('rules are read back as they are written', async (t) => {
  const { rules } = parseLinux([], [], [], [...kernelRules, ...ours]);
  t.same(rules.filter(({ protocol }) => protocol === OurProtocol).map(formatRule), [
    'pref 80 iif eth0 ipproto 17 dport 848 lookup 255',
    'pref 90 iif eth0 ipproto 1 lookup 8480',
    'pref 100 lookup 255',
    'pref 131 from 10.1.0.0/24 to 10.2.0.1 ipproto 6 dport 1-9 blackhole',
    'pref 132 from 10.1.0.0/24 goto 140',
  ]);
});

t.test('from nothing to the plan and back', async (t) => {
  const fresh = parseLinux([], [], [], kernelRules).rules;
  const plan = planRules(ports, [848], []);
  const added = diffRules(fresh, plan);
  t.equal(added.at(-1), 'rule del pref 0 lookup 255', "the kernel's local rule goes last, when ours is there");
  t.ok(added.includes('rule add pref 100 lookup 255 protocol 84'));
  t.same(diffRules(plan, plan), [], 'nothing to change');
  const removed = diffRules(plan, []);
  t.equal(removed[0], 'rule add pref 0 lookup 255', 'and comes back first');
  t.equal(removed.length, plan.length + 1);
  t.same(diffRules(fresh, []), [], 'a machine without our rules is left alone');
  t.ok(
    planRules(ports, [848], [0xac100102]).map(formatRule).includes('pref 63 iif eth0 from 172.16.1.2 blackhole'),
    'own addresses do not come from outside',
  );
  const filtered = planRules(ports, [848], [], new Set([ports[0].port])).map(formatRule);
  t.notOk(
    filtered.some((rule) => rule.startsWith('pref 80 iif eth0 ')),
    'with a list on what comes in, GDOI comes through the pipeline',
  );
  t.ok(filtered.includes('pref 110 iif lo ipproto 17 sport 848 lookup 254'), 'and leaves past it');
  const shared = planRules(ports, [848, 4500], [], new Set(), [4500]).map(formatRule);
  t.notOk(shared.includes('pref 80 iif eth0 ipproto 17 dport 4500 lookup 255'), 'a port that ESP comes to: through the pipeline');
  t.ok(shared.includes('pref 80 iif eth0 ipproto 17 dport 848 lookup 255'));
  t.ok(shared.includes('pref 110 iif lo ipproto 17 sport 4500 lookup 254'), 'and leaves past it');
  t.same(planRules([], [848], [0x0a000001]), [], 'without ports there is nothing to steer');
});

t.test('raw sockets: ESP is delivered, and what they send goes by main', async (t) => {
  const raw = [...ports, { port: 1, device: 'eth1', tun: 'gw-eth1', driver: 'raw' as const }];
  const texts = planRules(raw, [], []).map(formatRule);
  t.ok(texts.includes('pref 65 iif eth1 ipproto 50 lookup 8513'), 'from its own netdev');
  t.notOk(
    texts.some((text) => text.startsWith('pref 65 iif eth0')),
    'from no other',
  );
  t.ok(texts.includes('pref 60 fwmark 0x67770000 lookup 254'), 'before all rules that look at the way in');
  t.notOk(
    planRules(ports, [], []).some(({ pref }) => pref === 60 || pref === 65),
    'only while there is such a port',
  );
  const { rules } = parseLinux([], [], [], [{ priority: 60, src: 'all', fwmark: '0x67770000', table: '254', protocol: '84' }]);
  t.same(rules.map(formatRule), ['pref 60 fwmark 0x67770000 lookup 254'], 'read back as it is written');
});

t.test('rules of others are left alone', async (t) => {
  const { rules } = parseLinux([], [], [], [...kernelRules, { priority: 90, src: 'all', iif: 'eth0', table: '5', protocol: '3' }]);
  t.notOk(diffRules(rules, []).some((command) => command.includes('del')));
});

t.test('TUN names', async (t) => {
  t.equal(tunName(0, 'eth0', new Set()), 'gw-eth0');
  t.equal(tunName(1, 'enp0s31f6.4094x', new Set()), 'gw-enp0s31f6.40', 'cut to 15');
  t.equal(tunName(12, 'enp0s31f6.4095x', new Set(['gw-enp0s31f6.40'])), 'gw12-enp0s31f6.', 'two that are cut to the same');
});
