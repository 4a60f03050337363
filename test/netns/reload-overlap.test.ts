// A reload that would put two groups with the same traffic on one interface: refused with its line, and everything stays as it was.
//
//   r4: groups GDOI-GROUP (10.0/16) and DNS (udp 53 in 10.0/16)
//   r1 :: each group on an interface of its own          both register
//   r1 :: SIGHUP, both in the map of FastEthernet0/0     %PARSER-3-CFGLOG with the line of the second `set group`
//   r1 :: SIGHUP, DNS gone                               applied

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';

const served = `crypto gdoi group DNS
 identity address ipv4 10.7.7.7
 server local
  rekey algorithm aes 256
  rekey authentication mypubkey rsa GETVPN-R4-KS
  rekey transport unicast
  sa ipsec 1
   profile GETVPN-PROFILE
   match address ipv4 DNS-ACL
  address ipv4 172.16.4.2
!
ip access-list extended DNS-ACL
 permit udp 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255 eq 53
!
crypto gdoi group GDOI-GROUP`;
const wanted = `crypto gdoi group DNS
 identity address ipv4 10.7.7.7
 server address ipv4 172.16.4.2
!
crypto map DNS-MAP 200 gdoi
 set group DNS
!
crypto map GETVPN-MAP 100 gdoi`;

function edit(router: Router, text: string): string {
  if (router === 'r4') return substitute(text, /crypto gdoi group GDOI-GROUP/, served);
  if (router !== 'r1') return text;
  const inside = / ip address 10\.0\.1\.1 255\.255\.255\.0\n/;
  return substitute(
    substitute(text, /crypto map GETVPN-MAP 100 gdoi/, wanted),
    inside,
    ' ip address 10.0.1.1 255.255.255.0\n crypto map DNS-MAP\n',
  );
}

interface Group {
  group: string;
  registered: boolean;
  interfaces: string[];
  teks: { spi: number }[];
}

t.test('overlapping groups at a reload', async (t) => {
  const lab = await Lab.up({ edit, start: ['r4', 'r1'] });
  t.teardown(() => lab.down());
  const groups = async () => ((await lab.show('r1', 'crypto gdoi gm')) as { gdoiMembers: Group[] }).gdoiMembers;
  const told = async () =>
    (await groups()).map(({ group, registered, interfaces, teks }) => ({
      group,
      registered,
      interfaces,
      spis: teks.map(({ spi }) => spi),
    }));
  const before = await told();
  t.match(before, [
    { group: 'GDOI-GROUP', registered: true, interfaces: ['FastEthernet0/0'] },
    { group: 'DNS', registered: true, interfaces: ['FastEthernet0/1'] },
  ]);

  lab.configure('r1', (text) =>
    substitute(substitute(text, /crypto map DNS-MAP 200/, 'crypto map GETVPN-MAP 200'), / crypto map DNS-MAP\n/, ''),
  );
  const file = readFileSync(join('/run/groupwire-lab', lab.name, 'configs/r1.cfg'), 'utf8').split('\n');
  const line = file.indexOf(' set group DNS') + 1;
  t.ok(line > 0);
  lab.reload('r1');
  await lab.logs('r1', /SYS-3-RELOAD: .* has errors: the running configuration stays/);
  const text = 'group DNS protects the same traffic as group GDOI-GROUP on FastEthernet0/0: ip 10.0.0.0/16 to 10.0.0.0/16 and protocol 17';
  t.ok(lab.log('r1').includes(`:${line}: ${text} 10.0.0.0/16 to 10.0.0.0/16 eq 53`), 'the log names the line and what both want');
  t.strictSame(await told(), before, 'groups, keys and interfaces are what they were');
  t.match(await lab.groupwire('r1', 'show', 'running-config'), /crypto map DNS-MAP 200 gdoi/);

  lab.configure('r1', (text) => substitute(text, /crypto map GETVPN-MAP 200 gdoi\n set group DNS\n/, ''));
  lab.reload('r1');
  await until('the reload to be applied', async () => (await groups()).find(({ group }) => group === 'DNS')?.interfaces.length === 0);
  t.strictSame((await told())[0], before[0], 'and the other group does not notice');
});
