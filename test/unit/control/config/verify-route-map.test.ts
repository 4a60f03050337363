// verify/route-map.ts: policy routing whose references are missing or cannot be, and route-maps that their user cannot do.

import t from 'tap';
import { checkConfig } from '../../../../control/config/check.js';

const router = `interface eth0
 ip address 172.16.1.2 255.255.255.0
interface eth1
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
 ip policy route-map R
interface lo0
 ip address 10.9.9.9 255.255.255.255
ip access-list extended A
 permit ip any any
`;

/** Problems of what stands behind the router's lines, by its own line numbers. */
function problemsOf(text: string): string[] {
  const first = router.split('\n').length;
  return checkConfig(router + text)
    .problems.filter(({ line }) => line >= first || line === 6)
    .map(({ line, severity, message }) => `${line < first ? line : line - first + 1} ${severity} ${message}`);
}

t.test('good: nothing is said', (t) => {
  const text =
    'route-map R permit 10\n match ip address A\n set ip next-hop 172.16.1.1\n continue 20\nroute-map R permit 20\n set interface eth0\n set ip dscp ef';
  t.strictSame(problemsOf(text), []);
  t.end();
});

t.test('bad: each with its line', (t) => {
  for (const [text, message] of [
    ['', '6 error there is no route-map R'],
    ['ip local policy route-map L\nroute-map R', '1 error there is no route-map L'],
    ['route-map R\n match ip address B', '2 error there is no access list B'],
    ['route-map R\n set ip next-hop 172.16.1.2', "2 error next hop 172.16.1.2 is this router's own address"],
    ['route-map R\n set ip default next-hop 10.9.9.9', "2 error next hop 10.9.9.9 is this router's own address"],
    [
      'route-map R\n set ip next-hop 8.8.8.8',
      '2 warning next hop 8.8.8.8 is on no network of an interface: unless it gets there, packets are routed as ever',
    ],
    ['route-map R\n set interface eth7', '2 error there is no interface eth7'],
    ['route-map R\n set interface lo0', '2 error set interface Loopback0: nothing leaves by a Loopback'],
    ['route-map R\n continue 30', '2 error route-map R has no entry 30 to continue with'],
    ['route-map R deny 10\n continue', '2 warning continue in route-map R deny 10: what a deny entry matches goes no further'],
    ['route-map R deny 10\n set ip df 1', '1 warning set in route-map R deny 10: what it matches is routed as ever'],
    [
      'route-map R\n match interface eth0',
      '2 error match interface in route-map R, which routes by policy: it asks by which interface a packet leaves, and that is decided here',
    ],
  ])
    t.strictSame(problemsOf(text), [message], text);
  t.end();
});

t.test('NAT: set has no effect, as on IOS; length and continue would make it something else', (t) => {
  const nat = 'ip nat inside source route-map N interface eth0 overload\nroute-map R\n';
  const of = (text: string) => problemsOf(nat + text).filter((problem) => problem.includes('route-map N'));
  t.strictSame(of('route-map N\n match ip address A\n set ip next-hop 172.16.1.1'), [
    '3 warning set in route-map N 10 has no effect: only ip nat uses the map',
  ]);
  t.match(of('route-map N\n match length 1 100'), [/^4 error match length in route-map N, which ip nat uses/]);
  t.match(of('route-map N\n continue\nroute-map N permit 20'), [/^4 error continue in route-map N, which ip nat uses/]);
  t.end();
});
