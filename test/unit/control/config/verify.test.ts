// verify.ts and verify/: every check with the exact line it reports.

import t from 'tap';
import { checkConfig } from '../../../../control/config/check.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { verifyConfig } from '../../../../control/config/verify.js';
import { listErrors, listProblems, seedKeyServer, seedMember } from './texts.js';

/** A key server without a single problem; `%` marks replaceable parts. */
const server = `hostname KS
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key K address 172.16.1.2
crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac
crypto ipsec profile P
 set transform-set T
crypto gdoi group G
 identity number 7
 server local
  rekey algorithm aes 256
  rekey authentication mypubkey rsa KS-KEY
  rekey transport unicast
  sa ipsec 1
   profile P
   match address ipv4 A
  address ipv4 172.16.4.2
interface eth0
 ip address 172.16.4.2 255.255.255.252
ip access-list extended A
 deny udp any eq 848 any eq 848
 permit ip 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255
`;
const member = `hostname GM
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key K address 172.16.4.2
crypto gdoi group G
 identity number 7
 server address ipv4 172.16.4.2
crypto map M 10 gdoi
 set group G
interface eth1
 ip address 172.16.1.2 255.255.255.252
 crypto map M
ip route 0.0.0.0 0.0.0.0 172.16.1.1
`;
const failOpen = '12 warning group G is fail-open: until it is registered, its traffic is forwarded in the clear';

function everyProblem(text: string): string[] {
  return listProblems(text, checkConfig);
}

/** But for routing protocols that a list takes: they have a test of their own. */
function problems(text: string): string[] {
  return everyProblem(text).filter((line) => !line.includes('neighbours that are no members'));
}

/** `text` with one line changed; `null` removes it. */
function edit(text: string, line: number, to: string | null): string {
  const lines = text.split('\n');
  lines.splice(line - 1, 1, ...(to === null ? [] : [to]));
  return lines.join('\n');
}

t.test('good configurations have no problem; a member says that it is fail-open', (t) => {
  t.strictSame(problems(server), []);
  t.strictSame(problems(member), [failOpen]);
  t.strictSame(problems(''), []);
  t.end();
});

t.test('the seed’s configurations: no error, and the weak choices named with their lines', (t) => {
  t.strictSame(problems(seedMember), [
    '3 warning crypto isakmp policy 100: Diffie-Hellman group 1 has 768 bits: an academic team can break it',
    '4 warning crypto isakmp policy 100: 3DES is deprecated (64-bit blocks)',
    '14 warning group GDOI-GROUP is fail-open: until it is registered, its traffic is forwarded in the clear',
    '16 warning FastEthernet0/0 has no Linux device: it stays down',
  ]);
  t.strictSame(problems(seedKeyServer), [
    '2 warning crypto isakmp policy 100: Diffie-Hellman group 1 has 768 bits: an academic team can break it',
    '3 warning crypto isakmp policy 100: 3DES is deprecated (64-bit blocks)',
    '8 warning transform set TRANSFORM-SET: 3DES is deprecated (64-bit blocks)',
    '13 warning rekeys are encrypted with 3DES (the default), which is deprecated',
    '22 warning FastEthernet0/0 has no Linux device: it stays down',
  ]);
  t.end();
});

