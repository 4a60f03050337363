// How lines find their mode, what becomes of lines that do not, and the seed's configurations.

import t from 'tap';
import { checkConfig } from '../../../../control/config/check.js';
import { greetingOf } from '../../../../control/config/commands/banner.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { printConfig } from '../../../../control/config/print.js';
import { listErrors, listProblems, parseClean, reprint, seedKeyServer, seedMember, unindent } from './texts.js';

t.test('the seed’s member, indented or not', (t) => {
  for (const text of [seedMember, unindent(seedMember)]) {
    const config = parseClean(text);
    t.equal(config.hostname, 'R2');
    t.strictSame(config.isakmpPolicies, [
      { line: 3, priority: 100, encryption: '3des', hash: 'sha', authentication: 'pre-share', group: 1, lifetimeSeconds: 86400 },
    ]);
    t.strictSame(config.isakmpKeys, [{ line: 7, key: 'R2-KEY', address: 0xac100402, mask: 0xffffffff }]);
    t.strictSame(
      [...config.gdoiGroups],
      [
        [
          'GDOI-GROUP',
          {
            line: 9,
            name: 'GDOI-GROUP',
            identity: { kind: 'number', number: 777 },
            serverAddresses: [0xac100402],
            passive: false,
            server: null,
          },
        ],
      ],
    );
    t.strictSame(
      [...config.cryptoMaps],
      [['GETVPN-MAP', [{ line: 13, name: 'GETVPN-MAP', sequence: 100, kind: 'gdoi', group: 'GDOI-GROUP', matchAddress: null }]]],
    );
    t.equal(config.interfaces.get('FastEthernet0/0')?.cryptoMap, 'GETVPN-MAP');
    t.strictSame(config.staticRoutes, [{ line: 20, prefix: 0, mask: 0, interface: null, nextHop: 0xac100201, distance: 1 }]);
    t.strictSame(config.unknownLines, []);
    t.strictSame(listErrors(text), [], 'and it can be applied');
  }
  t.end();
});

t.test('the seed’s key server, indented or not: address ipv4 behind sa ipsec belongs to server local', (t) => {
  for (const text of [seedKeyServer, unindent(seedKeyServer)]) {
    const config = parseClean(text);
    const server = config.gdoiGroups.get('GDOI-GROUP')?.server;
    t.match(server, {
      line: 13,
      rekeyRetransmitSeconds: 10,
      rekeyRetransmitNumber: 3,
      rekeyAuthentication: 'GETVPN-R4-KS',
      rekeyTransport: 'unicast',
      address: 0xac100402,
    });
    t.strictSame(
      [...(server?.sas.values() ?? [])],
      [{ line: 17, sequence: 1, profile: 'GETVPN-PROFILE', matchAddress: 'CRYPTO-ACL', replay: { method: 'counter', windowSize: 64 } }],
    );
    t.equal(config.domainName, 'example.com');
    t.equal(config.isakmpKeys.length, 3);
    t.strictSame(config.transformSets.get('TRANSFORM-SET')?.encryption, 'esp-3des');
    t.strictSame(config.ipsecProfiles.get('GETVPN-PROFILE')?.transformSets, ['TRANSFORM-SET']);
    t.equal(config.accessLists.get('CRYPTO-ACL')?.entries.length, 4);
    t.strictSame(listErrors(text), [], 'and it can be applied');
  }
  const [one, other] = [seedKeyServer, unindent(seedKeyServer)].map((text) => printConfig(parseConfig(text).config, { secrets: true }));
  t.equal(one, other);
  t.end();
});

t.test('a key server’s exec command in the file is asked for, not stored', (t) => {
  const line = 'crypto key generate rsa general-keys label GETVPN-R4-KS modulus 2048 exportable';
  const { config, execLines, problems } = parseConfig(`hostname R4\n${line}\nip domain name x.y`);
  t.strictSame(execLines, [{ line: 2, text: line }]);
  t.strictSame(problems, []);
  t.strictSame(config.unknownLines, []);
  t.match(listProblems('crypto key generate rsa modulus 1024'), [/^1 warning an RSA key of 1024 bits is weak/]);
  t.match(listProblems('crypto key generate rsa modulus 512'), [/^1 error/]);
  t.match(listProblems('crypto key generate ec keysize 256'), [/^1 warning unknown command/]);
  t.end();
});

t.test('exit goes one mode outward, end all the way; a line goes outward by itself', (t) => {
  const config = parseClean(`crypto gdoi group G
server local
sa ipsec 1
exit
address ipv4 1.1.1.1
exit
identity number 5
end
hostname X
interface eth0
ip route 1.0.0.0 255.0.0.0 eth0
exit
exit
exit
version 15.1`);
  t.equal(config.gdoiGroups.get('G')?.server?.address, 0x01010101);
  t.strictSame(config.gdoiGroups.get('G')?.identity, { kind: 'number', number: 5 });
  t.equal(config.hostname, 'X');
  t.equal(config.version, '15.1');
  t.match(listProblems('interface eth0\nend\ndescription x'), [/^3 warning unknown/], 'end closed the interface');
  t.match(
    listProblems('interface eth0\nip route 1.0.0.0 255.0.0.0 eth0\ndescription x'),
    [/^3 warning unknown/],
    'a global line closed the interface',
  );
  t.end();
});

