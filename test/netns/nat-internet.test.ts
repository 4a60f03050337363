// The seed's first lesson: Internet access and VPN on one router. NAT comes before encryption, so the VPN is exempted by a route-map.
//
//   h1 10.0.1.10 -- r1 (ip nat inside | outside 172.16.1.2, crypto map) -- core [capture] -- r2 -- h2,  core -- inet 198.51.100.10
//
//   h1   :: ping, TCP and UDP by iperf3 to inet, at the same time ping h2 :: all arrive; core sees 172.16.1.2 and ESP 10.0.1.10 -> 10.0.2.10
//   inet :: conntrack                       :: knows 172.16.1.2, and no private address
//   h1   :: TTL 2, 3/4 from the core (its way to inet has 1400 bytes), a closed port :: its kernel takes the errors as RELATED, none is INVALID
//   r1   :: reload with `list NAT` instead of the route-map :: h2 is asked by 172.16.1.2, outside the VPN, as the seed says; back again
//   r1   :: show ip nat translations, clear ip nat translation *

import t from 'tap';
import { Lab, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { isBranch, readCapture, splitBranchPackets } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { capture } from '../support/tshark.js';

const judge = `table ip judge {
  chain in {
    type filter hook input priority 0;
    ct state invalid counter comment "invalid"
    icmp type { destination-unreachable, time-exceeded } ct state related counter comment "related"
    icmp type { destination-unreachable, time-exceeded } ct state != related counter comment "alone"
  }
}`;

interface NftRule {
  rule?: { comment?: string; expr: { counter?: { packets: number } }[] };
}

/** Packets by the comment of the rule that counted them. */
async function judged(lab: Lab): Promise<Record<string, number>> {
  const { nftables } = JSON.parse(await lab.sh('h1', 'nft -j list table ip judge')) as { nftables: NftRule[] };
  const rules = nftables.flatMap(({ rule }) => (rule ? [rule] : []));
  return Object.fromEntries(rules.map(({ comment = '', expr }) => [comment, expr.find(({ counter }) => counter)?.counter?.packets ?? -1]));
}

interface Translation {
  protocol: string;
  insideLocal: string;
  insideGlobal: string;
}

t.test('Internet and VPN on one router', async (t) => {
  const lab = await Lab.up({ config: 'seed', start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  const tap = await capture(lab, 'core', 'any', '-Q in ip');
  const servers = [lab.spawn('inet', ['iperf3', '-s', '--forceflush']), lab.spawn('h2', ['iperf3', '-s', '--forceflush'])];
  for (const server of servers) await server.says(/listening/);

  await Promise.all([
    lab.sh('h1', `ping ${pings(20).join(' ')} 198.51.100.10 | grep " 0% packet loss"`),
    lab.sh('h1', `ping ${pings(20).join(' ')} 10.0.2.10 | grep " 0% packet loss"`),
  ]);
  for (const words of ['-n 3M', '-n 3M -R', '-u -b 5M -l 200 -t 1']) {
    const [inet, vpn] = await Promise.all(
      ['198.51.100.10', '10.0.2.10'].map((to) => lab.run('h1', ['iperf3', '-c', to, '-J', ...words.split(' ')], 20_000)),
    );
    for (const { status, stdout, stderr } of [inet, vpn]) t.equal(status, 0, `iperf3 ${words}: ${stderr}${stdout.slice(0, 300)}`);
  }
  await tap.stop();
  const packets = readCapture(tap.file);
  const { esp, clear } = splitBranchPackets(packets);
  t.equal(clear.length, 0, 'between branches nothing is in the clear');
  t.ok(
    esp.some(({ source, destination }) => source === '10.0.1.10' && destination === '10.0.2.10'),
    'the VPN has the hosts’ own addresses',
  );
  const internet = packets.filter(({ source, destination }) => [source, destination].includes('198.51.100.10'));
  t.ok(internet.length > 100, `${internet.length} packets to and from inet`);
  t.same(
    internet.filter(({ source, destination }) => isBranch(source) || isBranch(destination)),
    [],
    'inet sees no private address',
  );
  t.ok(
    internet.some(({ source }) => source === '172.16.1.2'),
    'but the interface’s',
  );

  const { translations } = (await lab.show('r1', 'ip nat translations')) as { translations: Translation[] };
  const tcp = translations.filter(({ protocol }) => protocol === 'tcp');
  t.ok(tcp.length >= 2, 'TCP sessions are shown');
  for (const { insideLocal, insideGlobal } of tcp)
    t.same([insideLocal.split(':')[0], insideGlobal.split(':')[0]], ['10.0.1.10', '172.16.1.2']);

  await lab.sh('h1', `nft '${judge}'`);
  await lab.sh('core', 'ip link set inet mtu 1400');
  t.match(
    (await lab.run('h1', ['ping', '-c', '2', '-i', '0.1', '-t', '2', '-W', '1', '198.51.100.10'])).stdout,
    /Time to live exceeded/,
    'TTL',
  );
  t.match(
    (await lab.run('h1', ['ping', '-c', '2', '-i', '0.1', '-M', 'do', '-s', '1400', '-W', '1', '198.51.100.10'])).stdout,
    /mtu ?= ?1400/,
    'the path’s MTU is told',
  );
  const large = await lab.run('h1', ['iperf3', '-c', '198.51.100.10', '-n', '1M', '-J'], 20_000);
  t.equal(large.status, 0, 'TCP learns it');
  t.match((await lab.run('h1', ['python3', '-c', closedPort])).stdout, /refused/, 'a closed port is told');
  const counts = await judged(lab);
  t.equal(counts.invalid, 0, 'no packet that the kernel of h1 calls invalid');
  t.equal(counts.alone, 0, 'no error that belongs to no flow');
  t.ok(counts.related >= 4, `${counts.related} errors belong to flows`);

  lab.configure('r1', (text) => substitute(text, /source route-map NAT interface/, 'source list NAT interface'));
  lab.reload('r1');
  // What h2 hears from, by the source that its own kernel saw.
  const heardFrom = async (): Promise<string> => {
    await lab.run('h1', ['ping', '-c', '1', '-W', '1', '10.0.2.10']);
    const heard = await lab.sh('h2', 'nft list ruleset');
    await lab.sh('h2', 'nft reset counters');
    return [...heard.matchAll(/counter (\w+) \{\s*packets ([1-9]\d*)/g)].map(([, name]) => name).join(' ');
  };
  await lab.sh('h2', `nft '${sources}'`);
  await until('the VPN to break: h2 is asked by the interface', async () => (await heardFrom()) === 'router');
  t.equal((await lab.run('h1', ['ping', '-c', '1', '-W', '2', '198.51.100.10'])).status, 0, 'the Internet works');
  lab.configure('r1', (text) => substitute(text, /source list NAT interface/, 'source route-map NAT interface'));
  lab.reload('r1');
  await until('the VPN to be back', async () => {
    await lab.groupwire('r1', 'exec', 'clear ip nat translation *');
    return (await heardFrom()) === 'h1';
  });
  await lab.groupwire('r1', 'exec', 'clear ip nat translation *');
  const after = (await lab.show('r1', 'ip nat translations')) as { translations: Translation[] };
  t.equal(after.translations.filter(({ protocol }) => protocol === 'tcp').length, 0, 'cleared');
});

const sources = `table ip sources {
  counter h1 { }
  counter router { }
  chain in {
    type filter hook input priority 0;
    ip saddr 10.0.1.10 counter name h1
    ip saddr 172.16.1.2 counter name router
  }
}`;

const closedPort = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect(('198.51.100.10', 9))
s.send(b'x')
try: s.recv(10)
except ConnectionRefusedError: print('refused')
`;