t.test('a key server that is incomplete or refers to nothing', (t) => {
  const cases: [string, string[]][] = [
    [edit(server, 15, null), ['13 error the key server has no RSA key to sign rekeys with']],
    [edit(server, 16, null), ['13 error multicast rekeys (the default) have no rekey address ipv4']],
    [edit(edit(edit(server, 19, null), 18, null), 17, null), ['13 error the key server has no sa ipsec: there is nothing to hand out']],
    [edit(server, 18, null), ['17 error sa ipsec 1 has no profile']],
    [edit(server, 19, null), ['17 error sa ipsec 1 has no match address ipv4']],
    [edit(server, 18, '   profile X'), ['18 error there is no crypto ipsec profile X']],
    [edit(server, 19, '   match address ipv4 X'), ['19 error there is no access list X']],
    [edit(server, 10, null), ['9 error profile P has no transform set']],
    [edit(server, 10, ' set transform-set X'), ['10 error there is no crypto ipsec transform-set X']],
    [edit(server, 10, ' set transform-set T T'), ['10 error profile P: a group SA has exactly one transform set, members cannot choose']],
    [
      edit(server, 9, ' mode transport\ncrypto ipsec profile P'),
      ['9 error transform set T is in transport mode, which a group SA cannot be yet'],
    ],
    [edit(server, 12, null), ['11 error group G has no identity']],
    [edit(server, 25, null), ['19 error access list A permits nothing']],
    [edit(server, 5, null), ['2 error crypto isakmp policy 10: rsa-sig (the default) needs a trustpoint']],
    [server.replace(/crypto isakmp policy 10\n( .*\n)+/, ''), ['6 error there is no crypto isakmp policy, so no phase 1 can be agreed']],
    [edit(server, 20, '  address ipv4 172.16.4.1'), ['20 warning no interface has the address 172.16.4.1: rekeys cannot come from it']],
    [edit(server, 7, null), ['10 warning there is no crypto isakmp key: no member can register']],
    [
      edit(server, 14, '  rekey lifetime seconds 299'),
      [
        '13 warning rekeys are encrypted with 3DES (the default), which is deprecated',
        '14 warning a rekey lifetime of 299 s is for tests: IOS takes no less than 300',
      ],
    ],
    [
      edit(server, 19, '   match address ipv4 A\n   udp-encapsulation'),
      [
        "20 warning sa ipsec 1: members that do not know ESP in UDP within a group refuse the policy: Cisco's, and groupwire before this command",
      ],
    ],
    [edit(server, 14, '  rekey algorithm des'), ['14 warning rekeys with DES can be broken within a day']],
    [
      edit(server, 10, ' set transform-set T\n set security-association lifetime seconds 30'),
      ['11 warning a lifetime of 30 s is for tests: IOS takes no less than 120'],
    ],
    [
      edit(server, 12, ' identity number 7\n server address ipv4 1.1.1.1'),
      ['13 error group G has server local and server address: a router is key server or member'],
    ],
    [
      `${server}crypto gdoi group H\n identity number 7\n server address ipv4 172.16.1.2\n`,
      ['27 error group G has the identity number 7 already', '26 warning group H is in no crypto map: it protects nothing'].reverse(),
    ],
  ];
  for (const [text, wanted] of cases) t.strictSame(problems(text), wanted, wanted[0]);
  t.end();
});

t.test('where multicast rekeys go', (t) => {
  const withList = (entry: string): string[] =>
    problems(`${edit(server, 16, '  rekey address ipv4 REKEY')}ip access-list extended REKEY\n ${entry}\n`);
  t.strictSame(withList('permit udp host 172.16.4.2 eq 848 host 239.1.1.1 eq 848'), []);
  t.strictSame(withList('permit ip any host 239.1.1.1'), []);
  const list = '16 error rekey address: access list REKEY';
  for (const [entry, reason] of [
    ['permit tcp any host 239.1.1.1', `${list}: rekeys are UDP`],
    ['permit udp any host 10.1.1.1', `${list}: the destination is not one multicast address`],
    ['permit udp any 239.0.0.0 0.255.255.255', `${list}: the destination is not one multicast address`],
    ['permit udp any host 224.0.0.9', `${list}: routers do not forward 224.0.0.9`],
    ['permit udp any host 239.1.1.1 eq 500', `${list}: rekeys come from and go to port 848`],
    ['permit udp any range 800 900 host 239.1.1.1', `${list}: rekeys come from and go to port 848`],
    ['deny udp any host 239.1.1.1', `${list} does not exist or permits nothing`],
  ]) {
    t.strictSame(withList(entry), [reason], entry);
  }
  t.strictSame(problems(edit(server, 16, '  rekey address ipv4 NONE')), [
    '16 error rekey address: access list NONE does not exist or permits nothing',
  ]);
  t.strictSame(problems(edit(server, 16, '  rekey transport unicast\n  rekey address ipv4 X')), [
    '17 warning rekey address has no effect: rekeys are unicast',
  ]);
  const from = (name: string): string[] =>
    problems(edit(member, 1, `hostname R1\ncrypto gdoi group G\n client registration interface ${name}`));
  t.match(from('Loopback7').join('\n'), /client registration interface Loopback7 does not exist or has no address/);
  t.end();
});

