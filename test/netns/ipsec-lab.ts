// What the cases of site-to-site traffic with strongSwan share: a host behind our router, charon with a network of its own, and what both are told.
//
//   h1 198.51.100.10 --- .1 gw 10.9.0.1 --------- 10.9.0.2 ss, 192.0.2.1 on lo
//                           groupwire             charon with kernel-libipsec: ESP in UDP 4500 by itself, through the TUN device ipsec0

import { Netns, until } from '../support/netns.js';
import type { SingleRouter } from '../support/single-router.js';
import { Strongswan } from '../support/strongswan.js';
import { connectionText, gatewayAddress, sharedKeyLine, startRouter, strongswanAddress } from './ike-interop.js';

export const hostAddress = '198.51.100.10';
export const farAddress = '192.0.2.1';

/** What differs between cases. */
export interface SiteOptions {
  /** Ours, in order: `esp-gcm 256`. */
  transforms: string[];
  /** charon's `esp_proposals`. */
  proposals: string;
  /** Lines of the crypto map's entry: `set pfs group14`. */
  entry?: string[];
  /** Global lines: keepalives, trustpoints. Instead of the shared key when `authentication` is given. */
  global?: string;
  authentication?: 'pre-share' | 'rsa-sig';
}

export function siteText({ transforms, entry = [], global = '', authentication = 'pre-share' }: SiteOptions): string {
  return `hostname GW
ip domain name example.net
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication ${authentication}
 group 14
${authentication === 'pre-share' ? `${sharedKeyLine}\n` : ''}${global}${transforms
  .map((text, i) => `crypto ipsec transform-set T${i} ${text}\n`)
  .join('')}crypto map M 10 ipsec-isakmp
 set peer ${strongswanAddress}
 set transform-set ${transforms.map((_, i) => `T${i}`).join(' ')}
${entry.map((line) => ` ${line}\n`).join('')} match address A
ip access-list extended A
 permit ip 198.51.100.0 0.0.0.255 192.0.2.0 0.0.0.255
interface lan
 ip address 198.51.100.1 255.255.255.0
interface eth0
 ip address ${gatewayAddress} 255.255.255.0
 crypto map M
ip route 192.0.2.0 255.255.255.0 ${strongswanAddress}
`;
}

const sharedSecret = `ike-gw {\n  id-1 = ${gatewayAddress}\n  id-2 = ${strongswanAddress}\n  secret = "a-shared-key"\n}`;
export const sharedKeyEnds = `local { auth = psk }\n  remote { auth = psk\n  id = ${gatewayAddress} }`;

export interface CharonOptions extends Pick<SiteOptions, 'proposals'> {
  /** `local { ... } remote { ... }` and more lines of the connection. */
  ends?: string;
  secrets?: string;
  files?: Record<string, string>;
  /** Lines of the child. */
  child?: string;
}

/** charon, ready, with its routes into the tunnel. */
export async function startCharon(netns: Netns, options: CharonOptions): Promise<Strongswan> {
  const { proposals, ends = sharedKeyEnds, secrets = sharedSecret, files, child = '' } = options;
  const connections = connectionText(`encap = yes\n  ${ends}`)
    .replace('none {', 'net {')
    .replace('esp_proposals = aes256-sha256', `esp_proposals = ${proposals}\n      ${child}`);
  const charon = await Strongswan.start(netns, 'ss', { connections, secrets, files, libipsec: true });
  await until('the tunnel device', async () => /ipsec0/.test(await netns.sh('ss', 'ip link show ipsec0 2>&1 || true')));
  await netns.sh('ss', `ip route replace 198.51.100.0/24 dev ipsec0 src ${farAddress}`);
  return charon;
}

/** The three nodes; nothing runs yet. */
export async function siteNodes(): Promise<Netns> {
  const netns = new Netns();
  await netns.add('h1', 'gw', 'ss');
  await netns.veth('gw', 'eth0', null, 'ss', 'eth0', `${strongswanAddress}/24`);
  await netns.veth('gw', 'lan', null, 'h1', 'eth0', `${hostAddress}/24`);
  await netns.sh('gw', 'ip link set eth0 up; ip link set lan up');
  await netns.sh('h1', 'ip route add default via 198.51.100.1');
  // charon routes by the address that it has in its own network.
  await netns.sh('ss', `ip addr add ${farAddress}/24 dev lo; ip route add 198.51.100.0/24 via ${gatewayAddress}`);
  return netns;
}

/** A test of tap. */
interface Teardown {
  teardown(undo: () => unknown): void;
}

/** Router and charon, both ready, until the end of the test. */
export async function startSite(
  t: Teardown,
  site: SiteOptions,
  peer: Partial<CharonOptions> = {},
): Promise<{ netns: Netns; router: SingleRouter; charon: Strongswan }> {
  const netns = await siteNodes();
  t.teardown(() => netns.remove());
  const router = startRouter(t, netns, siteText(site));
  await router.ready();
  const charon = await startCharon(netns, { proposals: site.proposals, ...peer });
  t.teardown(() => charon.stop());
  return { netns, router, charon };
}

/** Pings until there is an answer. @throws Error with the ends of both logs */
export async function answered(netns: Netns, router: SingleRouter, charon: Strongswan, from: 'h1' | 'ss' = 'h1'): Promise<void> {
  const line = `ping -c 1 -W 1 ${from === 'h1' ? farAddress : `-I ${farAddress} ${hostAddress}`} || true`;
  try {
    await until('an answer', async () => / 0% packet loss/.test(await netns.sh(from, line)));
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${router.log().slice(-3000)}\n----\n${charon.log().slice(-3000)}`);
  }
}

const receiver = `
import hashlib, socket, sys
listener = socket.create_server((sys.argv[1], 5201))
print('ready', flush=True)
connection, _ = listener.accept()
digest = hashlib.sha256()
while data := connection.recv(65536): digest.update(data)
print(digest.hexdigest(), flush=True)
`;
const sender = `
import hashlib, os, socket, sys
data = os.urandom(int(sys.argv[2]))
with socket.create_connection((sys.argv[1], 5201), timeout=30) as connection: connection.sendall(data)
print(hashlib.sha256(data).hexdigest(), flush=True)
`;

/** One TCP connection from h1 to ss, or back. @returns whether all bytes arrived as they were sent */
export async function transfer(netns: Netns, bytes: number, back: boolean): Promise<boolean> {
  const [from, to, address] = back ? ['ss', 'h1', hostAddress] : ['h1', 'ss', farAddress];
  const sink = netns.spawn(to, ['/usr/bin/python3', '-c', receiver, address]);
  await sink.says(/ready/);
  const source = netns.spawn(from, ['/usr/bin/python3', '-c', sender, address, String(bytes)]);
  if ((await source.ended) !== 0) throw new Error(`the sender failed: ${source.stderr}`);
  await sink.ended;
  return sink.stdout === `ready\n${source.stdout}`;
}
