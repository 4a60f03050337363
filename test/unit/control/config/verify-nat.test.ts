// verify/nat.ts: references, statements that translate nothing, and VPN traffic that NAT would take first.

import t from 'tap';
import { checkConfig } from '../../../../control/config/check.js';
import { listProblems } from './texts.js';

/** The seed's router: local Internet access and a VPN at one interface. */
const router = `hostname R1
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
crypto map M gdoi fail-close
 match address OPEN
 activate
interface eth0
 ip address 172.16.1.2 255.255.255.252
 ip nat outside
 crypto map M
interface eth1
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
ip access-list extended OPEN
 deny tcp any any eq 22
ip access-list extended NAT
 permit ip 10.0.1.0 0.0.0.255 any
ip access-list extended VPN
 permit ip 10.0.1.0 0.0.0.255 10.0.0.0 0.0.255.255
route-map NAT deny 10
 match ip address VPN
route-map NAT permit 20
 match ip address NAT
ip nat inside source route-map NAT interface eth0 overload
`;
const byList = `${router.slice(0, router.indexOf('route-map NAT deny'))}ip nat inside source list NAT interface eth0 overload\n`;
const spoiled =
  '29 warning ip nat inside source list NAT (by line 26) would translate traffic between private networks before crypto map M of eth0 (line 19) sees it: group G would not protect it';

function problems(text: string): string[] {
  return listProblems(text, checkConfig);
}

t.test('the seed’s route-map keeps the VPN, a list alone does not', (t) => {
  t.strictSame(problems(router), []);
  t.strictSame(problems(byList), [spoiled]);
  const { hint } = checkConfig(byList).problems[0];
  t.match(hint, /route-map NAT deny 10, match ip address VPN; /);
  t.match(hint, /VPN; route-map NAT permit 20, match ip address NAT; ip nat inside source route-map NAT interface eth0 overload$/);
  const byMap = checkConfig(router.replace('route-map NAT deny 10\n match ip address VPN\n', '')).problems[0];
  t.match(byMap.hint, /; route-map NAT deny SEQ, match ip address VPN, in front of its permit entries$/);
  t.end();
});

t.test('what spares VPN traffic, and what does not', (t) => {
  const list = (...entries: string[]) =>
    byList.replace(' permit ip 10.0.1.0 0.0.0.255 any', entries.map((entry) => ` ${entry}`).join('\n'));
  const isSilent = (text: string) => problems(text).every((problem) => !problem.includes('would translate'));
  t.ok(isSilent(list('deny ip 10.0.1.0 0.0.0.255 10.0.0.0 0.255.255.255', 'permit ip any any')), 'a deny in the list');
  t.notOk(isSilent(list('permit ip any any', 'deny ip 10.0.1.0 0.0.0.255 10.0.0.0 0.255.255.255')), 'not behind the permit');
  t.notOk(isSilent(list('deny tcp host 8.8.8.8 any', 'permit ip any any')), 'not one of other traffic');
  t.ok(isSilent(list('permit ip 198.51.100.0 0.0.0.255 any')), 'public addresses are no VPN traffic that could be known');
  t.ok(isSilent(list('permit ip 10.0.1.0 0.0.0.255 host 8.8.8.8')), 'one host of the Internet');
  t.ok(isSilent(byList.replace(' crypto map M\n', '')), 'no crypto map');
  t.ok(isSilent(byList.replace(' ip nat outside\n', '')), 'not where the crypto map is');
  t.ok(isSilent(byList.replace(' set group G\n', '')), 'no group');
  t.notOk(isSilent(router.replace('route-map NAT deny 10\n match ip address VPN\n', '')), 'a route-map without the exemption');
  t.notOk(
    isSilent(router.replace(' match ip address NAT\n', '').replace(' match ip address VPN', ' match ip address OPEN')),
    'all packets',
  );
  t.notOk(isSilent(router.replace('route-map NAT deny 10', 'route-map NAT deny 30')), 'the exemption behind the permit');
  t.ok(isSilent(router.replace('deny 10\n match ip address VPN', 'deny 10')), 'a deny of everything');
  t.notOk(isSilent(router.replace('address VPN', 'address VPN\n match interface eth1')), 'a deny for another interface');
  t.end();
});

