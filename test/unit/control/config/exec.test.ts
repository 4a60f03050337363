import t from 'tap';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { privilegedCommands } from '../../../../control/config/exec-shell.js';

/** A show command without a pipe. */
const show = (topic: string, more: object = {}): object => ({ kind: 'show', pipe: null, topic, ...more });

const allTranslations = { protocol: null, inside: null, outside: null, total: false };
const anyTranslation = {
  protocol: null,
  insideGlobal: null,
  insideGlobalPort: null,
  insideLocal: null,
  insideLocalPort: null,
  outsideLocal: null,
  outsideLocalPort: null,
  outsideGlobal: null,
  outsideGlobalPort: null,
};

t.test('every exec command, in full and abbreviated', (t) => {
  const all = { group: null };
  const cases: [string, object][] = [
    ['show crypto isakmp policy', show('crypto isakmp policy')],
    ['sh cry isa pol', show('crypto isakmp policy')],
    ['show crypto isakmp sa', show('crypto isakmp sa', { detail: false })],
    ['show crypto isakmp sa detail', show('crypto isakmp sa', { detail: true })],
    ['show crypto gdoi', show('crypto gdoi', { ...all, detail: false })],
    ['show crypto gkm', show('crypto gdoi', { ...all, detail: false })],
    ['show crypto gdoi detail', show('crypto gdoi', { ...all, detail: true })],
    ['show crypto gdoi group GDOI-GROUP', show('crypto gdoi', { group: 'GDOI-GROUP', detail: false })],
    ['show crypto gdoi group G ks members', show('crypto gdoi ks members', { group: 'G', member: null })],
    ['show crypto gdoi gm', show('crypto gdoi gm', all)],
    ['show crypto gdoi gm acl', show('crypto gdoi gm acl', all)],
    ['show crypto gdoi ks', show('crypto gdoi ks', { ...all, detail: false })],
    ['show crypto gdoi ks detail', show('crypto gdoi ks', { ...all, detail: true })],
    ['show crypto gdoi ks identifier', show('crypto gdoi ks identifier', { ...all, detail: false })],
    ['show crypto gdoi gm identifier', show('crypto gdoi gm identifier', { ...all, detail: false })],
    ['show crypto gdoi gm dataplan counter', show('crypto gdoi gm dataplan counter', all)],
    ['show crypto gdoi gm dataplane counter', show('crypto gdoi gm dataplan counter', all)],
    ['show crypto gdoi gm pubkey', show('crypto gdoi gm pubkey', all)],
    ['show crypto gdoi gm rekey', show('crypto gdoi gm rekey', { ...all, detail: false })],
    ['show crypto gdoi gm rekey detail', show('crypto gdoi gm rekey', { ...all, detail: true })],
    ['show crypto gdoi rekey sa detail', show('crypto gdoi rekey sa', { ...all, detail: true })],
    ['show crypto gdoi ipsec sa', show('crypto gdoi ipsec sa', all)],
    ['show crypto gdoi group G feature long-sa-lifetime', show('crypto gdoi feature', { group: 'G', feature: 'long-sa-lifetime' })],
    ['sh cry gdoi ks mem', show('crypto gdoi ks members', { ...all, member: null })],
    ['show crypto gdoi ks members 10.0.0.1', show('crypto gdoi ks members', { ...all, member: '10.0.0.1' })],
    ['show crypto isakmp sa count', show('crypto isakmp sa count')],
    ['show crypto session detail', show('crypto session', { detail: true })],
    ['sh cry call adm stat', show('crypto call admission statistics')],
    ['show crypto gdoi ks policy', show('crypto gdoi ks policy', all)],
    ['show crypto gdoi ks acl', show('crypto gdoi ks acl', all)],
    ['show crypto ipsec sa', show('crypto ipsec sa', { detail: false, peer: null, interface: null })],
    ['show crypto ipsec sa detail', show('crypto ipsec sa', { detail: true, peer: null, interface: null })],
    ['show crypto ipsec sa peer 192.0.2.2 detail', show('crypto ipsec sa', { detail: true, peer: 0xc0000202, interface: null })],
    ['show crypto ipsec sa interface gi0/0', show('crypto ipsec sa', { detail: false, peer: null, interface: 'GigabitEthernet0/0' })],
    ['show crypto map', show('crypto map')],
    ['show crypto key mypubkey rsa', show('crypto key mypubkey rsa')],
    ['show ip interface brief', show('ip interface brief')],
    ['sh ip int br', show('ip interface brief')],
    ['show interfaces', show('interfaces', { interface: null })],
    ['sh int gi0/0', show('interfaces', { interface: 'GigabitEthernet0/0' })],
    ['sh int gi 0/0', show('interfaces', { interface: 'GigabitEthernet0/0' })],
    ['show interfaces eth0', show('interfaces', { interface: 'eth0' })],
    ['show ip route', show('ip route')],
    ['show ip nat translations', show('ip nat translations', { verbose: false, selection: allTranslations })],
    ['sh ip nat tr ver', show('ip nat translations', { verbose: true, selection: allTranslations })],
    [
      'show ip nat translations tcp inside 10.0.0.1 total',
      show('ip nat translations', { verbose: false, selection: { ...allTranslations, protocol: 'tcp', inside: '10.0.0.1', total: true } }),
    ],
    ['show ip nat statistics', show('ip nat statistics')],
    ['show route-map', show('route-map', { name: null, all: false })],
    ['show route-map all', show('route-map', { name: null, all: true })],
    ['show route-map NAT', show('route-map', { name: 'NAT', all: false })],
    ['clear ip nat translation *', { kind: 'clear ip nat translation', filter: anyTranslation }],
    ['debug ip nat', { kind: 'debug ip nat', level: 'on', list: null }],
    ['debug ip nat detailed', { kind: 'debug ip nat', level: 'detailed', list: null }],
    ['undebug ip nat', { kind: 'debug ip nat', level: 'off', list: null }],
    ['no debug ip nat detailed', { kind: 'debug ip nat', level: 'off', list: null }],
    ['debug ip nat 7', { kind: 'debug ip nat', level: 'on', list: '7' }],
    ['debug ip nat WEB detailed', { kind: 'debug ip nat', level: 'detailed', list: 'WEB' }],
    ['undebug ip nat WEB', { kind: 'debug ip nat', level: 'off', list: null }],
    ['clear ip nat translation forced', { kind: 'clear ip nat translation', filter: anyTranslation }],
    [
      'clear ip nat translation inside 1.0.0.1 10.0.0.1 outside 2.0.0.1 2.0.0.2 forced',
      {
        kind: 'clear ip nat translation',
        filter: {
          ...anyTranslation,
          insideGlobal: 0x01000001,
          insideLocal: 0x0a000001,
          outsideLocal: 0x02000001,
          outsideGlobal: 0x02000002,
        },
      },
    ],
    [
      'clear ip nat translation udp inside 1.0.0.1 5 10.0.0.1 6',
      {
        kind: 'clear ip nat translation',
        filter: {
          ...anyTranslation,
          protocol: 17,
          insideGlobal: 0x01000001,
          insideGlobalPort: 5,
          insideLocal: 0x0a000001,
          insideLocalPort: 6,
        },
      },
    ],
    ['show access-lists', show('access-lists', { name: null })],
    ['show ip access-lists 100', show('access-lists', { name: '100' })],
    ['show running-config', show('running-config')],
    ['SH RUN', show('running-config')],
    ['show version', show('version')],
    ['show clock', show('clock')],
    ['clear counters', { kind: 'clear counters' }],
    ['clear logging', { kind: 'clear logging' }],
    ['show logging', show('logging')],
    ['show debugging', show('debugging')],
    ['clear crypto gdoi', { kind: 'clear crypto gdoi', group: null }],
    ['clear crypto sa', { kind: 'clear crypto sa', peer: null }],
    ['clear crypto sa peer 192.0.2.2', { kind: 'clear crypto sa', peer: 0xc0000202 }],
    ['clear crypto isakmp', { kind: 'clear crypto isakmp', connectionId: null }],
    ['clear crypto isakmp 1001', { kind: 'clear crypto isakmp', connectionId: 1001 }],
    ['clear crypto session', { kind: 'clear crypto session', peer: null }],
    ['clear crypto session remote 192.0.2.2', { kind: 'clear crypto session', peer: 0xc0000202 }],
    ['clear crypto gdoi group G', { kind: 'clear crypto gdoi', group: 'G' }],
    ['clear crypto gdoi ks members', { kind: 'clear crypto gdoi ks members', group: null, immediately: false }],
    ['clear cry gdoi ks mem now', { kind: 'clear crypto gdoi ks members', group: null, immediately: true }],
    ['clear crypto gdoi group G ks members now', { kind: 'clear crypto gdoi ks members', group: 'G', immediately: true }],
    ['crypto gdoi ks rekey', { kind: 'crypto gdoi ks rekey', group: null, immediately: false }],
    ['crypto gdoi ks rekey replace-now', { kind: 'crypto gdoi ks rekey', group: null, immediately: true }],
    ['crypto gdoi ks rekey group G', { kind: 'crypto gdoi ks rekey', group: 'G', immediately: false }],
    ['crypto gdoi ks rekey group G replace-now', { kind: 'crypto gdoi ks rekey', group: 'G', immediately: true }],
    ['write', { kind: 'write' }],
    ['wr mem', { kind: 'write' }],
    ['copy run start', { kind: 'write' }],
    ['configure replace r.cfg', { kind: 'configure replace', file: 'r.cfg', minutes: null }],
    ['configure replace nvram:startup-config time 3', { kind: 'configure replace', file: null, minutes: 3 }],
    ['conf confirm', { kind: 'configure confirm' }],
    ['configure revert now', { kind: 'configure revert' }],
    ['reload check startup-config', { kind: 'reload check', file: null }],
    ['show archive config diff', { kind: 'show', pipe: null, topic: 'archive config differences' }],
    ['show startup-config', { kind: 'show', pipe: null, topic: 'startup-config' }],
    ['show processes cpu', { kind: 'show', pipe: null, topic: 'processes cpu' }],
    ['show drops', { kind: 'show', pipe: null, topic: 'drops' }],
    ['show monitor capture', { kind: 'show', pipe: null, topic: 'monitor capture', name: null }],
    ['show mon cap C', { kind: 'show', pipe: null, topic: 'monitor capture', name: 'C' }],
    ['export keys wireshark /k', { kind: 'export keys wireshark', directory: '/k' }],
    ['debug plat packet-trace packet 9 access-list L', { kind: 'debug packet-trace', packets: 9, accessList: 'L' }],
    ['no debug platform packet', { kind: 'undebug packet-trace' }],
    ['show platform packet-trace packet 3', { kind: 'show', pipe: null, topic: 'packet-trace', packet: 3 }],
    ['monitor capture C stop', { kind: 'monitor capture stop', name: 'C' }],
    ['no mon cap C', { kind: 'no monitor capture', name: 'C' }],
    [
      'monitor capture C interface gi0/1 seconds 5 filter L packets 9 export /tmp/c',
      {
        kind: 'monitor capture',
        name: 'C',
        target: { kind: 'interface', name: 'GigabitEthernet0/1' },
        accessList: 'L',
        limits: { packets: 9, bytes: 100_000_000, seconds: 5 },
        file: '/tmp/c',
      },
    ],
    ['show tech', { kind: 'show', pipe: null, topic: 'tech-support' }],
    ['terminal length 0', { kind: 'terminal length', lines: 0 }],
    ['  term len 0  ', { kind: 'terminal length', lines: 0 }],
    ['crypto key generate rsa', { kind: 'crypto key generate rsa', label: null, modulus: 2048, exportable: false }],
    [
      'crypto key generate rsa general-keys label GETVPN-R4-KS modulus 1024 exportable',
      { kind: 'crypto key generate rsa', label: 'GETVPN-R4-KS', modulus: 1024, exportable: true },
    ],
    ['cry key gen rsa exp mod 4096 lab label', { kind: 'crypto key generate rsa', label: 'label', modulus: 4096, exportable: true }],
  ];
  for (const [line, command] of cases) t.strictSame(parseExec(line), command, line);
  t.end();
});

