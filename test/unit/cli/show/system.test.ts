// What the router says of itself: processes, log, all that support asks for. IOS's columns.

import t from 'tap';
import { renderShow } from '../../../../cli/show/index.js';
import { CpuMeter } from '../../../../control/api/cpu-meter.js';
import type { ProcessState, Snapshot } from '../../../../control/api/snapshot.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { emptySnapshot } from './sample.js';

function render(words: string, change: Partial<Snapshot> = {}): string {
  const { pipe, ...topic } = parseExec(`show ${words}`) as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, { ...emptySnapshot(), ...change });
}

const processes: ProcessState[] = [
  { name: 'dataplane', pid: 4711, rssBytes: 100 << 20, restarts: 0, runtimeMs: 90_000, invoked: 30_000 },
  { name: 'control', pid: 12, rssBytes: 50 << 20, restarts: 1, runtimeMs: 500, invoked: 1000 },
  { name: 'supervisor', pid: null, rssBytes: 0, restarts: 0 },
].map((state) => ({ ...state, cpu: { fiveSeconds: 12.344, oneMinute: 1.5, fiveMinutes: 0.25 } }));

t.test('show processes', (t) => {
  t.equal(
    render('processes cpu', { processes }),
    `CPU utilization for five seconds: 37%/0%; one minute: 5%; five minutes: 1%
    PID Runtime(ms)     Invoked      uSecs    5Sec    1Min    5Min TTY Process 
   4711       90000       30000       3000  12.34%   1.50%   0.25%   0 dataplane
     12         500        1000        500  12.34%   1.50%   0.25%   0 control
      -           0           0          0  12.34%   1.50%   0.25%   0 supervisor
`,
  );
  t.equal(
    render('processes memory', { processes }),
    `Processor Pool Total: 157286400 Used: 157286400 Free: 0
    PID TTY    Holding Process 
   4711   0  104857600 dataplane
     12   0   52428800 control
      -   0          0 supervisor
`,
  );
  t.match(JSON.parse(render('processes cpu | json', { processes })), { processes: [{ name: 'dataplane', runtimeMs: 90_000 }] });
  t.end();
});

t.test('processor time over windows', (t) => {
  const meter = new CpuMeter();
  const at = (seconds: number, runtimeMs: number): void =>
    meter.sample([{ name: 'control', pid: 12, rssBytes: 0, restarts: 0, runtimeMs }], seconds * 1000);
  at(0, 0);
  t.equal(meter.percent(12, 5000), 0, 'one sample says nothing');
  for (let second = 5; second <= 600; second += 5) at(second, second < 300 ? 0 : (second - 300) * 500);
  t.strictSame([meter.percent(12, 5000), meter.percent(12, 60_000), meter.percent(12, 300_000)], [50, 50, 50]);
  for (let second = 605; second <= 660; second += 5) at(second, 150_000);
  t.strictSame([meter.percent(12, 5000), meter.percent(12, 60_000), meter.percent(12, 300_000)], [0, 0, 40]);
  meter.sample([], 670_000);
  t.equal(meter.percent(12, 5000), 0, 'a process that is gone');
  t.equal(meter.percent(null, 5000), 0);
  t.end();
});

t.test('show logging', (t) => {
  const { logging } = emptySnapshot();
  const line = '*Nov 27 01:02:03.456: %GDOI-5-GM_REGS_COMPL: Registration to KS 172.16.4.2 complete for group G';
  const full: Snapshot['logging'] = {
    ...logging,
    enabled: true,
    dropped: 2,
    console: { severity: 'debugging', messages: 1 },
    buffered: { ...logging.buffered, severity: 'debugging', messages: 7, bytes: 8192 },
    file: { path: '/var/log/r1.log', severity: 'informational', messages: 3 },
    trap: { ...logging.trap, severity: null, messages: 0 },
    facility: 'local7',
    hosts: [{ address: '192.0.2.1', port: 514 }],
    lines: [line],
  };
  t.equal(
    render('logging', { logging: full }),
    `Syslog logging: enabled (2 messages dropped)

    Console logging: level debugging, 1 message logged
    Buffer logging: level debugging, 7 messages logged
    File logging: /var/log/r1.log: level informational, 3 messages logged
    Trap logging: disabled
        Logging to 192.0.2.1  (udp port 514, facility local7)

Log Buffer (8192 bytes):

${line}
`,
  );
  t.match(
    render('logging', { logging: { ...full, file: null, enabled: false } }),
    /^Syslog logging: disabled[\s\S]*\n {4}File logging: disabled\n/,
  );
  t.end();
});

t.test('show tech-support is the output of its commands, each below its name', (t) => {
  const text = render('tech-support', { processes });
  const names = [...text.matchAll(/^-{18} (show .*) -{18}$/gm)].map(([, name]) => name);
  t.ok(names.length > 20);
  const parts = text.split(/^-{18} show .* -{18}$/m).slice(1);
  for (const [index, name] of names.entries()) {
    t.equal(parts[index].trim(), render(name.slice('show '.length), { processes }).trim(), name);
  }
  t.end();
});