t.test('what a group policy cannot carry', (t) => {
  const entry = (line: string): string[] => problems(edit(server, 24, ` ${line}\n deny udp any eq 848 any eq 848`));
  t.strictSame(entry('permit ip 10.1.0.0 0.0.254.255 any'), [
    '24 error the source wildcard 0.0.254.255 is not contiguous: a group policy cannot carry it (RFC 6407 §5.5)',
  ]);
  t.strictSame(entry('deny ip any 10.0.0.1 255.0.255.0'), [
    '24 error the destination wildcard 255.0.255.0 is not contiguous: a group policy cannot carry it (RFC 6407 §5.5)',
  ]);
  for (const operator of ['neq 5', 'gt 5', 'lt 5', 'range 5 6']) {
    t.match(entry(`deny tcp any ${operator} any`), [new RegExp(`^24 error "${operator.split(' ')[0]}" ports`)], operator);
    t.match(entry(`deny tcp any any ${operator}`), [/^24 error/], operator);
  }
  t.match(entry('deny tcp any eq 0 any'), [/^24 error port 0 means every port/]);
  t.strictSame(entry('deny tcp any eq 22 any'), []);
  const many = (count: number): string =>
    edit(server, 25, Array.from({ length: count }, (_, i) => ` permit ip 10.0.${i >> 8}.${i & 255} 0.0.0.0 any`).join('\n'));
  t.strictSame(problems(many(99)), []);
  t.strictSame(problems(many(101)), ['23 warning access list A has 102 entries: IOS members take 100']);
  t.strictSame(problems(many(1000)), ['23 error access list A has 1001 entries: more than 400 do not fit in a rekey message']);
  t.strictSame(problems(edit(edit(edit(server, 25, ' permit any'), 24, null), 23, 'ip access-list standard A')), [
    '19 error access list A is a standard one: a group needs an extended one',
  ]);
  t.end();
});

t.test('a list that would encrypt GDOI itself', (t) => {
  t.strictSame(problems(edit(edit(server, 25, ' permit ip any any'), 24, null)), [
    '24 warning encrypts GDOI itself (UDP 848 from 172.16.4.2 to 172.16.1.2): members could not register',
  ]);
  t.strictSame(problems(edit(edit(server, 25, ' permit udp 172.16.0.0 0.0.255.255 172.16.0.0 0.0.255.255'), 24, null)), [
    '24 warning encrypts GDOI itself (UDP 848 from 172.16.4.2 to 172.16.1.2): members could not register',
  ]);
  t.strictSame(problems(edit(server, 25, ' permit ip any any')), [], 'the deny in front of it keeps it clear');
  t.strictSame(problems(edit(edit(server, 25, ' permit tcp any any'), 24, null)), []);
  const anyKey = edit(edit(edit(server, 7, 'crypto isakmp key K address 0.0.0.0'), 25, ' permit ip 172.16.9.0 0.0.0.255 any'), 24, null);
  t.strictSame(
    problems(anyKey),
    ['24 warning encrypts GDOI itself (UDP 848 from 172.16.9.0 to 172.16.4.2): members could not register'],
    'with one key for all, members are looked for in the list',
  );
  t.strictSame(problems(edit(edit(server, 25, ' permit udp any eq 500 any'), 24, null)), []);
  t.end();
});