t.test('references and statements without effect', (t) => {
  const last = '33 ';
  const unspared = `${last}${spoiled.slice(3).replace('source list', 'source route-map')}`;
  const cases: [string, string, string[]][] = [
    [
      'route-map NAT interface',
      'route-map X interface',
      [`${last}error there is no route-map X`, '29 warning route-map NAT is used by nothing'],
    ],
    ['route-map NAT interface eth0', 'route-map NAT interface eth9', [`${last}error there is no interface eth9`]],
    ['address VPN', 'address X', ['30 error there is no access list X', unspared]],
    ['address NAT', 'address NAT X', ['32 error there is no access list X']],
    ['address NAT', 'address NAT\n match interface eth9', ['33 error there is no interface eth9']],
    [
      ' permit ip 10.0.1.0 0.0.0.255 10',
      ' deny ip any 10',
      ['30 warning access list VPN permits nothing: route-map NAT 10 spares nothing from translation', unspared],
    ],
    ['route-map NAT permit 20', 'route-map NAT deny 20', [`${last}warning route-map NAT has no permit entry: nothing is translated`]],
    [' ip nat inside\n', '', ['32 warning no interface is ip nat inside: nothing is translated']],
    [
      ' ip nat outside\n',
      '',
      [
        '32 warning no interface is ip nat outside: nothing is translated',
        '32 warning eth0 is not ip nat outside: answers are not translated back',
      ],
    ],
  ];
  for (const [from, to, expected] of cases)
    t.strictSame(problems(router.replace(from, to)).sort(), [...expected].sort(), `${from} -> ${to}`);
  t.strictSame(
    problems(router.replace(' ip nat outside', ' ip nat outside\n shutdown')).filter((line) => line.includes('shut')),
    ['34 warning eth0 is shut down: what is translated to its address gets no answer'],
  );
  const noAddress = router
    .replace('NAT interface eth0', 'NAT interface Loopback0')
    .replace('interface eth0', 'interface Loopback0\ninterface eth0');
  t.strictSame(problems(noAddress), ['34 warning Loopback0 has no ip address: there is nothing to translate to']);
  const loopback = noAddress.replace('interface Loopback0', 'interface Loopback0\n ip address 198.51.100.1 255.255.255.255');
  t.strictSame(problems(loopback), [], 'a Loopback need not be outside itself');
  t.strictSame(problems(byList.replace('source list NAT', 'source list X')), ['29 error there is no access list X']);
  t.strictSame(problems(byList.replace('source list NAT', 'source list OPEN')), [
    '29 warning access list OPEN permits nothing: nothing is translated',
  ]);
  t.end();
});

t.test('pools and static translations', (t) => {
  const two = `interface eth0
 ip address 203.0.113.2 255.255.255.0
 ip nat outside
interface eth1
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
access-list 1 permit 10.0.1.0 0.0.0.255
`;
  const cases: [string, string[]][] = [
    ['ip nat pool P 203.0.113.50 203.0.113.60 prefix-length 24\nip nat inside source list 1 pool P', []],
    ['ip nat inside source list 1 pool P', ['8 error there is no pool P']],
    ['ip nat pool P 203.0.113.50 203.0.113.60 prefix-length 24', ['8 warning ip nat pool P is used by nothing']],
    [
      'ip nat pool P 203.0.113.50 203.0.113.60 prefix-length 24\nip nat pool Q 203.0.113.60 203.0.113.61 prefix-length 24\nip nat inside source list 1 pool P\nip nat outside source list 1 pool Q',
      ['9 error ip nat pool Q has addresses of pool P (line 8)'],
    ],
    [
      'ip nat pool P 203.0.113.0 203.0.113.255 prefix-length 24\nip nat inside source list 1 pool P',
      [
        '8 error ip nat pool P has 203.0.113.2, the address of eth0',
        '8 error ip nat pool P has 203.0.113.0, the network address of eth0',
        '8 error ip nat pool P has 203.0.113.255, the broadcast address of eth0',
        '8 warning ip nat pool P has the network address of its own mask',
      ],
    ],
    ['ip nat pool P 203.0.113.2 203.0.113.2 prefix-length 24\nip nat inside source list 1 pool P overload', []],
    [
      'ip nat pool P 198.51.100.9 198.51.100.15 prefix-length 29\nip nat inside source list 1 pool P',
      ['8 warning ip nat pool P has the broadcast address of its own mask'],
    ],
    [
      'ip nat pool S 10.0.1.5 10.0.1.6 prefix-length 24\nip nat inside destination list 1 pool S',
      ['8 error ip nat pool S has servers of ip nat inside destination: it must be rotary'],
    ],
    ['ip nat inside source static 10.0.1.5 203.0.113.5\nip nat inside source static tcp 10.0.1.5 80 interface eth0 80', []],
    ['ip nat inside source static 10.0.1.5 203.0.113.2', ['8 error 203.0.113.2 is the address of eth0: nobody could reach the router']],
    [
      'ip nat inside source static udp 10.0.1.5 500 interface eth0 500',
      ["8 error UDP 500 of eth0 is the router's own: IKE and GDOI come to it"],
    ],
    ['ip nat inside source static tcp 10.0.1.5 80 interface eth9 80', ['8 error there is no interface eth9']],
    ['ip nat inside source static 10.0.1.5 203.0.113.5 route-map R', ['8 error there is no route-map R']],
    [
      'ip nat inside source static 10.0.1.5 203.0.113.5\nip nat inside source static 10.0.1.6 203.0.113.5',
      ['9 error line 8 has this inside global address already: ip nat inside source static 10.0.1.5 203.0.113.5'],
    ],
    [
      'ip nat inside source static 10.0.1.5 203.0.113.5\nip nat inside source static 10.0.1.5 203.0.113.6',
      ['9 error line 8 translates this inside local address already: ip nat inside source static 10.0.1.5 203.0.113.5'],
    ],
    ['ip nat inside source static 10.0.1.5 203.0.113.5 extendable\nip nat inside source static 10.0.1.5 203.0.113.6 extendable', []],
    [
      'ip nat pool P 203.0.113.50 203.0.113.60 prefix-length 24\nip nat inside source list 1 pool P\nip nat inside source static 10.0.1.5 203.0.113.55',
      ['10 error 203.0.113.55 is in ip nat pool P (line 8)'],
    ],
    [
      'ip nat inside source static 10.0.1.1 203.0.113.5',
      ["8 error 10.0.1.1 is the router's own address (eth1): its answers are not translated"],
    ],
    [
      'ip nat inside source static tcp 10.0.1.1 22 interface eth0 2222',
      ["8 error 10.0.1.1 is the router's own address (eth1): its answers are not translated"],
    ],
    ['ip nat outside source list 9 pool P', ['8 error there is no pool P', '8 error there is no access list 9']],
  ];
  for (const [text, expected] of cases) t.strictSame(problems(two + text).sort(), [...expected].sort(), text);
  t.end();
});

