// `monitor capture` without a dataplane: what it asks for, when it ends, and what Wireshark's own tools read in the file.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { Captures } from '../../../../control/capture/captures.js';
import { Recordings } from '../../../../control/capture/recordings.js';
import { readRecords } from '../../../../control/capture/records.js';
import { Allocation } from '../../../../control/compile/allocation.js';
import { parseExec } from '../../../../control/config/exec.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { Drop } from '../../../../dataplane/counters/declare.js';
import { CaptureDirection, CapturePlace, CaptureWord, type ToCapture } from '../../../../dataplane/tables/capture.js';
import { Ace } from '../../../../dataplane/tables/layout.js';
import { ipv4, udp } from '../../../path/packets.js';
import { runChecked } from '../../../support/netns.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-capture-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const { config } = parseConfig(`interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 10.0.1.1 255.255.255.0
interface Loopback0
 ip address 10.0.9.1 255.255.255.255
interface Tunnel0
 ip address 10.9.0.1 255.255.255.0
 tunnel source GigabitEthernet0/0
 tunnel destination 10.0.0.2
object-group network HOSTS
 host 10.0.0.5
 host 10.0.0.6
ip access-list extended WEB
 permit tcp any object-group HOSTS eq 80
ip access-list extended EMPTY
`);
const allocation = new Allocation();
for (const name of config.interfaces.keys()) allocation.ports.take(name);
/** Unix ms of the workers' clock's beginning. */
const wallMs = 1_800_000_000_000;

interface Seen {
  direction?: CaptureDirection;
  place?: CapturePlace;
  port?: number;
  reason?: number;
  bytes: Uint8Array;
}

function wordsOf(packets: readonly Seen[]): Int32Array {
  const records = packets.map(({ direction = CaptureDirection.In, place = CapturePlace.Wire, port = 0, reason = -1, bytes }, i) => {
    const words = new Int32Array(CaptureWord.Words + Math.ceil(bytes.length / 4));
    words.set([bytes.length, place, port, direction, reason, 5, 100 + i, 7 + i]);
    new Uint8Array(words.buffer).set(bytes, CaptureWord.Words * 4);
    return words;
  });
  return Int32Array.from(records.flatMap((words) => [...words]));
}

function start() {
  const sent: ToCapture[] = [];
  const lines: string[] = [];
  let isThere = true;
  const recordings = new Recordings((message) => {
    if (isThere) sent.push(message);
    return isThere;
  }, Date.now());
  const captures = new Captures({
    router: { config, allocation },
    log: { write: (facility, severity, mnemonic, text) => void lines.push(`%${facility}-${severity}-${mnemonic}: ${text}`) },
    recordings,
    now: Date.now,
  });
  t.teardown(() => captures.close()); // or its time would keep the process
  const exec = async (line: string): Promise<string> => {
    const answer = await captures.run(parseExec(line));
    if (answer === null) throw new Error(`not ours: ${line}`);
    return answer.error ?? answer.output;
  };
  const session = () => sent.flatMap((message) => (message.type === 'capture-start' ? [message.session] : [])).at(-1) ?? -1;
  const take = (packets: readonly Seen[], more: { last?: boolean; lost?: number } = {}) =>
    recordings.take({ type: 'captured', session: session(), wallMs, lost: 0, last: false, ...more }, wordsOf(packets));
  return { captures, recordings, sent, lines, exec, take, lose: () => (isThere = false) };
}

const packet = (n: number) => ipv4({ src: '10.0.0.5', dst: '10.0.1.7', id: n, payload: udp(1000, n, 20 + (n % 5)) });

t.test('tshark and capinfos read it: bytes, interfaces, directions, times, reasons', async (t) => {
  const { exec, take, sent, lines } = start();
  const file = join(folder, 'a.pcapng');
  t.equal(await exec(`monitor capture C interface both export ${file}`), 'Started capture point : C');
  t.match(sent, [{ type: 'capture-start', wire: 0b1011, inner: true, aces: null }], 'both wires and the tunnel, not the Loopback');
  const packets: Seen[] = [
    { bytes: packet(1) },
    { bytes: packet(2), direction: CaptureDirection.Out, port: 1 },
    { bytes: packet(3), place: CapturePlace.Inner, port: 1, direction: CaptureDirection.Out },
    { bytes: packet(4), reason: Drop.AclIn },
    { bytes: Uint8Array.of(0x45), reason: Drop.IpMalformed },
  ];
  take(packets);
  const stopping = exec('monitor capture C stop');
  take([{ bytes: packet(5), port: 3 }], { last: true, lost: 3 });
  t.match(await stopping, /^Stopped capture point : C\n6 packets, \d+ bytes in /);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const fields = ['frame.interface_name', 'frame.packet_flags_direction', 'frame.time_epoch', 'ip.id', 'frame.comment'];
  const text = await runChecked([
    'tshark',
    '-n',
    '-r',
    file,
    '-T',
    'fields',
    '-E',
    'separator=|',
    ...fields.flatMap((field) => ['-e', field]),
  ]);
  t.strictSame(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace(/0x0+/g, '0x').replace(/: [^:|]*$/, '')),
    [
      'GigabitEthernet0/0|0x1|1800000005.000100000|0x1|',
      'GigabitEthernet0/1|0x2|1800000005.000101000|0x2|',
      'GigabitEthernet0/1 inner|0x2|1800000005.000102000|0x3|',
      'GigabitEthernet0/0|0x1|1800000005.000103000|0x4|dropped: acl_in',
      'GigabitEthernet0/0|0x1|1800000005.000104000||dropped: ip_malformed',
      'Tunnel0|0x1|1800000005.000100000|0x5|',
    ],
  );
  const hex = await runChecked(['tshark', '-n', '-r', file, '-x', '-c', '3']);
  for (const { bytes } of packets.slice(0, 3)) {
    const dumped = hex.replace(/^[0-9a-f]{4} {2}| {2}.*$/gm, '').replace(/\s/g, '');
    t.ok(dumped.includes(Buffer.from(bytes).toString('hex')), 'byte for byte');
  }
  t.match(
    await runChecked(['capinfos', file]),
    /File type: +Wireshark\/\.\.\. - pcapng[\s\S]*Number of packets: +6[\s\S]*Number of interfaces in file: 4/,
  );
  t.strictSame(lines, ['%BUFCAP-6-ENABLE: Capture Point C enabled.', '%BUFCAP-6-DISABLE: Capture Point C disabled.']);
});

t.test('it ends by itself: packets, bytes, seconds, the dataplane; whole blocks in any case', async (t) => {
  const { captures, recordings, exec, take, sent, lose } = start();
  const whole = async (file: string, packets: number) =>
    t.match(await runChecked(['capinfos', '-c', file]), new RegExp(`Number of packets: +${packets}\n`), file);
  const many = Array.from({ length: 400 }, (_, n) => ({ bytes: packet(n) }));

  await exec(`monitor capture P interface gi0/0 packets 7 export ${folder}/p`);
  take(many);
  t.match(captures.states().at(-1), { active: false, packets: 7, ended: 'as many packets as it may have' });
  t.match(sent.at(-1), { type: 'capture-stop' });
  take(many);
  await whole(`${folder}/p`, 7);

  await exec(`monitor capture B interface inner bytes 10000 export ${folder}/b`);
  take(many);
  t.ok(statSync(`${folder}/b`).size <= 10_000 && statSync(`${folder}/b`).size > 9_800);
  t.match(captures.states().at(-1), { active: false, bytes: statSync(`${folder}/b`).size, ended: 'the file is as large as it may be' });

  await exec(`monitor capture S interface outer seconds 1 export ${folder}/s`);
  take(many.slice(0, 2));
  t.equal(await exec(`monitor capture X interface outer export ${folder}/x`), '% Capture S is active: stop it first');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  take(many.slice(0, 1), { last: true });
  t.match(captures.states().at(-1), { active: false, packets: 3, ended: 'the time is over' });
  await whole(`${folder}/s`, 3);

  await exec(`monitor capture L interface outer export ${folder}/l`);
  recordings.lose();
  t.match(captures.states().at(-1), { name: 'L', active: false, ended: 'the dataplane was lost' });
  await whole(`${folder}/l`, 0);
  t.equal(await exec('no monitor capture L'), '');
  t.strictSame(
    captures.states().map(({ name }) => name),
    ['P', 'B', 'S'],
  );
  lose();
  t.equal(await exec(`monitor capture L interface outer export ${folder}/m`), '% the dataplane does not answer');
  t.notOk(existsSync(`${folder}/m`), 'and nothing of it stays');
});

t.test('what is wrong is said, and nothing is written over', async (t) => {
  const { exec, sent } = start();
  writeFileSync(`${folder}/mine`, 'precious');
  for (const [line, answer] of [
    [`interface outer export ${folder}/mine`, `${folder}/mine: it exists, and nothing is written over: take another name or remove it`],
    [`interface outer export ${folder}/no/such`, `${folder}/no/such: there is no such directory`],
    ['interface outer export relative', 'relative: a path from the root is needed: the router runs in another directory'],
    [`interface gi0/7 export ${folder}/n`, 'There is no interface GigabitEthernet0/7'],
    [`interface lo0 export ${folder}/n`, 'Loopback0 carries no packets'],
    [`interface outer filter NONE export ${folder}/n`, 'access list NONE does not exist, or is empty'],
    [`interface outer filter EMPTY export ${folder}/n`, 'access list EMPTY does not exist, or is empty'],
  ])
    t.equal(await exec(`monitor capture C ${line}`), `% ${answer}`, line);
  t.equal(await exec('monitor capture C stop'), '% Capture C does not exist');
  t.equal(await exec('no monitor capture C'), '% Capture C does not exist');
  t.strictSame([sent.length, existsSync(`${folder}/n`)], [0, false]);
  for (const line of ['packets 0', 'packets 1 packets 2', 'bytes 5', 'filter', 'nonsense'])
    t.ok('error' in parseExec(`monitor capture C interface outer ${line} export /x`), line);
});

t.test('a filter goes to the dataplane as rows', async (t) => {
  const { exec, sent } = start();
  await exec(`monitor capture F interface gi0/1 filter WEB export ${folder}/f`);
  const [message] = sent;
  if (message.type !== 'capture-start' || message.aces === null) throw new Error('no rows');
  t.match(message, { wire: 2, inner: false });
  t.equal(message.aces.length, 2 * Ace.Words, 'a row for each host of the group');
  t.strictSame([message.aces[Ace.Protocol], message.aces[Ace.DstPortLow]], [6, 80]);
});

t.test('a full disk ends it with whole blocks and a clear word', (t) => {
  const module = (path: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../../../control/capture', path)).href);
  const program = `
    const { CaptureFile } = await import(${module('capture-file.js')});
    const { packetBlock, sectionBlock, interfaceBlock } = await import(${module('pcapng.js')});
    const { execFileSync } = await import('node:child_process');
    const file = CaptureFile.create('/mnt/c', sectionBlock('test'));
    file.append(interfaceBlock('a', 'b'));
    const block = packetBlock({ interface: 0, micros: 1, direction: 1, comment: null, packet: 1, bytes: new Uint8Array(1000) });
    let count = 0;
    try { for (;; count++) file.append(block); } catch (error) { console.log(error.constructor.name, error.message); }
    file.close();
    console.log(count > 10, execFileSync('capinfos', ['-T', '-r', '-c', '/mnt/c'], { encoding: 'utf8' }).trim() === '/mnt/c\\t' + count);
  `;
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt && exec "$0" --input-type=module -e "$1"', process.execPath, program],
    { encoding: 'utf8' },
  );
  t.equal(stdout, 'CaptureFileError /mnt/c: no space is left on the device\ntrue true\n', stderr);
  t.end();
});

t.test('records: what was packed is read, and no garbage passes or hangs', (t) => {
  const bytes = fc.uint8Array({ maxLength: 50 });
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 10 }), (list) => {
      const read = readRecords(wordsOf(list.map((item) => ({ bytes: item, port: 2, reason: 3 }))));
      if (read.length !== list.length || read.some((record, i) => !Buffer.from(record.bytes).equals(list[i])))
        throw new Error('not the same');
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 40 })), (words) => {
      try {
        for (const { bytes: data, port } of readRecords(Int32Array.from(words)))
          if (data.length > words.length * 4 || port < 0) throw new Error('more than there is');
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
  t.end();
});