const routing = 'warning encrypts OSPF, EIGRP, RIP, PIM, IGMP: neighbours that are no members could not be heard';

t.test('a list that would encrypt routing protocols', (t) => {
  const list = (...lines: string[]) => everyProblem(edit(server, 25, lines.map((line) => ` ${line}`).join('\n')));
  t.strictSame(list('permit ip 172.16.0.0 0.0.255.255 any'), [`25 ${routing}`]);
  t.strictSame(list('deny ospf any any', 'deny udp any any eq 520', 'permit ip any any'), [
    '27 warning encrypts EIGRP, PIM, IGMP: neighbours that are no members could not be heard',
  ]);
  const all = ['deny ospf any any', 'deny eigrp any any', 'deny udp any any eq rip', 'deny pim any any', 'deny igmp any any'];
  t.strictSame(list(...all, 'permit ip any any'), []);
  t.strictSame(list('deny ip any 224.0.0.0 0.0.0.255', 'permit ip any any'), []);
  t.strictSame(list('deny ospf host 10.0.0.1 any', 'permit ospf any any'), [
    '26 warning encrypts OSPF: neighbours that are no members could not be heard',
  ]);
  t.strictSame(list('permit tcp any any'), []);
  t.end();
});

t.test('two SAs of a group that want the same packets', (t) => {
  const two = (second: string): string =>
    edit(`${server}ip access-list extended B\n ${second}\n`, 17, '  sa ipsec 2\n   profile P\n   match address ipv4 B\n  sa ipsec 1');
  t.strictSame(problems(two('permit ip 10.0.5.0 0.0.0.255 any')), ['28 error sa ipsec 1 of group G protects traffic of sa ipsec 2 too']);
  t.strictSame(problems(two('permit ip 10.1.5.0 0.0.0.255 any')), []);
  t.strictSame(problems(two('deny ip any any\n permit ip 10.0.5.0 0.0.0.255 any')), [], 'kept apart by a deny');
  t.strictSame(problems(two('permit tcp 10.0.5.0 0.0.0.255 10.0.0.0 0.0.255.255 eq 22')), [
    '28 error sa ipsec 1 of group G protects traffic of sa ipsec 2 too',
  ]);
  t.end();
});

t.test('a member that is incomplete or refers to nothing', (t) => {
  const cases: [string, string[]][] = [
    [
      edit(member, 7, 'crypto isakmp key K address 172.16.4.1'),
      ['10 warning no crypto isakmp key matches the key server 172.16.4.2', failOpen],
    ],
    [edit(member, 7, 'crypto isakmp key K address 172.16.0.0 255.255.0.0'), [failOpen]],
    [edit(member, 7, 'crypto isakmp key K address 0.0.0.0'), [failOpen]],
    [
      edit(member, 10, null),
      [
        '8 error group G has no key server',
        '11 warning group G is fail-open: until it is registered, its traffic is forwarded in the clear',
      ],
    ],
    [
      edit(member, 10, ' server address ipv4 172.16.1.2'),
      ["10 error 172.16.1.2 is this router's own address", '10 warning no crypto isakmp key matches the key server 172.16.1.2', failOpen],
    ],
    [
      edit(member, 12, null),
      ['8 warning group G is in no crypto map: it protects nothing', '11 error crypto map M 10 has no group: it would protect nothing'],
    ],
    [
      edit(member, 12, ' set group X'),
      ['8 warning group G is in no crypto map: it protects nothing', '12 error there is no crypto gdoi group X'],
    ],
    [edit(member, 12, ' set group G\n match address X'), [failOpen, '13 error there is no access list X']],
    [edit(member, 15, null), ['11 warning crypto map M is applied to no interface']],
    [edit(member, 15, ' crypto map X'), ['11 warning crypto map M is applied to no interface', '15 error there is no crypto map X']],
    [edit(member, 14, null), [failOpen, '14 warning eth1 has a crypto map and no ip address to register from']],
    [
      edit(member, 11, 'crypto map M 5 gdoi\n set group G\ncrypto map M 10 gdoi'),
      [
        failOpen,
        '14 error crypto map M has group G already',
        '14 warning group G is fail-open: until it is registered, its traffic is forwarded in the clear',
      ],
    ],
    [
      `${member}crypto map M 10 gdoi\n match address L\nip access-list extended L\n deny tcp any any\n permit ip any any\n`,
      [failOpen, "21 error a member's own access list can only deny: what is encrypted is the key server's to say"],
    ],
    [
      `${member}crypto map M 10 gdoi\n match address 5\naccess-list 5 deny any\n`,
      [failOpen, '18 error access list 5 is a standard one: a crypto map needs an extended one'],
    ],
    [
      `${server}crypto map M 10 gdoi\n set group G\ninterface eth0\n crypto map M\n`,
      ['27 error this router is the key server of group G: it cannot be its member too'],
    ],
  ];
  for (const [text, wanted] of cases) t.strictSame(problems(text), wanted, wanted.join('; '));
  t.end();
});

