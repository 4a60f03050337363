// What the cases of phase 1 with strongSwan share: two nodes and a wire, our router's configuration in either role.
//
//   gw 10.9.0.1 --------- ss 10.9.0.2
//   groupwire             charon, IKEv1 main mode on UDP 500, DOI 1

import { Netns } from '../support/netns.js';
import { SingleRouter } from '../support/single-router.js';

export const gatewayAddress = '10.9.0.1';
export const strongswanAddress = '10.9.0.2';
/** The key of most cases. */
export const sharedKeyLine = `crypto isakmp key a-shared-key address ${strongswanAddress}`;

export async function twoNodes(): Promise<Netns> {
  const netns = new Netns();
  await netns.add('gw', 'ss');
  await netns.veth('gw', 'eth0', null, 'ss', 'eth0', `${strongswanAddress}/24`);
  await netns.sh('gw', 'ip link set eth0 up');
  return netns;
}

const interfaceText = `interface eth0
 ip address ${gatewayAddress} 255.255.255.0
`;

export interface RouterOptions {
  /** Lines of the ISAKMP policy. */
  policy: string[];
  /** Global lines in front: keys, trustpoints. */
  global: string;
}

function phase1Text({ policy, global }: RouterOptions): string {
  return `hostname GW
ip domain name example.net
crypto isakmp policy 10
${policy.map((line) => ` ${line}\n`).join('')}${global}
`;
}

/** Answers: it has a key server. */
export function responderText(options: RouterOptions): string {
  return `${phase1Text(options)}crypto ipsec transform-set TS esp-gcm 256
crypto ipsec profile P
 set transform-set TS
crypto gdoi group G
 identity number 777
 server local
  rekey authentication mypubkey rsa KEY
  rekey transport unicast
  sa ipsec 1
   profile P
   match address ipv4 A
  address ipv4 ${gatewayAddress}
ip access-list extended A
 permit ip 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255
${interfaceText}`;
}

/** Begins: it is a member whose key server is strongSwan, which knows phase 1 and nothing of GDOI. */
export function initiatorText(options: RouterOptions): string {
  return `${phase1Text(options)}crypto gdoi group G
 identity number 777
 server address ipv4 ${strongswanAddress}
crypto map M 10 gdoi
 set group G
${interfaceText} crypto map M
`;
}

/** GDOI's port is 848, charon's is 500. */
export async function redirectGdoiPort(netns: Netns): Promise<void> {
  await netns.sh(
    'ss',
    'nft "add table ip gdoi; add chain ip gdoi in { type nat hook prerouting priority dstnat; }; add rule ip gdoi in udp dport 848 redirect to :500"',
  );
}

/** `remote_addrs = gw`, version 1. @param more lines of the connection */
export function connectionText(more: string): string {
  return `gw {
  version = 1
  local_addrs = ${strongswanAddress}
  remote_addrs = ${gatewayAddress}
  proposals = aes256-sha256-modp2048
  dpd_delay = 0
  ${more}
  children {
    none {
      local_ts = 192.0.2.0/24
      remote_ts = 198.51.100.0/24
      esp_proposals = aes256-sha256
    }
  }
}`;
}

/** Our router on gw, until the end of the test. */
export function startRouter(t: Teardown, netns: Netns, configuration: string): SingleRouter {
  const router = SingleRouter.start(netns, 'gw', configuration);
  t.teardown(() => router.stop());
  return router;
}

/** A responder that is ready. */
export async function startResponder(t: Teardown, netns: Netns, options: RouterOptions): Promise<SingleRouter> {
  const router = startRouter(t, netns, responderText(options));
  await router.ready();
  return router;
}

/** A test of tap. */
interface Teardown {
  teardown(undo: () => unknown): void;
}

interface IsakmpSa {
  destination: string;
  source: string;
  state: string;
  connectionId: number;
}

/** What `show crypto isakmp sa` of our router lists. */
export async function sasOf(router: SingleRouter): Promise<IsakmpSa[]> {
  return ((await router.show('crypto isakmp sa')) as { isakmpSas: IsakmpSa[] }).isakmpSas;
}
