// Fuzz target: configuration text and exec lines from arbitrary bytes. Nothing may be thrown, and nothing that was taken may be lost
// on the way through print.

import { checkConfig } from '../../control/config/check.js';
import { parseExec } from '../../control/config/exec.js';
import { helpFor } from '../../control/config/help.js';
import { decodeConfig } from '../../control/config/lexer.js';
import { parseConfig } from '../../control/config/parse.js';
import { printConfig } from '../../control/config/print.js';
import { seedKeyServer, seedMember } from '../unit/control/config/texts.js';

/** @throws Error when the text is not read as promised: any throw is a finding */
export function fuzz(bytes: Uint8Array): void {
  const text = decodeConfig(bytes);
  const { config, problems } = checkConfig(text);
  const lines = text.split('\n').length;
  for (const problem of problems) {
    if (!(problem.line >= 1 && problem.line <= lines)) throw new Error(`problem on line ${problem.line} of ${lines}: ${problem.message}`);
    if (problem.text.length > 170) throw new Error(`problem text of ${problem.text.length} characters`);
  }
  const printed = printConfig(config, { secrets: true });
  const again = parseConfig(printed);
  const error = again.problems.find((problem) => problem.severity === 'error');
  if (error) throw new Error(`printed text has an error: ${JSON.stringify(error)}\n${printed}`);
  const reprinted = printConfig(again.config, { secrets: true });
  if (reprinted !== printed) throw new Error(`print is not stable:\n${printed}\nbecame\n${reprinted}`);
  const line = text.slice(0, 200);
  parseExec(line);
  helpFor('exec', line);
  helpFor('config', line);
  helpFor('config-ext-nacl', line);
  helpFor('config-network-group', line);
  helpFor('config-service-group', line);
  for (const mode of ['config-cmap', 'config-pmap', 'config-pmap-c', 'config-pmap-c-police'] as const) helpFor(mode, line);
}

export const seeds: readonly Uint8Array[] = [
  seedMember,
  seedKeyServer,
  'crypto gdoi group G\n client registration interface lo0\n server local\n  rekey address ipv4 A\n  no rekey transport unicast',
  'logging host 1.1.1.1 transport udp port 9\nlogging buffered 9999 3\nno logging on\nlogging file /x debugging\nlogging facility local1',
  'debug crypto gdoi ks rekey detail',
  'class-map match-any C\n match not access-group name A\n match ip dscp ef 7\n match packet length min 9\n match protocol ssh\n match class-map D\npolicy-map P\n class C\n  priority level 1 percent 5 9000\n class D\n  bandwidth remaining ratio 3\n  random-detect dscp-based\n  random-detect dscp af11 5 9 7\n  random-detect ecn\n  police cir percent 5 bc 9 ms pir percent 9\n   violate-action set-qos-transmit 4\n class class-default\n  shape average 90000 800 0\n  set dscp 9\n  queue-limit 9 ms\n  service-policy Q\ninterface Tunnel0\n qos pre-classify\n service-policy output P',
  'interface gi0/0\n ip policy route-map R\nip local policy route-map R\nroute-map R deny 5\n match length 1 900\nroute-map R permit 10\n set ip next-hop 10.0.0.1 10.0.0.2\n set interface gi0/0 null0\n set ip default next-hop 10.0.0.3\n set ip df 1\n set ip precedence flash\n continue 20\nroute-map R permit 20\n set ip dscp af31',
  'interface gi0/0\n ip nat outside\nip nat inside source list 1 interface gi0/0 overload\nip nat translation udp-timeout never\nip nat translation max-entries 9',
  'ip nat pool P 1.1.1.1 1.1.1.9 prefix-length 24 type rotary\nip nat inside source list 1 pool P overload\nip nat inside source static tcp 10.0.0.1 80 interface eth0 8080 extendable\nip nat inside source static network 10.0.0.0 1.1.2.0 /24 route-map R no-alias\nip nat outside source static 2.2.2.2 10.9.9.9 add-route\nip nat inside destination list 1 pool P\nip nat outside source route-map R pool P\nip nat translation max-entries host 1.1.1.1 9\nip nat log translations file /x',
  'clear ip nat translation tcp inside 1.1.1.1 1 2.2.2.2 2 outside 3.3.3.3 3 4.4.4.4 4 forced',
  'interface Tunnel0\n tunnel source gi0/0\n tunnel destination 1.2.3.4\n tunnel mode gre ip\n tunnel key 7\n tunnel tos 3\n keepalive 5\n tunnel path-mtu-discovery\n bandwidth 9',
  'route-map R deny 10\n match ip address A 101\n match interface gi0/0 lo0\nroute-map R\nroute-map S\n description x\nno route-map R deny 10',
  'access-list 100 permit tcp any range 20 ftp host 1.1.1.1 gt 1023\nip access-list standard 7\n 15 permit host 1.2.3.4\n no 15\n remark x',
  'ip access-list extended A\n permit tcp any eq 1 2 www any neq 22 established log-input\n 7 deny tcp object-group N any match-any +syn -ack\n permit icmp any any 3 13\n deny ip any any fragments\n permit object-group S any any dscp ef\nip access-list resequence A 5 7',
  'object-group network N\n host 1.1.1.1\n 10.0.0.0 /8\n range 1.1.1.1 1.1.1.9\n group-object M\nobject-group service S\n tcp source gt 1023 eq www\n tcp-udp range 1 domain\n icmp echo\n no tcp eq 5',
  'interface gi0/0\n ip access-group A in\n ip access-group 101 out\n no ip unreachables\n no ip access-group in',
  'interface gi0/0\n ip tcp adjust-mss 1360\n no ip tcp adjust-mss',
  'banner motd ^C\n hello\n^C\nrouter ospf 1\n network 10.0.0.0 0.255.255.255 area 0',
].map((text) => new TextEncoder().encode(text));
