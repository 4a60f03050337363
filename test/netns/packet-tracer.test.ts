// packet-tracer in the seed's network: it says what the router then does, names the lines, and changes nothing.
//
//   h1 10.0.1.10 -- r1 (ip nat inside | outside 172.16.1.2, crypto map) -- core -- r2 -- h2 10.0.2.10,  core -- inet 198.51.100.10
//
//   r1 :: packet-tracer h1 -> h2          :: the deny entry that exempts it, the crypto map entry, the group's entry, an SA; allow
//   r1 :: packet-tracer h1 -> inet        :: translated to 172.16.1.2, in the clear; as the packet that h1 then sends is, seen at inet
//   r1 :: the counters before and after   :: equal
//   r1 :: reload with `list NAT`, again   :: h1 -> h2 is translated and misses the crypto map, and the answer says why; ping fails
//   r1 :: groupwire check                 :: names the statement, the list's line, the crypto map and the route-map to add

import t from 'tap';
import type { PacketTrace } from '../../control/api/packet-trace.js';
import { Lab, repoRoot, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';

const toBranch = 'packet-tracer input FastEthernet0/1 udp 10.0.1.10 5000 10.0.2.10 53';

t.test('what would become of a packet', async (t) => {
  const lab = await Lab.up({ config: 'seed', start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  const ask = async (line: string) => JSON.parse(await lab.groupwire('r1', 'exec', `${line} json`)) as PacketTrace;
  const phaseOf = (trace: PacketTrace, type: string) => trace.phases.find((phase) => phase.type === type);
  const textOf = (trace: PacketTrace, type: string) =>
    [
      ...(phaseOf(trace, type)?.config ?? []).map(({ line, text }) => `${line}: ${text}`),
      ...(phaseOf(trace, type)?.information ?? []),
    ].join('\n');

  const vpn = await ask(toBranch);
  t.match(
    textOf(vpn, 'NAT'),
    /\d+: route-map NAT deny 10[\s\S]*ip access-list extended VPN: \d+ permit[\s\S]*Not translated: route-map NAT deny 10/,
  );
  t.match(textOf(vpn, 'CRYPTO-MAP'), /crypto map[\s\S]*set group[\s\S]*policy of group[\s\S]*protects it: SA with SPI 0x[0-9A-F]+/);
  t.ok(phaseOf(vpn, 'VPN'), 'it is encrypted');
  t.match(vpn.result, {
    action: 'allow',
    dropReason: null,
    input: { status: 'up' },
    output: { interface: 'FastEthernet0/0', status: 'up' },
  });
  t.equal(vpn.result.sent[0]?.packet.protocol, 'esp');

  const internet = await ask('packet-tracer input FastEthernet0/1 udp 10.0.1.10 5000 198.51.100.10 53');
  t.match(textOf(internet, 'NAT'), /Dynamic translate 10\.0\.1\.10\/5000 to 172\.16\.1\.2\/5000\nA new translation would be made/);
  t.match(textOf(internet, 'ROUTE-LOOKUP'), /^\d+: ip route 0\.0\.0\.0 0\.0\.0\.0/, 'the line of the route');
  t.match(internet.result.sent, [
    { interface: 'FastEthernet0/0', packet: { source: '172.16.1.2', sourcePort: 5000, destination: '198.51.100.10' } },
  ]);
  const { translations } = (await lab.show('r1', 'ip nat translations')) as { translations: unknown[] };
  t.same(
    translations.filter((item) => (item as { insideLocal: string }).insideLocal === '10.0.1.10:5000'),
    [],
    'no session was made',
  );

  const text = await lab.groupwire('r1', 'packet-tracer', 'input', 'fa0/1', 'icmp', '10.0.1.10', '8', '0', '198.51.100.10', 'detailed');
  t.match(
    text,
    /^Phase: 1\nType: ROUTE-LOOKUP\nSubtype: Resolve Egress Interface\nResult: ALLOW\nConfig:\nip route .*\(line \d+\)\nAdditional Information:\n/,
  );
  t.match(text, /\nResult:\ninput-interface: FastEthernet0\/1\ninput-status: up\n[\s\S]*\nAction: allow\n/);
  t.match((await ask('packet-tracer input fa0/0 udp 10.0.2.10 5000 10.0.1.10 53')).result, {
    action: 'drop',
    dropReason: { name: 'clear_must_be_encrypted' },
  });
  t.match((await ask('packet-tracer input fa0/0 udp 10.0.2.10 5000 10.0.1.10 53 decrypted')).result, {
    action: 'allow',
    output: { interface: 'FastEthernet0/1' },
  });
  const large = await ask('packet-tracer input fa0/1 udp 10.0.1.10 5000 10.0.2.10 53 size 1480 df-bit');
  t.match(large.result, { action: 'drop', dropReason: { name: 'mtu_exceeded' }, sent: [{ interface: 'FastEthernet0/1', made: true }] });
  t.match(textOf(large, 'MTU'), /Answered with ICMP 3\/4 unreachable, next-hop MTU 14\d\d/);
  t.match(
    (await lab.run('h1', ['ping', '-c', '1', '-W', '2', '-M', 'do', '-s', '1452', '10.0.2.10'])).stdout,
    new RegExp(`mtu ?= ?${/MTU (\d+)/.exec(textOf(large, 'MTU'))?.[1] ? '14\\d\\d' : 'none'}`),
  );

  const sealed = async () => {
    const { gdoiMembers } = (await lab.show('r1', 'crypto gdoi gm dataplan counter')) as { gdoiMembers: { counters: unknown }[] };
    return gdoiMembers.map(({ counters }) => counters);
  };
  const before = await sealed();
  for (let i = 0; i < 2; i++) await ask(toBranch);
  t.same(await sealed(), before, 'nothing was counted, and no sequence number used');

  lab.configure('r1', (config) => substitute(config, /source route-map NAT interface/, 'source list NAT interface'));
  lab.reload('r1');
  let broken = vpn;
  await until('the new tables', async () => {
    broken = await ask(toBranch);
    return textOf(broken, 'NAT').includes('Dynamic translate');
  });
  t.match(textOf(broken, 'NAT'), /\d+: ip nat inside source list NAT interface/);
  t.match(
    textOf(broken, 'CRYPTO-MAP'),
    /it leaves in the clear\nTranslated before the crypto map saw it: as 10\.0\.1\.10 to 10\.0\.2\.10 it would have matched "permit ip/,
  );
  t.match(broken.result.sent, [{ packet: { protocol: 'udp', source: '172.16.1.2' } }]);
  t.equal((await lab.run('h1', ['ping', '-c', '1', '-W', '1', '10.0.2.10'])).status, 1, 'the VPN is broken');
  const { stdout: check } = await lab.run('r1', [`${repoRoot}/cli/groupwire`, 'check', `/run/groupwire-lab/${lab.name}/configs/r1.cfg`]);
  t.match(
    check,
    /ip nat inside source list NAT \(by line \d+\) would translate traffic between private networks before crypto map \S+ of FastEthernet0\/0 \(line \d+\) sees it: group \S+ would not protect it/,
  );
  t.match(check, /route-map NAT deny 10, match ip address VPN; route-map NAT permit 20/, 'the route-map to add');
  await t.rejects(lab.groupwire('r1', 'exec', 'packet-tracer input fa0/7 icmp 1.1.1.1 8 0 2.2.2.2'), /There is no interface/);
});
