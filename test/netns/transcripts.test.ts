// Issue 9, acceptance 1: every exec command, as the grammar has them, against live routers of one lab: how the answer looks (transcripts.ts), what
// it counts beside what tcpdump, the kernel and the hosts count, and that no answer holds a secret.
//
//   h1 -- r1 --- core --- r2 -- h2        h1 -> h2 :: ping, encrypted; h1 -> inet :: UDP, translated
//                 | \---- inet
//                 r4 :: two members

import { readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parseExec } from '../../control/config/exec.js';
import type { ExecNode } from '../../control/config/exec-node.js';
import { execCommands } from '../../control/config/exec-tree.js';
import { type Host, Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { done, shown, type Transcript } from './transcripts.js';

/** What the command means, however it is spelt; null when it is no line of the grammar. */
function meaningOf(line: string): string | null {
  const command = parseExec(line.replace('FILE', 'startup-config'));
  if ('error' in command) return null;
  return command.kind === 'show' ? `show ${command.topic}` : command.kind;
}

/** Words of the line up to the node, with values that the arguments take. */
function wordOf({ words, argument }: ExecNode): string {
  if (words !== null) return words[0];
  const { label } = argument!.type;
  if (label === 'INTERFACE') return 'FastEthernet0/0';
  return /^<(\d+)-/.exec(label)?.[1] ?? (label === 'A.B.C.D' ? '10.0.0.1' : 'X');
}

/** Everything that the grammar lets somebody ask for. */
function allMeanings(): Set<string> {
  const meanings = new Set<string>();
  const seen = new Set<string>();
  const visit = (before: ExecNode[], node: ExecNode): void => {
    const way = [...before, node];
    // Options lead to each other in circles, and say nothing new.
    const step = [...way.slice(0, 4), node].map(wordOf).join(' ');
    if (node.refuse !== null || way.length > 12 || seen.has(step)) return;
    seen.add(step);
    const meaning = node.run === null ? null : meaningOf(way.map(wordOf).join(' '));
    if (meaning !== null) meanings.add(meaning);
    for (const next of node.next()) visit(way, next);
  };
  for (const root of execCommands) visit([], root);
  return meanings;
}

/** Asked by whoever types; here there is nobody (test/unit/cli/shell/shell.test.ts). */
const elsewhere = ['ping dialogue'];

const secrets = ['R1-KEY', 'R2-KEY', 'CANARY-KEYRING', 'CANARY-USER', 'CANARY-COMMUNITY', 'CANARY-OLD'];
const additions = `banner motd #Welcome to $(hostname)
No entry#
username operator secret CANARY-USER
snmp-server community CANARY-COMMUNITY RO
crypto isakmp key CANARY-OLD address 192.0.2.99
crypto keyring RING
 pre-shared-key address 192.0.2.98 key CANARY-KEYRING
crypto dynamic-map DYN 10
 set transform-set T
crypto ipsec transform-set T esp-gcm 256
object-group network SERVERS
 host 10.0.2.10
class-map match-any VOICE
 match dscp ef
policy-map OUT
 class VOICE
  priority 100
ip access-list extended EDGE
 10 permit icmp any any
 20 permit ip any any
ip access-list extended NEVER
 permit ip host 192.0.2.1 any
route-map PBR permit 10
 match ip address NEVER
interface FastEthernet0/1
 ip access-group EDGE in
 ip policy route-map PBR
interface FastEthernet0/0
 service-policy output OUT
end
`;

t.test('every command has a transcript', (t) => {
  const known = new Set([...shown, ...done].map(([, line]) => meaningOf(line)));
  t.notOk(known.has(null), 'each transcript is a line of the grammar');
  const meanings = allMeanings();
  t.ok(meanings.size > 80, `${meanings.size} commands`);
  t.strictSame(
    [...meanings].filter((meaning) => !known.has(meaning) && !elsewhere.includes(meaning)),
    [],
    'commands without a transcript',
  );
  t.end();
});

function checkLooks(t: Test, [router, line]: Transcript, text: string, looks: readonly RegExp[]): void {
  for (const look of looks) t.match(text, look, `${router}#${line}`);
  for (const secret of secrets) if (text.includes(secret)) t.fail(`${router}#${line} tells ${secret}`);
}

t.test('against live routers', async (t) => {
  const edit = (router: Router, text: string) => (router === 'r1' ? substitute(text, /end\n$/, additions) : text);
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'], edit });
  t.teardown(() => lab.down());
  const exec = (router: Router, line: string) => lab.groupwire(router, 'exec', line);
  const numberIn = async (router: Router, line: string, pattern: RegExp): Promise<number> => {
    const text = await exec(router, line);
    const found = pattern.exec(text);
    if (!found) throw new Error(`${line} has nothing like ${pattern}: ${text.slice(0, 500)}`);
    return Number(found[1]);
  };

  await t.test('numbers are those of others', (t) => checkNumbers(t, lab, exec, numberIn));

  await t.test('looks, JSON, secrets', async (t) => {
    for (const transcript of shown) {
      const [router, line, ...looks] = transcript;
      checkLooks(t, transcript, await exec(router, line), looks);
      for (const other of new Set<Router>([router, 'r4'])) {
        const json = await exec(other, `${line} | json`).catch(({ message }: Error) => JSON.stringify(message));
        t.doesNotThrow(() => JSON.parse(json), `${other}#${line} | json`);
        checkLooks(t, [other, `${line} | json`], json, []);
      }
    }
  });

  await t.test('what does something', async (t) => {
    const file = `${lab.directory}/other.cfg`;
    for (const transcript of done) {
      const [router, line, ...looks] = transcript;
      if (line.includes('FILE'))
        writeFileSync(file, readFileSync(`/run/groupwire-lab/${lab.name}/configs/r1.cfg`, 'utf8').replace('hostname R1', 'hostname R9'));
      let answer = '';
      const ask = async (): Promise<boolean> => {
        answer = await exec(router, line.replace('FILE', file).replace('DIR', lab.directory)).catch(({ message }: Error) =>
          message.replace(/^.*?: (?=% )/, ''),
        );
        return looks.every((look) => look.test(answer));
      };
      // The dataplane carries out between two passes what it is asked for.
      if (line.startsWith('show ')) await until(line, ask, 5000).catch(() => undefined);
      else await ask();
      checkLooks(t, transcript, answer, looks);
    }
    await until(
      'r1 to be back in the group',
      async () =>
        /registered/i.test(await exec('r1', 'show crypto gdoi').catch(() => '')) &&
        (await lab.run('h1', ['ping', '-c', '1', '-W', '1', '10.0.2.10'])).status === 0,
    );
    t.notMatch(secrets.filter((secret) => lab.log('r1').includes(secret) || lab.log('r4').includes(secret)).join(), /./, 'nor do the logs');
  });
});

type Exec = (router: Router, line: string) => Promise<string>;
type NumberIn = (router: Router, line: string, pattern: RegExp) => Promise<number>;

async function checkNumbers(t: Test, lab: Lab, exec: Exec, numberIn: NumberIn): Promise<void> {
  /** Packets that tcpdump has seen. */
  const watch = async (node: Router | Host, device: string, filter: string) => {
    const dump = lab.spawn(node, ['tcpdump', '--immediate-mode', '-lnni', device, ...filter.split(' ')]);
    await dump.says(/listening on/);
    return dump;
  };
  const countOf = async (dump: Awaited<ReturnType<typeof watch>>): Promise<string[]> => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await dump.stop('SIGINT');
    return dump.stdout
      .trim()
      .split('\n')
      .filter((line) => line.includes(' IP '));
  };
  const encaps = () => numberIn('r1', 'show crypto ipsec sa', /#pkts encaps: (\d+)/);
  const decaps = () => numberIn('r1', 'show crypto ipsec sa', /#pkts decaps: (\d+)/);
  const input = () => numberIn('r1', 'show interfaces FastEthernet0/1', /(\d+) packets input/);
  const output = () => numberIn('r1', 'show interfaces FastEthernet0/1', /(\d+) packets output/);
  const hits = () => numberIn('r1', 'show access-lists EDGE', /10 permit icmp any any(?: \((\d+) match)?/);
  const voice = () => numberIn('r1', 'show policy-map interface FastEthernet0/0', /Class-map: VOICE[^\n]*\n +(\d+) packets/);
  const told = async () => ({
    encaps: await encaps(),
    decaps: await decaps(),
    input: await input(),
    output: await output(),
    hits: (await hits()) || 0,
    voice: await voice(),
  });
  await lab.sh('h1', 'ping -c 2 -i 0.2 -W 5 10.0.2.10'); // neighbours are known now
  const before = await told();
  const [inside, core] = [await watch('h1', 'eth0', 'icmp'), await watch('core', 'r1', 'esp')];
  await lab.sh('h1', 'ping -c 20 -i 0.05 -Q 0xb8 -W 5 10.0.2.10');
  const [pings, esp] = [await countOf(inside), await countOf(core)];
  const after = await told();
  const [requests, replies] = ['echo request', 'echo reply'].map((kind) => pings.filter((line) => line.includes(kind)).length);
  const sealed = esp.filter((line) => line.includes('10.0.1.10 > ')).length;
  t.strictSame([requests, replies, sealed, esp.length - sealed], [20, 20, 20, 20], 'tcpdump saw what ping sent');
  const difference = Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name as keyof typeof before]]));
  t.strictSame(
    difference,
    { encaps: sealed, decaps: replies, input: requests, output: replies, hits: requests, voice: requests },
    'and so did r1',
  );

  const outside = await watch('inet', 'eth0', 'udp port 7');
  await lab.sh(
    'h1',
    "python3 -c \"import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('10.0.1.10', 7007)); s.sendto(b'x', ('198.51.100.10', 7))\"",
  );
  await until('the datagram', () => outside.stdout.includes('.7: '));
  const [translated] = await countOf(outside);
  const port = /IP (\d+\.\d+\.\d+\.\d+)\.(\d+) > /.exec(translated);
  t.match(
    await exec('r1', 'show ip nat translations'),
    new RegExp(`\\nudp +${port?.[1].replaceAll('.', '\\.')}:${port?.[2]} +10\\.0\\.1\\.10:7007 +`),
    `tcpdump at inet: ${translated}`,
  );

  const kernel = JSON.parse(await lab.sh('r1', 'ip -j -4 route show table main')) as { dst: string }[];
  const lines = (await exec('r1', 'show ip route')).split('\n').filter((line) => /^\S+ +\d/.test(line));
  for (const { dst } of kernel.filter(({ dst: to }) => to === 'default' || to.startsWith('10.'))) {
    const wanted = dst === 'default' ? '0.0.0.0/0' : dst;
    t.ok(
      lines.some((line) => line.includes(` ${wanted} `)),
      `the kernel has ${wanted}`,
    );
  }
  const memory = await exec('r1', 'show processes memory');
  for (const name of ['control', 'dataplane'] as const) {
    const pid = lab.pidOf('r1', name);
    const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024;
    const holding = Number(new RegExp(`^ *${pid} +0 +(\\d+) `, 'm').exec(memory)?.[1]);
    t.ok(Math.abs(holding - rss) < 0.2 * rss, `${name} holds ${holding}, /proc says ${rss}`);
  }
  const members = [...(await exec('r4', 'show crypto gdoi ks members')).matchAll(/Group Member ID +: (\S+)/g)].map(([, id]) => id);
  t.strictSame(members.sort(), ['172.16.1.2', '172.16.2.2']);
  const clock = /^\*?(\d\d):(\d\d):(\d\d)/.exec(await exec('r1', 'show clock'))!;
  const seconds = Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3]);
  const late = (Math.floor(Date.now() / 1000) - seconds) % 86_400;
  t.ok(late >= -1 && late < 10, `the clock is ${late} s late`);
}