t.test('a static translation takes the VPN’s traffic of its host, unless a route-map spares it', (t) => {
  const spoils = (line: string, by = ''): string =>
    `33 warning ${line}${by} would translate what is said to private networks before crypto map M of eth0 (line 19) sees it: group G would not protect it`;
  const plain = 'ip nat inside source static 10.0.1.5 172.16.1.5';
  const hint = (line: string): string | null =>
    checkConfig(router.replace(/ip nat inside source.*\n/, `${line}\n`)).problems.find(({ message }) => message.includes('private'))
      ?.hint ?? null;
  const only = (...lines: string[]): string[] =>
    problems(router.replace(/ip nat inside source.*\n/, `${lines.join('\n')}\n`)).filter((line) => !line.includes('is used by nothing'));
  t.strictSame(only(plain), [spoils(plain)]);
  const port = 'ip nat inside source static tcp 10.0.1.5 80 172.16.1.5 8080';
  t.strictSame(only(port), [spoils(port)]);
  const atInterface = 'ip nat inside source static udp 10.0.1.5 53 interface eth0 53';
  t.strictSame(only(atInterface), [spoils(atInterface)]);
  const network = 'ip nat inside source static network 10.0.1.0 172.17.1.0 /24';
  t.strictSame(only(network), [spoils(network)]);
  t.strictSame(only(`${plain} route-map NAT`), [], 'the seed’s route-map');
  t.strictSame(
    only(`${plain} route-map ALL`, 'route-map ALL permit 10'),
    [spoils(`${plain} route-map ALL`, ' (by line 34)')],
    'one that spares nothing',
  );
  t.strictSame(only('ip nat inside source static 198.51.100.5 172.16.1.5'), [], 'no private host');
  t.match(hint(plain), /; route-map STATIC permit 20; ip nat inside source static 10\.0\.1\.5 172\.16\.1\.5 route-map STATIC$/);
  t.match(hint(atInterface), /static udp 10\.0\.1\.5 53 ADDRESS 53 route-map STATIC$/);
  t.strictSame(
    problems(router.replace(' crypto map M\n', '').replace(/ip nat inside source.*\n/, `${plain}\n`))
      .join()
      .includes('private'),
    false,
  );
  t.end();
});

t.test('GDOI of a key server behind the router must not be translated', (t) => {
  const behind = byList.replaceAll('172.16.4.2', '10.0.1.9').replace(' crypto map M\n', '');
  const message =
    '28 warning ip nat inside source list NAT (by line 25) would translate GDOI of the key server 10.0.1.9: members know it by its own address';
  const only = (text: string): string[] => problems(text).filter((line) => line.includes('GDOI of'));
  t.strictSame(only(behind), [message]);
  t.strictSame(only(behind.replace(' permit ip 10.0.1.0', ' deny udp host 10.0.1.9 eq 848 any\n permit ip 10.0.1.0')), []);
  t.strictSame(only(behind.replace('ip address 10.0.1.1', 'ip address 10.0.1.9')), [], 'its own');
  t.strictSame(only(byList), [], 'not behind it');
  t.end();
});
