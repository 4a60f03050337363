// ping, traceroute and the MTU doctor against a kernel: a link of 1400 bytes between core and r3.
//
//   r1 172.16.1.2 [Tunnel0 to r3, GRE in 3DES/SHA-1] -- core -- 1400 bytes -- r3 172.16.3.2
//
//   r1 :: ping r3 sweep 1300 1500 1 df-bit  :: 101 successes, then M; path MTU 1400
//   r1 :: Debian's ping -M do -s 1372, 1373 :: passes, does not
//   core [tcpdump]                          :: our size 1400 and Debian's -s 1372 are datagrams of 1400 bytes
//   r1 :: traceroute r3                     :: core, r3, as Debian's traceroute says
//   r1 :: groupwire mtu r3                  :: 1400, behind core, ip mtu 1326 exactly and 1320 by the rule of thumb
//   core drops ICMP 3/4                     :: the doctor finds 1400 all the same and says that ICMP is blocked
//   Ctrl-C                                  :: the summary of what was sent

import t from 'tap';
import { Netns, until } from '../support/netns.js';
import { SingleRouter } from '../support/single-router.js';

const configuration = `hostname r1
crypto isakmp key between-the-two address 172.16.3.2
crypto isakmp policy 10
 encryption aes
 hash sha256
 group 14
 authentication pre-share
crypto ipsec transform-set SEED esp-3des esp-sha-hmac
crypto ipsec profile SEED
 set transform-set SEED
interface GigabitEthernet0/0
 linux-device wan
 ip address 172.16.1.2 255.255.255.252
interface Tunnel0
 ip address 192.168.13.1 255.255.255.252
 tunnel source GigabitEthernet0/0
 tunnel destination 172.16.3.2
 tunnel protection ipsec profile SEED
ip route 0.0.0.0 0.0.0.0 172.16.1.1
`;

t.test('a link of 1400 bytes in the core', async (t) => {
  const netns = new Netns();
  t.teardown(() => netns.remove());
  await netns.add('r1', 'core', 'r3');
  await netns.veth('r1', 'wan', null, 'core', 'r1', '172.16.1.1/30');
  await netns.veth('core', 'r3', '172.16.3.1/30', 'r3', 'eth0', '172.16.3.2/30');
  await netns.sh('core', 'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 && ip link set r3 mtu 1400');
  await netns.sh('r3', 'sysctl -qw net.ipv4.icmp_ratelimit=0; ip route add default via 172.16.3.1');
  const r1 = SingleRouter.start(netns, 'r1', configuration);
  t.teardown(() => r1.stop());
  await r1.ready();

  t.match(
    await r1.groupwire('ping', '172.16.3.2'),
    /^Type escape sequence to abort\.\nSending 5, 100-byte ICMP Echos to 172\.16\.3\.2, timeout is 2 seconds:\n!!!!!\nSuccess rate is 100 percent \(5\/5\), round-trip min\/avg\/max = \d+\/\d+\/\d+ ms\n$/,
  );
  const sweep = await r1.groupwire('exec', 'ping 172.16.3.2 repeat 1 df-bit sweep 1300 1500 1 timeout 5 source gi0/0');
  const marks = sweep.split('\n').filter((line) => /^[!M.]+$/.test(line));
  t.match(
    sweep,
    /^.*\nSending 201, \[1300\.\.1500\]-byte ICMP Echos to 172\.16\.3\.2, timeout is 5 seconds:\nPacket sent with a source address of 172\.16\.1\.2\nPacket sent with the DF bit set\n/,
  );
  t.equal(marks.join(''), '!'.repeat(101) + 'M'.repeat(100));
  t.match(
    sweep,
    /\nSuccess rate is 50 percent \(101\/201\), .*\nLargest size that passed: 1400 bytes .*\nPath MTU to 172\.16\.3\.2 is 1400, as ICMP says\n$/,
  );
  const debian = async (size: number) =>
    await netns.spawn('r1', ['ping', '-n', '-c', '1', '-W', '5', '-M', 'do', '-s', `${size}`, '172.16.3.2']).ended;
  t.equal(await debian(1372), 0, "Debian's ping passes with what we call it there");
  t.not(await debian(1373), 0, 'and with one byte more does not');

  const wire = netns.spawn('core', ['tcpdump', '-nvtl', '-i', 'r1', '-c', '2', 'icmp[icmptype] == icmp-echo']);
  await wire.says(/listening on/);
  await r1.groupwire('ping', '172.16.3.2', 'repeat', '1', 'size', '1400', 'df-bit');
  await debian(1372);
  await wire.ended;
  t.strictSame(wire.stdout.match(/length \d+\)/g), ['length 1400)', 'length 1400)'], 'the same size in two dialects');

  const ours = hopsOf(await r1.groupwire('traceroute', '172.16.3.2', 'probe', '1'));
  t.strictSame(ours, ['172.16.1.1', '172.16.3.2']);
  t.strictSame(ours, hopsOf(await netns.sh('r1', 'traceroute -n -q 1 172.16.3.2')), "as Debian's");
  // Linux lets unreachables to one host wait after so many of them (ip_error): the sweep has used them up.
  await until('core to say that it has no route', async () =>
    /\nU\nSuccess rate is 0 percent \(0\/1\)\n$/.test(await r1.groupwire('ping', '203.0.113.1', 'repeat', '1', 'timeout', '1')),
  );
  t.match(await r1.groupwire('ping', '172.16.1.1', 'size', '5000', 'validate', 'tos', '184'), /\n!!!!!\n/, 'in fragments, there and back');

  const doctor = await r1.groupwire('mtu', '172.16.3.2');
  t.match(
    doctor,
    /^Path MTU to 172\.16\.3\.2: 1400 bytes .*\n {2}ICMP fragmentation needed: heard from 172\.16\.1\.1, next-hop MTU 1400\n {2}The path shrinks behind hop 1, 172\.16\.1\.1\n/,
  );
  t.match(
    doctor,
    / = 1326\n.*\n {2}By the rule of thumb \(GRE 24 \+ ESP 56\): ip mtu 1320\n.*\n {3}interface Tunnel0\n {4}ip mtu 1326\n {4}ip tcp adjust-mss 1286\n/,
  );
  await netns.sh(
    'core',
    'nft "add table ip f; add chain ip f o { type filter hook output priority 0; }; add rule ip f o icmp type destination-unreachable icmp code 4 drop"',
  );
  t.match(
    await r1.groupwire('mtu', '172.16.3.2'),
    /: 1400 bytes .*\n {2}ICMP fragmentation needed: blocked, .*\n {2}The path shrinks behind hop 1, 172\.16\.1\.1\n/,
  );

  const ended = r1.spawn('ping', '172.16.3.2', 'repeat', '1000000');
  await until('the first marks', () => ended.stdout.includes('!!!'));
  const text = await ended.stop('SIGINT');
  t.match(text, /!\nSuccess rate is 100 percent \((\d+)\/\1\), round-trip min\/avg\/max = /, 'Ctrl-C: the summary');
});

function hopsOf(text: string): string[] {
  return [...text.matchAll(/^ +\d+ +([\d.]+) /gm)].map(([, address]) => address);
}
