// groupwire check on the host itself: IPv6 that would go around the group.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { checkIpv6 } from '../../../cli/host-ipv6.js';
import { checkConfig } from '../../../control/config/check.js';

const { config } = checkConfig(`crypto gdoi group G
 identity number 7
 server address ipv4 172.16.4.2
crypto map M 10 gdoi
 set group G
interface GigabitEthernet0/0
 linux-device wan0
 ip address 172.16.1.2 255.255.255.252
 crypto map M
interface eth1
 ip address 10.0.1.1 255.255.255.0
`);

t.test('forwarding, not forwarding, disabled, not here, no IPv6', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-ipv6-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const set = (device: string, forwarding: number, disabled: number): void => {
    mkdirSync(join(folder, device), { recursive: true });
    writeFileSync(join(folder, device, 'forwarding'), `${forwarding}\n`);
    writeFileSync(join(folder, device, 'disable_ipv6'), `${disabled}\n`);
  };
  t.strictSame(checkIpv6(config, folder), {
    problems: [],
    notes: ['whether GigabitEthernet0/0 forwards IPv6 around the group is not known: wan0 is not on this host'],
  });
  set('eth1', 1, 0);
  set('wan0', 0, 0);
  t.strictSame(checkIpv6(config, folder), { problems: [], notes: [] }, 'eth1 has no crypto map');
  set('wan0', 1, 1);
  t.strictSame(checkIpv6(config, folder).problems, []);
  set('wan0', 1, 0);
  const { problems, notes } = checkIpv6(config, folder);
  t.strictSame(notes, []);
  t.match(problems, [
    {
      line: 9,
      severity: 'warning',
      message: /^this host forwards IPv6 on wan0: .* in the clear$/,
      hint: /net\.ipv6\.conf\.wan0\.forwarding=0/,
    },
  ]);
  t.strictSame(checkIpv6(config, join(folder, 'none')), { problems: [], notes: [] });
  t.end();
});
