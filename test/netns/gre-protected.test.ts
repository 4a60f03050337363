// GRE between two members under `tunnel protection` (transport mode), with PAT and the group on the same routers: every ToS byte is on the ESP header, on
// the GRE header and on the inner one.
//
//   h1 [capture] -- r1 ==GRE in ESP between the routers== core [capture, opened by scapy] ==== r3 -- h3 [capture]        inet: h1 by PAT
//
//   h1 :: 256 datagrams to h3, one for each ToS byte :: core: ESP alone, from r1 to r3, its ToS that of GRE and that of the datagram
//   h3 :: the datagrams, unchanged but for two hops
//   h1 :: ping inet :: answered, from r1's address
//   r1 :: FastEthernet0/0 takes GRE in the clear from the core :: clear_must_be_encrypted

import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { checkEveryTos } from './gre-tos.js';

function edit(router: Router, text: string): string {
  if (router !== 'r1' && router !== 'r3') return text;
  const [own, other] = router === 'r1' ? [1, 3] : [3, 1];
  const protection = `crypto isakmp key between-the-two address 172.16.${other}.2
crypto ipsec transform-set GRE esp-gcm 256
 mode transport
crypto ipsec profile GRE-PROFILE
 set transform-set GRE
 set pfs group14
interface Tunnel0
 ip address 192.168.13.${own} 255.255.255.248
 tunnel source FastEthernet0/0
 tunnel destination 172.16.${other}.2
 tunnel protection ipsec profile GRE-PROFILE
ip route 10.0.${other}.0 255.255.255.0 192.168.13.${other}
end`;
  return substitute(text, /end\s*$/, `${protection}\n`);
}

t.test('all ToS bytes through a protected tunnel', async (t) => {
  const lab = await Lab.up({ keyLog: true, edit, start: ['r1', 'r3', 'r4'] });
  t.teardown(() => lab.down());
  await checkEveryTos(t, lab, true);
  const shown = JSON.stringify(await lab.show('r1', 'crypto ipsec sa'));
  t.match(shown, /"interface":"Tunnel0","cryptoMap":"Tunnel0-head-0","localAddress":"172\.16\.1\.2"/);
  t.match(shown, /"mode":"transport"/);
});
