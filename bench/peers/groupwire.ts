// groupwire as a GET VPN: gwA and gwB are members of one group, ks is its key server, behind the core and not counted. Or as two gateways with
// a crypto map between them, whose ESP goes in UDP.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Background, run, runChecked, runDirectory, shell, write } from '../machine.js';
import { launcher } from '../paths.js';
import { other, routeHosts, type Side, sideOf, sides } from '../topology.js';

export interface Variant {
  /** IOS transforms of the group's transform set. */
  transforms: string;
  /** `port-driver` of the interfaces; absent = the default. */
  inside?: string;
  outside?: string;
  /** Forwarding workers of a member; absent = the default. */
  workers?: number;
  /** A GRE tunnel between the gateways; the group seals its packets. */
  tunnel?: boolean;
  /** No group: a crypto map between the gateways, with ESP in UDP. */
  udp?: boolean;
  /** The group's ESP in UDP. */
  groupUdp?: boolean;
}

const keyServer = '203.0.113.1';

const isakmp = `crypto isakmp policy 100
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
`;
const interfaceText = (device: string, address: string, mask: string, lines: string[]) =>
  [`interface ${device}`, ` ip address ${address} ${mask}`, ...lines.map((line) => ` ${line}`), '!', ''].join('\n');
const driver = (name: string | undefined) => (name === undefined ? [] : [`port-driver ${name}`]);

/** The other side's hosts are behind the tunnel. */
function tunnelText(side: Side): string {
  const addresses = { A: '192.168.77.1', B: '192.168.77.2' };
  const { wan, net } = sideOf[other(side)];
  return `${interfaceText('Tunnel0', addresses[side], '255.255.255.252', ['ip mtu 1400', 'tunnel source wan', `tunnel destination ${wan}`])}ip route ${net.split('/')[0]} 255.255.0.0 ${addresses[other(side)]}
`;
}

const groupText = `crypto isakmp key BENCH-KEY address ${keyServer}
crypto gdoi group BENCH
 identity number 777
 server address ipv4 ${keyServer}
crypto map BENCH 100 gdoi
 set group BENCH
!
`;

/** The core routes the gateways' addresses only, so that the hosts' way to each other is the crypto map's. */
function siteText(side: Side, { transforms }: Variant): string {
  const [net, far] = [side, other(side)].map((of) => sideOf[of].net.split('/')[0]);
  return `crypto isakmp key BENCH-KEY address ${sideOf[other(side)].wan}
crypto ipsec transform-set BENCH ${transforms}
ip access-list extended BENCH
 permit ip ${net} 0.0.255.255 ${far} 0.0.255.255
crypto map BENCH 100 ipsec-isakmp
 set peer ${sideOf[other(side)].wan}
 set transform-set BENCH
 match address BENCH
!
ip route ${far} 255.255.0.0 ${sideOf[side].hop}
`;
}

function gatewayText(side: Side, variant: Variant): string {
  const { wan, lan, hop } = sideOf[side];
  return `hostname GW${side}
${isakmp}${variant.udp ? siteText(side, variant) : groupText}${interfaceText('wan', wan, '255.255.255.0', [...driver(variant.outside), 'crypto map BENCH'])}${interfaceText('lan', lan, '255.255.0.0', driver(variant.inside))}${variant.tunnel ? tunnelText(side) : ''}ip route 0.0.0.0 0.0.0.0 ${hop}
end
`;
}