t.test('what everybody types to leave stays short, whatever else begins so', (t) => {
  for (const line of ['ex', 'exit', 'logout', 'quit']) t.match(parseExec(line, privilegedCommands), { kind: 'logout' }, line);
  t.end();
});

t.test('pipes: plain text to the end of the line', (t) => {
  const pipeOf = (line: string): unknown => {
    const command = parseExec(line) as Extract<ExecCommand, { kind: 'show' }>;
    return 'error' in command ? command : command.pipe;
  };
  t.strictSame(pipeOf('show version | json'), { filter: 'json' });
  t.strictSame(pipeOf('show version|j'), { filter: 'json' });
  t.strictSame(pipeOf('show run | include  permit  ip '), { filter: 'include', text: 'permit  ip' });
  t.strictSame(pipeOf('show run | i (a+)+$'), { filter: 'include', text: '(a+)+$' });
  t.strictSame(pipeOf('show run | ex !'), { filter: 'exclude', text: '!' });
  t.strictSame(pipeOf('show run | beg interface'), { filter: 'begin', text: 'interface' });
  t.strictSame(pipeOf('show run | sec crypto | gdoi'), { filter: 'section', text: 'crypto | gdoi' });
  t.strictSame(pipeOf('show run |'), { error: '% Incomplete command.', column: 10 });
  t.strictSame(pipeOf('show run | include'), { error: '% Incomplete command.', column: 18 });
  t.strictSame(pipeOf('show run | count x'), { filter: 'count', text: 'x' });
  t.strictSame(pipeOf('show run | nonsense x'), { error: "% Invalid input detected at '^' marker.", column: 11 });
  t.strictSame(pipeOf('show run | json x'), { error: "% Invalid input detected at '^' marker.", column: 16 });
  t.strictSame(pipeOf('clear counters | json'), { error: "% Invalid input detected at '^' marker.", column: 15 });
  t.end();
});

