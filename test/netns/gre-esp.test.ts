// GRE between two members, sealed by the group, with PAT on the same routers: every ToS byte is on the ESP header, on the GRE header and on the inner one.
//
//   h1 [capture] -- r1 ==GRE in ESP== core [capture, opened by scapy] ==== r3 -- h3 [capture]        inet: h1 by PAT
//
//   h1 :: 256 datagrams to h3, one for each ToS byte :: core: ESP alone, from r1 to r3, its ToS that of GRE and that of the datagram
//   h3 :: the datagrams, unchanged but for two hops
//   h1 :: ping inet :: answered, from r1's address
//   r1 :: FastEthernet0/0 takes GRE in the clear from the core :: clear_must_be_encrypted

import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { checkEveryTos } from './gre-tos.js';

function edit(router: Router, text: string): string {
  if (router === 'r4')
    return substitute(
      text,
      /( permit ip 10\.0\.0\.0 0\.0\.255\.255 10\.0\.0\.0 0\.0\.255\.255)/,
      '$1\n permit gre 172.16.0.0 0.0.255.255 172.16.0.0 0.0.255.255',
    );
  if (router === 'r2') return text;
  const [own, other] = router === 'r1' ? [1, 3] : [3, 1];
  const tunnel = `interface Tunnel0
 ip address 192.168.13.${own} 255.255.255.248
 ip mtu 1400
 tunnel source FastEthernet0/0
 tunnel destination 172.16.${other}.2
ip route 10.0.${other}.0 255.255.255.0 192.168.13.${other}
end`;
  return substitute(text, /end\s*$/, `${tunnel}\n`);
}

t.test('all ToS bytes through GRE and ESP', async (t) => {
  const lab = await Lab.up({ keyLog: true, edit, start: ['r1', 'r3', 'r4'] });
  t.teardown(() => lab.down());
  await checkEveryTos(t, lab, false);
});
