// ping, traceroute and the MTU doctor as text. The lines of ping and its dialogue are IOS's (cisco-show/ping*.txt, the seed's transcripts).

import { PassThrough } from 'node:stream';
import t from 'tap';
import { MtuView } from '../../../cli/mtu.js';
import { PingView } from '../../../cli/ping.js';
import { askOnStreams, askPing } from '../../../cli/ping-dialogue.js';
import { TracerouteView } from '../../../cli/traceroute.js';
import type { EchoEvent, HopEvent, PathEvent, ProbeEvent } from '../../../control/api/probe-events.js';
import { parseExec } from '../../../control/config/exec.js';
import type { MtuPathCommand, PingCommand } from '../../../control/config/exec-probe.js';

function commandOf<T>(line: string): T {
  const command = parseExec(line);
  if ('error' in command) throw new Error(`${line}: ${command.error}`);
  return command as unknown as T;
}

/** @param marks one for each echo @param ms of those that came back @param sizes of each */
function show(line: string, marks: string, ms: number[] = [], sizes: number[] = [], source: string | null = null): string {
  const command = commandOf<PingCommand>(line);
  const view = new PingView(command);
  let text = view.take({ kind: 'begin', target: line.split(' ')[1], source });
  let back = 0;
  for (const [i, mark] of [...marks].entries()) {
    const took = mark === '!' ? (ms[back++] ?? 0.3) : null;
    const mtu = mark === 'M' ? 1400 : 0;
    text += view.take({ kind: 'echo', size: sizes[i] ?? command.size, mark: mark as EchoEvent['mark'], ms: took, from: null, mtu });
  }
  return text + view.end();
}

t.test('as IOS prints it', async (t) => {
  t.equal(
    show('ping 10.229.1.1 repeat 10 source 10.229.1.2', '!!!!!!!!!!', [], [], '10.229.1.2'),
    `Type escape sequence to abort.
Sending 10, 100-byte ICMP Echos to 10.229.1.1, timeout is 2 seconds:
Packet sent with a source address of 10.229.1.2
!!!!!!!!!!
Success rate is 100 percent (10/10), round-trip min/avg/max = 1/1/1 ms
`,
  );
  t.equal(
    show('ping 192.168.0.1 repeat 4 size 1500 df-bit', '!!!!', [1, 17, 8, 7.6]),
    `Type escape sequence to abort.
Sending 4, 1500-byte ICMP Echos to 192.168.0.1, timeout is 2 seconds:
Packet sent with the DF bit set
!!!!
Success rate is 100 percent (4/4), round-trip min/avg/max = 1/8/17 ms
`,
  );
  t.match(show('ping 192.168.0.1 repeat 4 size 1500 df-bit', '....'), /\n\.\.\.\.\nSuccess rate is 0 percent \(0\/4\)\n$/);
  t.match(
    show('ping 10.0.0.1 data 1a validate', '.!U?&'),
    /seconds:\nReply data will be validated\nPacket has data pattern 0x001A\n\.!U\?&\nSuccess rate is 20 percent/,
  );
});

t.test('seventy marks a line, also when the last one is full', async (t) => {
  t.match(show('ping 10.0.0.1 repeat 71', '!'.repeat(71)), /\n!{70}\n!\nSuccess rate/);
  t.match(show('ping 10.0.0.1 repeat 70', '!'.repeat(70)), /\n!{70}\nSuccess rate/);
});