t.test('interfaces and routes', (t) => {
  const interfaces = (text: string): string[] => problems(text);
  t.strictSame(interfaces('interface eth0\n ip address 10.0.0.1 255.0.0.0\ninterface eth1\n ip address 10.9.0.1 255.255.0.0'), [
    '4 error 10.9.0.0 overlaps with eth0',
  ]);
  t.strictSame(
    interfaces('interface eth0\n ip address 10.0.0.1 255.0.0.0\ninterface eth1\n ip address 10.9.0.1 255.255.0.0\n shutdown'),
    [],
  );
  t.strictSame(interfaces('interface eth0\n ip address 10.0.0.1 255.0.0.0\ninterface eth1\n ip address 10.0.0.1 255.0.0.0'), [
    '4 error 10.0.0.1 is the address of eth0 already',
  ]);
  t.strictSame(interfaces('interface eth0\n ip address 10.0.0.1 255.0.0.0\n ip address 10.0.0.2 255.0.0.0 secondary'), []);
  t.strictSame(interfaces('interface gi0/0\n linux-device eth0\ninterface eth0'), [
    '3 error GigabitEthernet0/0 has the Linux device eth0 already',
  ]);
  t.strictSame(interfaces('interface gi0/0\n linux-device eth0\ninterface gi0/1\n linux-device eth0'), [
    '4 error GigabitEthernet0/0 has the Linux device eth0 already',
  ]);
  t.strictSame(interfaces('interface gi0/0'), ['1 warning GigabitEthernet0/0 has no Linux device: it stays down']);
  t.strictSame(interfaces('interface gi0/0\n shutdown'), []);
  t.strictSame(interfaces('interface lo0\n port-driver raw\n no offload'), [
    '2 error Loopback0 has no Linux device to drive',
    '3 error Loopback0 has no Linux device that could offload',
  ]);
  t.strictSame(interfaces('interface gi0/0\n shutdown\n port-driver xdp'), [
    '3 error port-driver xdp on GigabitEthernet0/0 needs a Linux device',
  ]);
  t.strictSame(interfaces('interface lo0\n linux-device lo'), ['2 error Loopback0 has no Linux device']);
  t.strictSame(interfaces('interface lo'), ["1 error lo is the host's own loopback and cannot be a port"]);
  t.match(listErrors('interface lo0\n crypto map M\ncrypto map M 1 gdoi\n set group G'), [
    /^2 error a crypto map on Loopback0/,
    /^4 error/,
  ]);
  t.strictSame(problems('ip route 1.0.0.0 255.0.0.0 eth9'), ['1 error there is no interface eth9']);
  t.strictSame(problems('interface eth0\n ip address 1.1.1.1 255.0.0.0\nip route 2.0.0.0 255.0.0.0 1.1.1.1'), [
    '3 error the next hop 1.1.1.1 is this router (eth0)',
  ]);
  t.strictSame(problems('ip route 2.0.0.0 255.0.0.0 224.0.0.1'), ['1 error 224.0.0.1 cannot be a next hop']);
  t.end();
});

