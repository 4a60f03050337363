// crypto map ... ipsec-isakmp and local-address: what is parsed, printed, refused, and found to be wrong.

import t from 'tap';
import { checkConfig } from '../../../../../control/config/check.js';
import { parseConfig } from '../../../../../control/config/parse.js';
import { printConfig } from '../../../../../control/config/print.js';
import { configuredPolicies } from '../../../../../control/ipsec/configured-policies.js';
import { listProblems, parseClean } from '../texts.js';

const base = `crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key secret address 192.0.2.2
crypto ipsec transform-set T esp-gcm 256
crypto ipsec transform-set U esp-aes 256 esp-sha256-hmac
ip access-list extended A
 permit ip 10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255
 deny ip any host 10.3.0.1
 permit tcp host 10.1.0.1 10.3.0.0 0.0.255.255 eq 443
interface Loopback0
 ip address 192.0.2.9 255.255.255.255
`;
const entry = `crypto map M 100 ipsec-isakmp
 set peer 192.0.2.2
 set peer 192.0.2.3
 set security-association lifetime kilobytes 100000
 set security-association lifetime seconds 7200
 set transform-set T U
 set pfs group14
 match address A
`;
const outside = `interface GigabitEthernet0/0
 linux-device eth0
 ip address 192.0.2.1 255.255.255.0
 crypto map M
`;

t.test('an entry, as IOS writes it', async (t) => {
  const config = parseClean(base + entry + outside);
  t.match(config.cryptoMaps.get('M'), [
    {
      kind: 'ipsec-isakmp',
      sequence: 100,
      matchAddress: 'A',
      ipsec: {
        peers: [0xc0000202, 0xc0000203],
        transformSets: ['T', 'U'],
        pfs: 14,
        lifetimeSeconds: 7200,
        lifetimeKilobytes: 100_000,
      },
    },
  ]);
  t.ok(printConfig(config, { secrets: true }).replaceAll('\r', '').includes(entry), 'and back');
});

t.test('reverse-route: every form, and back', async (t) => {
  const wanted = (lines: string) => parseClean(base + entry + lines + outside);
  for (const [lines, reverseRoute] of [
    [' reverse-route\n', { always: false, nextHop: null }],
    [' reverse-route static\n', { always: true, nextHop: null }],
    [' reverse-route remote-peer 192.0.2.7\n', { always: false, nextHop: 0xc0000207 }],
    [' reverse-route remote-peer 192.0.2.7 static\n', { always: true, nextHop: 0xc0000207 }],
  ] as const) {
    const config = wanted(lines);
    t.strictSame(config.cryptoMaps.get('M')?.[0].ipsec?.reverseRoute, reverseRoute, lines);
    t.ok(printConfig(config, { secrets: true }).includes(` match address A\n${lines}`), `${lines} and back`);
  }
  const far = wanted(' set reverse-route distance 20\n reverse-route\n');
  t.equal(far.cryptoMaps.get('M')?.[0].ipsec?.reverseDistance, 20);
  t.match(printConfig(far, { secrets: true }), / set pfs group14\n set reverse-route distance 20\n match address A\n reverse-route\n/);
  const undone = wanted(' reverse-route static\n set reverse-route distance 20\n no reverse-route\n no set reverse-route distance\n');
  t.equal(printConfig(undone, { secrets: true }), printConfig(wanted(''), { secrets: true }), 'no');
  const problems = listProblems(`${base}${entry} reverse-route tag 7\n set reverse-route gateway 192.0.2.7\n${outside}`);
  t.match(problems, [/error .*tags of routes are not supported/, /error .*set reverse-route gateway is not supported/]);
});

t.test('defaults, and no', async (t) => {
  const text = (lines: string): string =>
    `${base}crypto map M 100 ipsec-isakmp\n set peer 192.0.2.2\n set transform-set T\n match address A\n${lines}${outside}`;
  t.match(configuredPolicies(parseConfig(text('')).config), [{ pfs: null, lifetimeSeconds: 3600, lifetimeKilobytes: 4_608_000 }]);
  t.match(configuredPolicies(parseConfig(text(' set security-association lifetime kilobytes disable\n')).config), [
    { lifetimeKilobytes: null },
  ]);
  t.match(configuredPolicies(parseConfig(text(' set pfs\n')).config), [{ pfs: 1 }], 'set pfs alone is group 1, as on IOS');
  const undone =
    ' set pfs group2\n no set pfs\n set security-association lifetime seconds 300\n no set security-association lifetime seconds\n';
  t.match(configuredPolicies(parseConfig(text(undone)).config), [{ pfs: null, lifetimeSeconds: 3600 }]);
  t.same(configuredPolicies(parseConfig(text(' no set peer 192.0.2.2\n')).config), [], 'not complete: no policy');
  t.match(parseConfig(text('no crypto map M 100\n')).config.cryptoMaps.size, 0);
});