t.test("the seed's sweep, and what follows from it", async (t) => {
  const sizes = Array.from({ length: 201 }, (_, i) => 1300 + i);
  const text = show('ping 10.0.3.1 df-bit sweep 1300 1500 1', '!'.repeat(101) + 'M'.repeat(46), [], sizes);
  t.match(
    text,
    /^Type escape.*\nSending 1005, \[1300\.\.1500\]-byte ICMP Echos to 10\.0\.3\.1, timeout is 2 seconds:\nPacket sent with the DF bit set\n/,
  );
  t.match(text, /\nSuccess rate is 68 percent \(101\/147\), round-trip min\/avg\/max = 1\/1\/1 ms\n/, 'ended early, rounded down');
  t.match(
    text,
    /\nLargest size that passed: 1400 bytes \(IOS size 1400, Windows ping -l 1372, Linux ping -s 1372\)\nPath MTU to 10\.0\.3\.1 is 1400, as ICMP says\n$/,
  );
  const verdict = (marks: string, steps: number[]) => show('ping 10.0.0.1 df-bit sweep 1300 1500 10', marks, [], steps).split('\n').at(-2);
  t.equal(verdict('!.', [1390, 1400]), 'Path MTU to 10.0.0.1 is between 1390 and 1399');
  t.equal(verdict('!M', [1390, 1410]), 'Path MTU to 10.0.0.1 is 1400, as ICMP says');
  t.equal(verdict('!.', [1400, 1401]), 'Path MTU to 10.0.0.1 is 1400');
  t.equal(verdict('!!', [1490, 1500]), 'Path MTU to 10.0.0.1 is 1500 or more');
  t.match(verdict('.!', [1300, 1310]), /^Path MTU to 10\.0\.0\.1 is 1310 or more: replies of smaller sizes/);
  t.match(verdict('..', [1300, 1310]), /^Success rate is 0/, 'nothing came back');
});

t.test('ended before anything was sent', async (t) => {
  t.match(show('ping 10.0.0.1', ''), /seconds:\nSuccess rate is 0 percent \(0\/0\)\n$/);
  t.equal(new PingView(commandOf('ping 10.0.0.1')).end(), '', 'refused: no summary');
});

t.test('traceroute', async (t) => {
  const view = new TracerouteView();
  const hop = (ttl: number, from: string | null, mark: string, last = false): HopEvent => ({
    ...{ kind: 'hop', ttl, from, mark, last },
    ms: from === null ? null : 4.2,
  });
  const events: ProbeEvent[] = [
    { kind: 'begin', target: '10.0.3.1', source: null },
    ...[hop(1, '10.0.0.1', ''), hop(1, '10.0.0.1', ''), hop(1, '10.0.0.1', '', true)],
    ...[hop(2, null, '*'), hop(2, null, '*'), hop(2, null, '*', true)],
    ...[hop(3, '10.0.0.5', ''), hop(3, null, '*'), hop(3, '10.0.0.6', '', true)],
    ...[hop(4, '10.0.3.1', '!A'), hop(4, null, '*')],
  ];
  t.equal(
    events.map((event) => view.take(event)).join('') + view.end(),
    `Type escape sequence to abort.
Tracing the route to 10.0.3.1

  1 10.0.0.1 4 msec 4 msec 4 msec
  2  *  *  *
  3 10.0.0.5 4 msec *
    10.0.0.6 4 msec
  4 10.0.3.1 !A *
`,
  );
});

const found: PathEvent = {
  kind: 'path',
  target: '172.16.3.2',
  pathMtu: 1400,
  localMtu: null,
  icmp: 'blocked',
  told: null,
  shrinksBehind: { ttl: 1, address: '172.16.1.1' },
  hops: [
    { ttl: 1, address: '172.16.1.1', large: true },
    { ttl: 2, address: null, large: false },
  ],
  probes: 12,
  encapsulations: [],
  encryptedBy: null,
};

t.test('the MTU doctor', async (t) => {
  const text = (line: string, change: Partial<PathEvent> = {}) =>
    new MtuView(commandOf<MtuPathCommand>(line)).take({ ...found, ...change });
  t.equal(
    text('show mtu path 172.16.3.2 detail'),
    `Path MTU to 172.16.3.2: 1400 bytes (IOS size 1400, Windows ping -l 1372, Linux ping -s 1372)
  ICMP fragmentation needed: blocked, longer datagrams vanish without a word: hosts need ip tcp adjust-mss
  The path shrinks behind hop 1, 172.16.1.1
  Hops:
    1 172.16.1.1   <- it shrinks behind this one
    2 *
  Echoes sent: 12

Nothing is put around what goes there
For TCP that goes there: ip tcp adjust-mss 1400 - 40 = 1360
For a tunnel on this path, by the rule of thumb: ip mtu 1400 - 24 GRE - 56 ESP = 1320
`,
  );
  t.equal(text('show mtu path 172.16.3.2 | include shrinks'), '  The path shrinks behind hop 1, 172.16.1.1\n');
  t.match(JSON.parse(text('show mtu path 172.16.3.2 | json')), { pathMtu: 1400 });
  t.match(text('show mtu path 172.16.3.2', { pathMtu: null }), /^% 172\.16\.3\.2 does not answer/);
  t.match(text('show mtu path 172.16.3.2', { encryptedBy: 'group G on Gi0/0' }), /Sent encrypted by group G/);
});