function keyServerText(variant: Variant): string {
  return `hostname KS
${isakmp}${sides.map((side) => `crypto isakmp key BENCH-KEY address ${sideOf[side].wan}\n`).join('')}crypto ipsec transform-set BENCH ${variant.transforms}
crypto ipsec profile BENCH
 set transform-set BENCH
crypto gdoi group BENCH
 identity number 777
 server local
  rekey algorithm aes 256
  rekey sig-hash algorithm sha256
  rekey retransmit 10 number 3
  rekey authentication mypubkey rsa BENCH-KS
  rekey transport unicast
  rekey acknowledgement interoperable
  sa ipsec 1
   profile BENCH
   match address ipv4 BENCH-ACL
   replay counter window-size 64
${variant.groupUdp ? '   udp-encapsulation\n' : ''}  address ipv4 ${keyServer}
!
ip access-list extended BENCH-ACL
 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255
 permit ip 10.2.0.0 0.0.255.255 10.1.0.0 0.0.255.255
 permit gre host ${sideOf.A.wan} host ${sideOf.B.wan}
 permit gre host ${sideOf.B.wan} host ${sideOf.A.wan}
!
${interfaceText('wan', keyServer, '255.255.255.0', [])}ip route 0.0.0.0 0.0.0.0 203.0.113.254
end
`;
}

type Router = 'ks' | 'gwA' | 'gwB';

async function start(router: Router, text: string, state: string, workers = 1): Promise<void> {
  const config = write(`${router}.cfg`, text);
  const checked = await run([launcher, 'check', config]);
  if (checked.status !== 0) {
    const errors = (checked.stdout + checked.stderr).match(/error: .*/g) ?? [checked.stderr.trim()];
    throw new Error(`groupwire check ${router}: ${errors.join(', ')}`);
  }
  const directories = ['--runtime', join(runDirectory(), `${router}.run`), '--state', join(runDirectory(), `${state}.state`)];
  const argv = [launcher, 'run', '-c', config, '--instance', router, ...directories, '--metrics', 'off', '--workers', String(workers)];
  const background = new Background(router, router, argv);
  const tell = [launcher, '--instance', router, '--runtime', directories[1]];
  const ready = await run([...tell, 'wait-ready', '--timeout', '25'], 40_000);
  if (ready.status !== 0 || !background.running)
    throw new Error(`groupwire on ${router} is not ready: ${ready.stderr}${background.tail()}`);
  await checkDrivers(tell, background);
}

/** A driver that this machine does not have is replaced by a slower one; that is right for a router, and wrong for a number. */
async function checkDrivers(tell: readonly string[], background: Background): Promise<void> {
  const { interfaces } = JSON.parse(await runChecked([...tell, 'show', 'interfaces', '|', 'json'])) as {
    interfaces: { name: string; driver?: string; wantedDriver?: string }[];
  };
  for (const { name, driver, wantedDriver } of interfaces) {
    if (wantedDriver === driver) continue;
    const said = background.tail().match(/%DATAPLANE-[45]-PORT_DRIVER: .*/)?.[0] ?? '';
    throw new Error(`interface ${name} runs ${driver} instead of ${wantedDriver}: ${said}`);
  }
}

/**
 * Another port than 500 in what B sees of A's first messages: both find a translator between them (RFC 3947 §3.2), and go on in UDP 4500, which the core leaves alone.
 * No connection tracking, which would cost the core something for every packet.
 */
async function showTranslator(): Promise<void> {
  const { wan } = sideOf.A;
  const there = `ip saddr ${wan} udp sport 500 udp sport set 1500`;
  const back = `ip daddr ${wan} udp dport 1500 udp dport set 500`;
  await shell('core', `nft 'table ip bench { chain forward { type filter hook forward priority 0; ${there}; ${back}; }; }'`);
}

/** Returns once the key server serves and both members are registered; of two gateways, once both run: the first packet brings their SAs. */
export async function startGroupwire(variant: Variant): Promise<void> {
  if (!existsSync(launcher)) throw new Error(`${launcher} is missing`);
  const isolated = variant.udp === true || variant.tunnel === true;
  if (!isolated) await routeHosts(); // else the core must not know them
  // The key server keeps its state between rounds: its RSA key is made once. Not between transforms and encapsulations: keys that live keep theirs.
  if (variant.udp) await showTranslator();
  else await start('ks', keyServerText(variant), `ks-${variant.transforms.replaceAll(' ', '-')}${variant.groupUdp ? '-udp' : ''}`);
  await Promise.all(sides.map((side) => start(`gw${side}`, gatewayText(side, variant), `gw${side}`, variant.workers)));
}