t.test('a global line that fits no mode says where it stops to fit', (t) => {
  t.strictSame(listProblems('interface eth0\ncrypto map M 10 foo'), ['2 error % Invalid input detected at column 17 ("foo")']);
  t.equal(parseConfig('interface eth0\ncrypto map M 10 foo').problems[0].hint, 'expected: gdoi, ipsec-isakmp');
  t.equal(parseConfig('crypto isakmp policy 10\nhash').problems[0].hint, 'expected: md5, sha, sha256, sha384, sha512');
  t.equal(parseConfig('hostname a b').problems[0].hint, 'nothing may follow');
  t.strictSame(listProblems('crypto i'), ['1 error % Ambiguous command: ("i")']);
  t.strictSame(
    listProblems('interface eth0\ni'),
    ['2 error % Ambiguous command: ("i")'],
    'ambiguous in one of the open modes is not unknown',
  );
  t.strictSame(listProblems('crypto isakmp policy 1\nauthentication r'), [], 'what is refused does not make an abbreviation ambiguous');
  t.end();
});

t.test('general commands', (t) => {
  t.strictSame(reprint('hostname R1\nno hostname\nip domain-name a.b'), ['ip domain name a.b']);
  t.strictSame(reprint('ip domain name a.b\nno ip domain name'), []);
  t.match(listProblems('hostname -x'), [/^1 error "-x" is not a host name/]);
  t.match(listProblems(`hostname ${'x'.repeat(64)}`), [/^1 error/]);
  t.match(listProblems('hostname'), [/^1 error % Incomplete/]);
  t.end();
});

t.test('unknown lines are kept with what is indented below them, warned about and printed back', (t) => {
  const text = `service timestamps debug datetime msec
interface eth0
 ip flow ingress
 load-interval 30
router ospf 1
 network 10.0.0.0 0.255.255.255 area 0
  deeper
 description not the interface's
crypto gdoi group G
 client recovery-check interval 60
line vty 0 4
 login
banner incoming ^C
 interface eth9
^C
`;
  const { config, problems } = parseConfig(text);
  t.strictSame(
    config.unknownLines.map(({ line, path }) => [line, ...path]),
    [
      [1, 'service timestamps debug datetime msec'],
      [3, 'interface eth0', 'ip flow ingress'],
      [4, 'interface eth0', 'load-interval 30'],
      [5, 'router ospf 1'],
      [6, 'router ospf 1', 'network 10.0.0.0 0.255.255.255 area 0'],
      [7, 'router ospf 1', 'network 10.0.0.0 0.255.255.255 area 0', 'deeper'],
      [8, 'router ospf 1', "description not the interface's"],
      [10, 'crypto gdoi group G', 'client recovery-check interval 60'],
      [11, 'line vty 0 4'],
      [12, 'line vty 0 4', 'login'],
      [13, 'banner incoming ^C\n interface eth9\n^C'],
    ],
  );
  t.strictSame(
    problems.map(({ line, severity }) => [line, severity]),
    [1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13].map((line) => [line, 'warning']),
    'each once, with its line',
  );
  t.equal(config.interfaces.get('eth0')?.description, null, 'a line below an unknown one does not fall into the interface before it');
  t.strictSame(reprint(text), [
    'service timestamps debug datetime msec',
    'router ospf 1',
    ' network 10.0.0.0 0.255.255.255 area 0',
    '  deeper',
    " description not the interface's",
    'line vty 0 4',
    ' login',
    'banner incoming ^C',
    ' interface eth9',
    '^C',
    'crypto gdoi group G',
    ' client recovery-check interval 60',
    'interface eth0',
    ' ip flow ingress',
    ' load-interval 30',
  ]);
  t.end();
});

t.test('an unknown line is told with the nearest known command', (t) => {
  const text = `hotsname R1
router ospf 1
interface eth0
 ip adress 10.0.0.1 255.0.0.0
 ip flow ingress
crypto isakmp kye HIDDEN addres 1.1.1.1
match address A
crypto gdoi group G
 sever local
no hotsname
`;
  t.strictSame(
    parseConfig(text).problems.map(({ line, hint }) => [line, hint]),
    [
      [1, 'nearest known command: hostname'],
      [2, null],
      [4, 'nearest known command: ip address'],
      [5, 'known after ip: address, access-group, unreachables, tcp, igmp, nat, policy, virtual-reassembly, mtu'],
      [6, 'nearest known command: crypto isakmp key'],
      [7, 'a command of config-crypto-map mode'],
      [9, 'nearest known command: server'],
      [10, 'nearest known command: no hostname'],
    ],
  );
  const many = parseConfig('hotsname R1\n'.repeat(1000)).problems;
  t.strictSame([many.length, many[0].hint, many[999].hint], [1000, 'nearest known command: hostname', null]);
  t.end();
});