/** Answers in turn. */
async function dialogue(answers: string[]): Promise<{ line: string; prompts: string[]; said: string[] }> {
  const [prompts, said]: [string[], string[]] = [[], []];
  const rest = [...answers];
  const line = await askPing({
    ask: async (prompt) => {
      prompts.push(prompt);
      return rest.shift() ?? null;
    },
    say: (text) => void said.push(text),
  });
  return { line, prompts, said };
}

t.test("the seed's dialogue", async (t) => {
  const { line, prompts, said } = await dialogue(['', '10.0.3.1', '', '', '', 'y', '', '', 'y', '', '', '', 'y', '1300', '1500', '']);
  t.strictSame(prompts, [
    'Protocol [ip]: ',
    'Target IP address: ',
    'Repeat count [5]: ',
    'Datagram size [100]: ',
    'Timeout in seconds [2]: ',
    'Extended commands [n]: ',
    'Source address or interface: ',
    'Type of service [0]: ',
    'Set DF bit in IP header? [no]: ',
    'Validate reply data? [no]: ',
    'Data pattern [0xABCD]: ',
    'Loose, Strict, Record, Timestamp, Verbose[none]: ',
    'Sweep range of sizes [n]: ',
    'Sweep min size [36]: ',
    'Sweep max size [18024]: ',
    'Sweep interval [1]: ',
  ]);
  t.strictSame(said, []);
  t.match(parseExec(line), {
    kind: 'ping',
    repeat: 5,
    timeoutSeconds: 2,
    dontFragment: true,
    sweep: { min: 1300, max: 1500, interval: 1 },
  });
});

t.test('other answers, wrong ones, and none', async (t) => {
  const { line } = await dialogue(['ip', '10.0.3.1', '7', '200', '1', 'yes', 'Loopback 0', '184', 'no', 'y', '0x1234', 'none', 'n']);
  t.match(parseExec(line), {
    ...{ repeat: 7, size: 200, timeoutSeconds: 1, source: { interface: 'Loopback0' }, tos: 184, pattern: 0x1234 },
    ...{ validate: true, dontFragment: false, sweep: null },
  });
  const wrong = await dialogue(['ipx', '', 'R9', '10.0.3.1', '0', 'x', '', '35', '', '', 'maybe', '']);
  t.strictSame(wrong.said, [
    '% Unknown protocol - only ip',
    '% Bad IP address',
    '% A decimal number between 1 and 2147483647.',
    '% A decimal number between 1 and 2147483647.',
    '% A decimal number between 36 and 18024.',
    "% Please answer 'yes' or 'no'.",
  ]);
  t.match(parseExec(wrong.line), { kind: 'ping', repeat: 5, size: 100 });
  await t.rejects(dialogue(['', '10.0.3.1']), { message: '% ping: ended by the operator' });
  await t.rejects(dialogue(['', 'a', 'b', 'c', 'd', 'e', 'f']), { message: '% Bad input: too often' }, 'not for ever');
});

t.test('from a pipe it reads as on a terminal', async (t) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end('ip\n10.0.3.1\n\n\n\n\n');
  t.match(parseExec(await askOnStreams(input, output)), { kind: 'ping', repeat: 5 });
  t.equal(
    String(output.read()),
    'Protocol [ip]: ip\nTarget IP address: 10.0.3.1\nRepeat count [5]: \nDatagram size [100]: \nTimeout in seconds [2]: \nExtended commands [n]: \n',
  );
});
