// Where log records go and how they look there. Judged by Python's and by our own eyes: the RFC's grammar as a regular expression.

import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { Syslog } from '../../../control/syslog.js';
import { iosLine, journalLine, type LogRecord, rfc5424 } from '../../../control/syslog-format.js';
import { until } from '../../support/netns.js';

const time = Date.UTC(2026, 10, 23, 23, 15, 2, 123);
const record: LogRecord = { time, severity: 5, code: '%GDOI-5-GM_REGS_COMPL', text: 'Registration to KS 172.16.4.2 complete' };
const source = { hostname: 'R1', processId: 42, facility: 'local7' } as const;
/** RFC 5424 §6, without structured data. */
const grammar = /^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} - [^\p{Cc}]*$/su;

t.test('formats', (t) => {
  t.equal(iosLine(record), '*2026-11-23T23:15:02.123Z: %GDOI-5-GM_REGS_COMPL: Registration to KS 172.16.4.2 complete\n');
  t.equal(journalLine(record), '<5>%GDOI-5-GM_REGS_COMPL: Registration to KS 172.16.4.2 complete\n');
  t.equal(
    rfc5424(record, source),
    '<189>1 2026-11-23T23:15:02.123Z R1 groupwire 42 GDOI-5-GM_REGS_COMPL - %GDOI-5-GM_REGS_COMPL: Registration to KS 172.16.4.2 complete',
  );
  t.match(rfc5424({ ...record, severity: 0 }, { ...source, facility: 'kern' }), /^<0>1 /);
  t.end();
});

t.test('whatever is logged: one line, the grammar of RFC 5424, at most 2048 bytes', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 4000 }),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.integer({ min: 0, max: 7 }),
      (text, hostname, severity) => {
        const any = { ...record, severity: severity as 0, text };
        for (const line of [iosLine(any), journalLine(any)]) if (line.indexOf('\n') !== line.length - 1) return false;
        const message = rfc5424(any, { ...source, hostname });
        return grammar.test(message) && Buffer.byteLength(message) <= 2048;
      },
    ),
    { numRuns: 500 },
  );
  t.end();
});

function openSyslog() {
  const console: string[] = [];
  const log = new Syslog(
    ({ code }) => console.push(code),
    () => time,
  );
  return { log, console };
}

t.test('severities: console, buffer', (t) => {
  const { log, console } = openSyslog();
  log.configure({ hosts: [], console: 4, buffered: { bytes: 4096, severity: 5 } }, 'R1');
  for (const severity of [3, 4, 5, 6, 7] as const) log.write('SYS', severity, 'X', 'text');
  t.strictSame(console, ['%SYS-3-X', '%SYS-4-X']);
  t.equal(log.state().lines.length, 3);
  t.match(log.state(), { console: { severity: 'warnings', messages: 2 }, buffered: { severity: 'notifications', messages: 3 } });
  log.configure({ hosts: [], off: true }, 'R1');
  log.write('SYS', 1, 'Y', 'text');
  t.equal(log.state().lines.length, 3, 'no logging on: the console alone');
  t.equal(console.at(-1), '%SYS-1-Y');
  log.clear();
  t.strictSame(log.state().lines, []);
  t.end();
});

t.test('the buffer keeps the newest lines and never more than its size', (t) => {
  const { log } = openSyslog();
  for (let n = 0; n < 1000; n++) log.write('SYS', 6, 'N', `message ${n} ${'x'.repeat(n % 50)}`);
  const { lines } = log.state();
  t.match(lines.at(-1), /message 999 /);
  t.ok(Buffer.byteLength(lines.join('\n')) <= 4096);
  t.ok(lines.length > 20);
  log.write('SYS', 6, 'N', 'y'.repeat(10_000));
  t.strictSame(log.state().lines, [], 'one that is larger than the buffer leaves it empty');
  t.end();
});

const folder = mkdtempSync(join(tmpdir(), 'groupwire-syslog-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

t.test('a file: lines of RFC 5424, opened again after a rotation, not for everybody to read', async (t) => {
  const path = join(folder, 'r1.log');
  const { log } = openSyslog();
  const logging = { hosts: [], file: { path, severity: 5 as const } };
  log.configure(logging, 'R1');
  log.write('GDOI', 5, 'GM_REGS_COMPL', 'done');
  log.write('GDOI', 6, 'QUIET', 'not this');
  await until('the line', () => statSync(path, { throwIfNoEntry: false })?.size !== undefined && readFileSync(path, 'utf8').endsWith('\n'));
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  t.equal(lines.length, 1);
  t.match(lines[0], grammar);
  t.equal(statSync(path).mode & 0o007, 0);
  renameSync(path, `${path}.1`);
  log.configure(logging, 'R1');
  log.write('GDOI', 5, 'GM_REGS_COMPL', 'again');
  await until(
    'the new file',
    () => statSync(path, { throwIfNoEntry: false })?.size !== undefined && /again/.test(readFileSync(path, 'utf8')),
  );
  t.notMatch(readFileSync(`${path}.1`, 'utf8'), /again/);
  log.close();
});

t.test('a file that cannot be written is said once; everything else goes on', async (t) => {
  const { log, console } = openSyslog();
  log.configure({ hosts: [], file: { path: join(folder, 'no/such/folder'), severity: 7 } }, 'R1');
  for (let n = 0; n < 5; n++) log.write('SYS', 5, 'X', 'text');
  await until('the error', () => console.includes('%SYS-3-LOGGING_FILE'));
  log.write('SYS', 5, 'X', 'text');
  t.equal(console.filter((code) => code === '%SYS-3-LOGGING_FILE').length, 1);
  t.equal(console.filter((code) => code === '%SYS-5-X').length, 6);
  t.ok(log.state().dropped > 0);
  log.close();
});

t.test('a syslog server gets datagrams at trap severity', async (t) => {
  const server = createSocket('udp4');
  const received: string[] = [];
  server.on('message', (bytes) => received.push(bytes.toString()));
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { log } = openSyslog();
  log.configure({ hosts: [{ address: 0x7f000001, port: server.address().port }], facility: 'local2' }, 'R1');
  log.write('SYS', 7, 'DEBUG', 'not this');
  log.write('SYS', 6, 'INFO', 'this');
  await until('a datagram', () => received.length > 0);
  t.equal(received.length, 1);
  t.match(received[0], /^<150>1 .* R1 groupwire \d+ SYS-6-INFO - %SYS-6-INFO: this$/);
  t.match(received[0], grammar);
  log.close();
});