t.test('errors in the words of IOS, with the column', (t) => {
  const invalid = "% Invalid input detected at '^' marker.";
  const cases: [string, string, number][] = [
    ['show crpto gdoi', invalid, 5],
    ['  show   foo', invalid, 9],
    ['show crypto gdoi ks members extra', invalid, 28],
    ['show interfaces foo/bar', invalid, 16],
    ['no show version', invalid, 3],
    ['terminal length 24', invalid, 16],
    ['crypto key generate rsa modulus 512', invalid, 32],
    ['crypto key generate rsa modulus 2048 modulus 2048', invalid, 37],
    ['telnet 1.1.1.1', invalid, 0],
    ['ping 10.0.0.256', invalid, 5],
    ['ping 10.0.0.1 size 35', invalid, 19],
    ['ping 10.0.0.1 size 18025', invalid, 19],
    ['ping 10.0.0.1 repeat 0', invalid, 21],
    ['ping 10.0.0.1 data 0xABCDE', invalid, 19],
    ['ping 10.0.0.1 sweep 36 100', '% Incomplete command.', 26],
    ['ping 10.0.0.1 df-bit df-bit', invalid, 21],
    ['ping 10.0.0.1 sweep 100 99 1', '% Sweep max size 99 is below the min size 100', 0],
    ['traceroute', '% Incomplete command.', 10],
    ['traceroute 10.0.0.1 ttl 9 8', '% Maximum time to live 8 is below the minimum 9', 0],
    ['show mtu path', '% Incomplete command.', 13],
    ['show', '% Incomplete command.', 4],
    ['show crypto gdoi group', '% Incomplete command.', 22],
    ['crypto key generate rsa label', '% Incomplete command.', 29],
    ['', '% Incomplete command.', 0],
    ['| json', '% Incomplete command.', 0],
    ['show c', '% Ambiguous command:  "show c"', 5],
    ['c', '% Ambiguous command:  "c"', 0],
    ['show crypto i', '% Ambiguous command:  "show crypto i"', 12],
    ['x'.repeat(5000), invalid, 4096],
  ];
  for (const [line, error, column] of cases) t.strictSame(parseExec(line), { error, column }, line.slice(0, 60));
  t.strictSame(parseExec('show access-lists __proto__'), show('access-lists', { name: '__proto__' }));
  t.end();
});
