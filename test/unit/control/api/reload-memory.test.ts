// A reload leaves nothing behind: what is reachable after many is what was reachable after some. Resident memory, which the soak under traffic
// looks at (test/netns/reload-soak.test.ts), also holds garbage that nobody has fetched yet; here it is fetched.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { CounterSet } from '../../../../control/api/counters.js';
import { checkConfig } from '../../../../control/config/check.js';
import { gdoiCounters } from '../../../../control/gdoi/counters.js';
import { ipsecCounters } from '../../../../control/ipsec/counters.js';
import { ikeCounters } from '../../../../control/isakmp/counters.js';
import { RsaKeys } from '../../../../control/pki/rsa-keys.js';
import { Router, routerCounters } from '../../../../control/router.js';
import { SealedStore } from '../../../../control/store/sealed-store.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const text = (entry: string): string => `hostname R1
crypto isakmp policy 100
 encr aes 256
 authentication pre-share
 group 14
crypto isakmp key R1-KEY address 172.16.4.2
crypto gdoi group G
 identity number 777
 server address ipv4 172.16.4.2
crypto map M 100 gdoi
 set group G
interface eth0
 ip address 172.16.1.2 255.255.255.252
 ip nat outside
 crypto map M
interface eth1
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
 ip access-group EDGE in
ip nat inside source list NAT interface eth0 overload
ip access-list standard NAT
 permit 10.0.1.0 0.0.0.255
ip access-list extended EDGE
${entry} 20 permit ip any any
`;

t.test('reloads, the same and two that differ in one ACL', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-reload-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const store = await SealedStore.open(folder);
  let published = 0;
  const router = new Router(
    checkConfig(text('')).config,
    {
      log: { write: () => undefined },
      counters: new CounterSet(ikeCounters, ipsecCounters, gdoiCounters, routerCounters),
      store,
      rsaKeys: new RsaKeys(store),
      keyLog: null,
      send: () => true,
      publish: () => {
        published++;
      },
      join: () => undefined,
    },
    0,
  );
  router.dataplaneUp({ generation: 0, knownSenders: [], workers: 1 }, null, 0);
  const heapAfter = (reloads: number): number => {
    for (let n = 0; n < reloads; n++)
      router.reconfigure(checkConfig(text(n % 3 === 0 ? ' 15 deny tcp any host 192.0.2.9\n' : '')).config, n);
    collect();
    return process.memoryUsage().heapUsed / 1024;
  };
  heapAfter(300);
  const before = published;
  const [first, last] = [heapAfter(300), heapAfter(1500)];
  t.ok(published - before > 1000, `${published - before} tables published`);
  t.ok(last - first < 1024, `${first.toFixed(0)} KiB after 600 reloads, ${last.toFixed(0)} KiB after 2100`);
  t.comment(`${((last - first) / 1.5).toFixed(0)} bytes a reload, about`);
});