t.test('banners', (t) => {
  const text = 'hostname R1\nbanner motd ^C\n Property of $(hostname).\n!\ninterface eth9\n^C ignored\nBANN exec #short#\nbanner %plain%\n';
  t.strictSame(parseConfig(text).config.banners, { motd: 'plain', exec: 'short' }, 'without a type it is the message of the day');
  t.strictSame(reprint('banner login #\nsay ^C\n\n  twice \n#'), ['banner login \u0003', 'say ^C', '  twice ', '\u0003']);
  t.strictSame(reprint('banner motd #x#\nno banner motd'), []);
  t.strictSame(listProblems('no banner exec'), ['1 warning banner exec is not configured: nothing to remove']);
  t.strictSame(listProblems('banner motd'), ['1 error % Incomplete command.']);
  t.strictSame(listProblems('hostname R1\nbanner motd #\na\x1b[2J\n#'), ['2 error the banner has control character 0x1b']);
  t.match(listProblems(`banner motd #${'x'.repeat(4001)}#`), [/^1 error the banner has 4001 characters/]);
  t.match(listProblems('banner motd !^C\u0003#%~@|`\\+=!'), [/^1 error the banner has (control|every)/]);
  t.strictSame(parseConfig('interface eth0\n band 5\n').config.interfaces.get('eth0')?.bandwidthKbps, 5, 'band is no banner');
  t.equal(
    greetingOf(parseConfig('hostname R1\nbanner exec #e#\nbanner motd #$(hostname).$(domain)#\nip domain name x.y').config),
    'R1.x.y\ne',
  );
  t.end();
});

t.test('what stands below a line with an error is not taken by the mode before it', (t) => {
  const indented =
    'interface eth0\n ip address 1.1.1.1 255.0.0.0\ninterface Vlan0\n ip address 2.2.2.2 255.0.0.0\n description tunnel\nhostname R';
  t.strictSame(listProblems(indented), ['3 error Vlan interfaces are not supported yet'], 'and not reported again');
  t.equal(parseConfig(indented).config.interfaces.get('eth0')?.addresses[0].address, 0x01010101);
  const flat = parseConfig(unindent(indented)).config.interfaces.get('eth0');
  t.equal(flat?.addresses[0].address, 0x01010101, 'the same without indentation: the error closed the mode');
  t.equal(flat?.description, null);
  t.equal(parseConfig(indented).config.hostname, 'R');
  t.end();
});

t.test('no forgets what was kept inside', (t) => {
  t.strictSame(reprint('interface eth0\n load-interval 30\nno interface eth0'), []);
  t.strictSame(reprint('crypto gdoi group G\n server local\n  sa ipsec 1\n   foo\n  no sa ipsec 1'), [
    'crypto gdoi group G',
    ' server local',
  ]);
  t.strictSame(reprint('crypto ipsec transform-set T esp-gcm\n foo\ncrypto ipsec transform-set T esp-gcm 256').length, 2);
  t.strictSame(listProblems('no router ospf 1'), ['1 warning unknown command: kept, but without effect']);
  t.strictSame(reprint('no router ospf 1'), ['no router ospf 1']);
  t.end();
});

t.test('bad input, each with its line', (t) => {
  t.strictSame(listProblems('hostname R1\r\n\r\nhostname "\r\n'), ['3 error """ is not a host name']);
  t.strictSame(listProblems('\uFEFFhostname R1\nho\0st x'), ['2 error control character 0x00']);
  t.strictSame(listProblems(`hostname R1\n${'y'.repeat(1 << 20)}\nhostname -`), [
    '2 error the line has 1048576 characters, more than 4096',
    '3 error "-" is not a host name',
  ]);
  const shown = parseConfig('y'.repeat(1 << 20)).problems[0].text;
  t.equal(shown.length, 163, 'and the problem does not carry the megabyte');
  t.strictSame(listProblems('hostname R1\nbanner motd #\nhostname -\n'), [
    '2 error the banner has no closing delimiter: nothing below it was read',
  ]);
  t.end();
});

t.test('a hundred thousand entries are read in order', (t) => {
  const count = 100_000;
  const text = `ip access-list extended BIG\n${' permit udp 10.0.0.0 0.0.0.255 any eq 848\n'.repeat(count)}`;
  const { config, problems } = parseConfig(text);
  const entries = config.accessLists.get('BIG')?.entries ?? [];
  t.equal(entries.length, count);
  t.equal(entries[count - 1].sequence, count * 10);
  t.strictSame(problems, []);
  const { problems: found } = checkConfig(`crypto gdoi group G\n server local\n  sa ipsec 1\n   match address ipv4 BIG\n${text}`);
  t.match(
    found.find((problem) => problem.line === 5),
    { severity: 'error', message: /100000 entries: more than 400/ },
  );
  t.end();
});
