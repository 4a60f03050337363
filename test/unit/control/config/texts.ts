// Configurations and short forms that the tests of this folder share.

import { deepStrictEqual } from 'node:assert';
import { checkConfig } from '../../../../control/config/check.js';
import type { Config } from '../../../../control/config/model.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { printConfig } from '../../../../control/config/print.js';

/** `12 error message` for each problem of a text. */
export function listProblems(
  text: string,
  check: (text: string) => { problems: ReturnType<typeof checkConfig>['problems'] } = parseConfig,
): string[] {
  return check(text).problems.map(({ line, severity, message }) => `${line} ${severity} ${message}`);
}

export function listErrors(text: string): string[] {
  return listProblems(text, checkConfig).filter((problem) => problem.split(' ')[1] === 'error');
}

/** The configuration of a text that must have no problem at all. @throws AssertionError with those it has */
export function parseClean(text: string): Config {
  const { config, problems } = parseConfig(text);
  deepStrictEqual(problems, []);
  return config;
}

/** What `show running-config` says of a text, without separators, for comparing a few lines. */
export function reprint(text: string): string[] {
  return printConfig(parseConfig(text).config, { secrets: true })
    .split('\n')
    .filter((line) => line !== '!' && line !== '' && line !== 'end' && line !== 'hostname Router');
}

/** The seed's R2, a group member, with the addresses that its text lost. */
export const seedMember = `hostname R2
!
crypto isakmp policy 100
 encr 3des
 authentication pre-share
!
crypto isakmp key 0 R2-KEY address 172.16.4.2
!
crypto gdoi group GDOI-GROUP
 identity number 777
 server address ipv4 172.16.4.2
!
crypto map GETVPN-MAP 100 gdoi
 set group GDOI-GROUP
!
interface FastEthernet0/0
 ip address 172.16.2.2 255.255.255.252
 crypto map GETVPN-MAP
!
ip route 0.0.0.0 0.0.0.0 172.16.2.1
`;

/** The seed's R4, the key server: its own listing, line by line, with the profile of its steps and the lost addresses. */
export const seedKeyServer = `ip domain name example.com
crypto isakmp policy 100
 encr 3des
 authentication pre-share
crypto isakmp key R1-KEY address 172.16.1.2
crypto isakmp key R2-KEY address 172.16.2.2
crypto isakmp key R3-KEY address 172.16.3.2
crypto ipsec transform-set TRANSFORM-SET esp-3des esp-sha-hmac
crypto ipsec profile GETVPN-PROFILE
 set transform-set TRANSFORM-SET
crypto gdoi group GDOI-GROUP
 identity number 777
 server local
  rekey retransmit 10 number 3
  rekey authentication mypubkey rsa GETVPN-R4-KS
  rekey transport unicast
  sa ipsec 1
   profile GETVPN-PROFILE
   match address ipv4 CRYPTO-ACL
   replay counter window-size 64
  address ipv4 172.16.4.2
interface FastEthernet0/0
 ip address 172.16.4.2 255.255.255.252
ip access-list extended CRYPTO-ACL
 deny udp any eq 848 any eq 848
 deny tcp any host 10.0.1.179
 deny tcp any host 10.0.2.179
 permit ip 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255
`;

export function unindent(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimStart())
    .join('\n');
}