t.test('policies: by interface, or by local-address', async (t) => {
  const both = `${base}${entry}crypto map M local-address Loopback0\n${outside}interface GigabitEthernet0/1\n linux-device eth1\n ip address 198.51.100.1 255.255.255.0\n crypto map M\n`;
  t.match(configuredPolicies(parseClean(both)), [{ local: 0xc0000209, map: 'M', sequence: 100 }], 'one, of the loopback');
  t.equal(configuredPolicies(parseClean(both.replace(/.*local-address.*\n/, ''))).length, 2, 'one for each address');
  const [{ entries, suites }] = configuredPolicies(parseClean(both));
  t.same([entries?.length, suites.map(({ encryption }) => encryption)], [3, ['esp-gcm-256', 'esp-aes-256']]);
  t.match(printConfig(parseClean(both), { secrets: true }), /crypto map M local-address Loopback0/);
});

t.test('refused where it is written', async (t) => {
  const cases: [string, RegExp][] = [
    ['crypto map M 10 gdoi\ncrypto map M 10 ipsec-isakmp', /M 10 is gdoi already/],
    ['crypto map M 10 ipsec-isakmp\n set group G', /is no gdoi entry/],
    ['crypto map M 10 gdoi\n set peer 192.0.2.2', /is a gdoi entry/],
    ['crypto map M 10 gdoi\n set pfs group14', /is a gdoi entry/],
    ['crypto map M 10 ipsec-isakmp\n set peer r2.example.net', /Invalid/],
    ['crypto map M 10 ipsec-isakmp\n set security-association lifetime seconds 1', /Invalid/],
    ['crypto map M 10 ipsec-isakmp\n set pfs group24', /Invalid/],
    ['crypto map M 10 gdoi\n set isakmp-profile P', /is a gdoi entry/],
    ['crypto map M 10 ipsec-isakmp dynamic D discover', /not supported/],
  ];
  for (const [text, message] of cases) {
    const errors = parseConfig(text).problems.filter(({ severity }) => severity === 'error');
    t.match(errors.map((problem) => problem.message).join('\n'), message, text);
  }
});

t.test('what is missing, and what IKE cannot say', async (t) => {
  const problem = (change: (text: string) => string): string => listProblems(change(base + entry + outside), checkConfig).join('\n');
  const without = (line: RegExp) => (text: string) => text.replace(line, '');
  t.match(problem(without(/ set peer .*\n/g)), /error .*has no peer/);
  t.match(problem(without(/ set transform-set .*\n/)), /error .*has no transform set/);
  t.match(problem(without(/ match address .*\n/)), /error .*has no access list/);
  t.match(problem(without(/crypto isakmp policy[^!]*group 14\n/)), /error .*no crypto isakmp policy/);
  t.match(problem(without(/crypto isakmp key.*\n/)), /warning .*no crypto isakmp key matches the peer 192\.0\.2\.2/);
  t.match(
    problem((text) => text.replace('set transform-set T U', 'set transform-set T V')),
    /error .*no crypto ipsec transform-set V/,
  );
  t.match(
    problem((text) => text.replace('match address A', 'match address B')),
    /error .*no access list B/,
  );
  t.match(
    problem((text) => text.replace('0.0.255.255 eq', '0.0.255.1 eq')),
    /error .*not contiguous: IKE cannot name it/,
  );
  t.match(
    problem((text) => text.replace('eq 443', 'gt 443')),
    /error .*IKE names one port/,
  );
  t.match(
    problem((text) => text.replace('set peer 192.0.2.3', 'set peer 192.0.2.1')),
    /error .*own address/,
  );
  t.match(
    problem((text) => text.replace('group14\n match', 'group2\n match')),
    /warning .*group 2 is weak/,
  );
  t.match(
    problem((text) => text.replace('seconds 7200', 'seconds 60')),
    /warning .*for tests/,
  );
  t.match(
    problem((text) => `${text}crypto map M local-address Loopback7\n`),
    /error .*no such interface/,
  );
});
