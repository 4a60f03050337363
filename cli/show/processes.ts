// `show processes cpu` and `show processes memory`: the operating system's figures of the instance's processes, in IOS's columns. What a
// Unix process does not have (interrupt time, buffers got and returned) is 0.

import type { ProcessState, Snapshot } from '../../control/api/snapshot.js';

const idle = { fiveSeconds: 0, oneMinute: 0, fiveMinutes: 0 };
const percent = (value: number) => `${value.toFixed(2)}%`;

export function renderProcessesCpu({ processes }: Snapshot): string[] {
  const sum = (window: keyof typeof idle) => Math.round(processes.reduce((total, { cpu }) => total + (cpu ?? idle)[window], 0));
  const row = ({ pid, name, runtimeMs = 0, invoked = 0, cpu = idle }: ProcessState): string =>
    [
      String(pid ?? '-').padStart(7),
      String(runtimeMs).padStart(11),
      String(invoked).padStart(11),
      String(invoked === 0 ? 0 : Math.round((runtimeMs * 1000) / invoked)).padStart(10),
      percent(cpu.fiveSeconds).padStart(7),
      percent(cpu.oneMinute).padStart(7),
      percent(cpu.fiveMinutes).padStart(7),
      '  0',
      name,
    ].join(' ');
  return [
    `CPU utilization for five seconds: ${sum('fiveSeconds')}%/0%; one minute: ${sum('oneMinute')}%; five minutes: ${sum('fiveMinutes')}%`,
    '    PID Runtime(ms)     Invoked      uSecs    5Sec    1Min    5Min TTY Process ',
    ...processes.map(row),
  ];
}

export function renderProcessesMemory({ processes }: Snapshot): string[] {
  const total = processes.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
  return [
    `Processor Pool Total: ${total} Used: ${total} Free: 0`,
    '    PID TTY    Holding Process ',
    ...processes.map(({ pid, rssBytes, name }) => `${String(pid ?? '-').padStart(7)}   0 ${String(rssBytes).padStart(10)} ${name}`),
  ];
}
