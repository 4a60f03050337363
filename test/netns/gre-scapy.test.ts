// scapy as the other end of eight GRE tunnels: every set of checksum, key and sequence number. It takes apart what comes, checks each field, and answers
// pings from inside.
//
//   h1 10.0.1.10 -- r1 172.16.0.1 -- s 172.16.0.100 to .107 [scapy], tunnel n to .100 + n, behind it 10.9.n.0/24
//
//   h1 :: ping 10.9.n.1 :: answered, n = 0..7; s :: what it saw :: fields as configured, checksum right, numbers 0, 1, 2
//   r1 :: ping -I Tunnel n, from a program of the router itself :: answered

import t from 'tap';
import { Netns } from '../support/netns.js';
import { pings } from '../support/ping.js';
import { SingleRouter } from '../support/single-router.js';

const configuration = `hostname r1
interface GigabitEthernet0/0
 linux-device lan
 ip address 10.0.1.1 255.255.255.0
interface GigabitEthernet0/1
 linux-device wan
 ip address 172.16.0.1 255.255.255.0
${[0, 1, 2, 3, 4, 5, 6, 7]
  .map(
    (set) => `interface Tunnel${set}
 ip address 192.168.${set}.1 255.255.255.252
 tunnel source GigabitEthernet0/1
 tunnel destination 172.16.0.${100 + set}
${set & 1 ? ' tunnel checksum\n' : ''}${set & 2 ? ` tunnel key ${0xa0000000 + set}\n` : ''}${set & 4 ? ' tunnel sequence-datagrams\n' : ''}!
ip route 10.9.${set}.0 255.255.255.0 Tunnel${set}
`,
  )
  .join('')}`;

const otherEnd = `
import json, logging, sys
logging.getLogger('scapy').setLevel(logging.ERROR)
from scapy.all import *
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
sent = {}
def take(frame):
    packet = IP(bytes(frame[IP])[:frame[IP].len])
    if not packet.dst.startswith('172.16.0.10') or GRE not in packet: return
    gre = packet[GRE]
    again = GRE(bytes(gre))
    del again.chksum
    right = bytes(again) == bytes(gre) if gre.chksum_present else gre.chksum is None
    n = int(packet.dst[-1])
    print(json.dumps([n, int(gre.chksum_present), gre.key if gre.key_present else None, gre.seqence_number if gre.seqnum_present else None,
        right, gre.proto, packet.tos, packet.ttl, int(packet.flags), packet[ICMP].type]), flush=True)
    inner = IP(src=gre[IP].dst, dst=gre[IP].src) / ICMP(type=0, id=packet[ICMP].id, seq=packet[ICMP].seq) / packet[ICMP].payload
    number = sent.get(n, 0)
    sent[n] = number + 1
    fields = dict(proto=0x800, chksum_present=gre.chksum_present, key_present=gre.key_present, seqnum_present=gre.seqnum_present)
    if gre.key_present: fields['key'] = gre.key
    if gre.seqnum_present: fields['seqence_number'] = number
    raw.sendto(bytes(IP(src=packet.dst, dst=packet.src) / GRE(**fields) / inner), (packet.src, 0))
sniff(iface='wan', filter='ip proto 47 and dst net 172.16.0.96/28', prn=take, store=False, started_callback=lambda: print('ready', flush=True))
`;

t.test('eight tunnels to scapy', { skip: process.geteuid?.() === 0 ? false : 'needs root' }, async (t) => {
  const netns = new Netns();
  t.teardown(() => netns.remove());
  await netns.add('h1', 'r1', 's');
  await netns.veth('h1', 'eth0', '10.0.1.10/24', 'r1', 'lan', null);
  await netns.veth('r1', 'wan', null, 's', 'wan', '172.16.0.99/24');
  await netns.sh('h1', 'ip route add default via 10.0.1.1');
  // The kernel of the other end must not answer GRE that it knows nothing of.
  await netns.sh('s', 'for n in 0 1 2 3 4 5 6 7; do ip addr add 172.16.0.10$n/32 dev wan; done');
  await netns.sh('s', "nft 'table ip f { chain c { type filter hook input priority 0; ip protocol gre drop; }; }'");
  const router = SingleRouter.start(netns, 'r1', configuration);
  t.teardown(() => router.stop());
  await router.ready();
  const scapy = netns.spawn('s', ['/usr/bin/python3', '-u', '-c', otherEnd]);
  await scapy.says(/ready/);
  for (let set = 0; set < 8; set++) {
    t.match(await netns.sh('h1', `ping ${pings(3, 10).join(' ')} -Q 0xb8 10.9.${set}.1`), / 3 received/, `set ${set}`);
    t.match(await netns.sh('r1', `ping -n -c 1 -W 10 192.168.${set}.2`), / 1 received/, `set ${set}, the router's own`);
  }
  await scapy.stop();
  const seen = scapy.stdout
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
  const expected = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((set) =>
    [0, 1, 2, 3].map((n) => {
      const key = set & 2 ? 0xa0000000 + set : null;
      // Type 8; a TUN takes the one hop that cannot be given in advance to a TTL of 255.
      return [set, set & 1, key, set & 4 ? n : null, true, 0x800, n < 3 ? 0xb8 : 0, 254, 0, 8];
    }),
  );
  t.strictSame(seen, expected);
  const { interfaces } = (await router.show('interfaces')) as {
    interfaces: { name: string; mtu: number; counters: Record<string, number> }[];
  };
  for (let set = 0; set < 8; set++) {
    const tunnel = interfaces.find(({ name }) => name === `Tunnel${set}`);
    t.match(tunnel, {
      mtu: 1476 - (set & 1) * 4 - (set & 2) * 2 - (set & 4),
      counters: { receivedPackets: 4, sentPackets: 4, receiveDrops: 0 },
    });
  }
});