t.test('weak choices', (t) => {
  const policy = (line: string): string[] => problems(`crypto isakmp policy 1\n authentication pre-share\n encr aes\n group 14\n ${line}`);
  t.strictSame(policy('hash sha'), []);
  t.match(policy('encr des'), [/^5 warning .* DES can be broken/]);
  t.match(policy('hash md5'), [/^5 warning .* MD5 is deprecated/]);
  t.match(policy('group 2'), [/^5 warning .* group 2 has 1024 bits/]);
  t.match(policy('group 5'), [/^5 warning .* group 5 has 1536 bits/]);
  t.match(problems('crypto ipsec transform-set T esp-null esp-md5-hmac'), [/^1 warning .* esp-null does not encrypt/, /^1 warning .* MD5/]);
  t.end();
});

t.test('problems carry the line as written, and without a text the place it came from', (t) => {
  const text = edit(server, 18, '\tprofile   X  ');
  t.match(checkConfig(text).problems, [{ line: 18, text: 'profile   X' }]);
  t.match(verifyConfig(parseConfig(text).config), [{ line: 18, text: 'profile   X' }]);
  const copy = structuredClone(parseConfig(text).config);
  t.match(verifyConfig(copy), [{ line: 17, text: '' }], 'a copy still knows the lines of its objects');
  t.end();
});

t.test('fail-close: no warning about fail-open, exceptions that are there, a map that can open', (t) => {
  const close = (...lines: string[]) => `${member}crypto map M gdoi fail-close\n${lines.map((line) => ` ${line}\n`).join('')}`;
  const acl = 'ip access-list extended A\n deny tcp any any eq 22\n';
  t.strictSame(problems(close('match address A', 'activate') + acl), []);
  const first = member.split('\n').length;
  t.strictSame(problems(close('match address A') + acl), [
    failOpen,
    `${first} warning fail-close of crypto map M is not activated: the map is fail-open`,
  ]);
  t.strictSame(problems(close('match address X', 'activate')), [`${first + 1} error there is no access list X`]);
  t.match(problems(`${close('match address 10', 'activate')}access-list 10 deny host 1.1.1.1\n`), [
    /error access list 10 is a standard one/,
  ]);
  t.match(problems(close('activate')), [/warning fail-close of crypto map M has no exceptions/]);
  t.match(problems('crypto map N gdoi fail-close\n activate\n').join(), /error crypto map N has no group: fail-close would never open/);
  t.end();
});

t.test('two groups of a key server that want the same packets', (t) => {
  const second = server.slice(server.indexOf('crypto gdoi group G')).split('!')[0].split('ip access-list')[0];
  const other = second.replace('group G', 'group H').replace('number 777', 'number 778');
  t.match(problems(`${server}${other}`).join(), /warning groups G and H protect the same traffic: no router can be a member of both/);
  t.end();
});

t.test('authorization identity beside pre-shared keys proves nothing', (t) => {
  const identity = `${server.replace('  sa ipsec 1', '  authorization identity I\n  sa ipsec 1')}crypto identity I\n fqdn example.net\n`;
  t.strictSame(problems(identity), [
    "17 warning authorization identity I: with pre-shared keys a member's identity is a claim that nothing proves",
  ]);
  const [{ hint }] = checkConfig(identity).problems;
  t.match(hint, /rsa-sig in every crypto isakmp policy, or authorization address ipv4/);
  const signed = `${identity.replace('pre-share', 'rsa-sig')}crypto pki trustpoint T\n enrollment url file:/tmp/x\n`;
  t.strictSame(problems(signed), []);
  const both = `${signed}crypto isakmp policy 20\n encr aes 256\n hash sha256\n authentication pre-share\n group 14\n`;
  t.match(problems(both), [/^17 warning authorization identity I/], 'one policy with pre-shared keys is enough');
  t.end();
});
