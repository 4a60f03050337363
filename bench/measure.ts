// Measurements on a peer that is up: what the hosts see, and what the gateways' processes cost.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knobs, MeasureName } from './knobs.js';
import { namespaceOf, on, runChecked } from './machine.js';
import type { Flood, Lossless, Measures, Memory, Rtt, Tcp } from './results.js';
import { gatewayPids, hostB, ports, sides } from './topology.js';

const ticksPerSecond = 100; // USER_HZ, fixed in the kernel's ABI
const payloadBytes = 64;
const floodSeconds = 2;
const trialSeconds = 0.7;
const rttSeconds = 2;
/** UDP may lose this share and still count as lossless; the sender must have reached this share of what it was asked for. */
const lossAllowed = 0.001;
const rateReached = 0.97;

function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // it has ended
  }
}

/** CPU time so far, in ticks: of the processes of both gateways, and of the whole machine (kernel and interrupts too). */
async function readCpu(): Promise<{ processes: number; busy: number; total: number }> {
  let processes = 0;
  for (const side of sides) {
    for (const pid of await gatewayPids(side)) {
      const fields = readProcess(pid, 'stat').replace(/.*\) /s, '').split(' '); // the name may hold spaces and brackets
      processes += (Number(fields[11]) || 0) + (Number(fields[12]) || 0);
    }
  }
  const [user, nice, system, idle, wait, irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .split('\n')[0]
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { processes, busy, total: busy + idle + wait };
}

/** Runs `work`. @returns its result, CPU percent of the gateways' processes (100 = one core), busy cores of the machine in percent */
async function withCpu<T>(work: () => Promise<T>): Promise<{ result: T; gatewaysCpu: number; machineCpu: number }> {
  const before = await readCpu();
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  const after = await readCpu();
  const cores = readFileSync('/proc/stat', 'latin1').match(/^cpu\d/gm)?.length ?? 1;
  return {
    result,
    gatewaysCpu: ((after.processes - before.processes) / ticksPerSecond / seconds) * 100,
    machineCpu: ((after.busy - before.busy) / Math.max(1, after.total - before.total)) * cores * 100,
  };
}

async function measureTcp(streams: number, seconds: number): Promise<Tcp> {
  const argv = ['iperf3', '-c', hostB, '-p', String(ports.tcp), '-C', 'cubic', '-t', String(seconds), '-P', String(streams), '-J'];
  const { result, gatewaysCpu, machineCpu } = await withCpu(() => on('hostA', argv, (seconds + 15) * 1000));
  const report = JSON.parse(result.stdout || '{}') as {
    error?: string;
    end?: { sum_received?: { bits_per_second: number }; sum_sent?: { retransmits: number } };
  };
  if (report.end?.sum_received === undefined)
    throw new Error(`iperf3, ${streams} streams: ${report.error ?? (result.stderr || 'no result')}`);
  return {
    gbps: report.end.sum_received.bits_per_second / 1e9,
    retransmits: report.end.sum_sent?.retransmits ?? 0,
    gatewaysCpu,
    machineCpu,
  };
}

/** Datagrams the sink got: it refuses each after the checksum was found good, which is what InErrors less InCsumErrors says. */
async function readReceived(): Promise<number> {
  const text = await runChecked(['ip', 'netns', 'exec', namespaceOf('hostB'), 'cat', '/proc/net/snmp']);
  const [names, values] = text
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  const counter = (name: string) => Number(values[names.indexOf(name)]);
  return counter('InErrors') - counter('InCsumErrors');
}

/** Sends datagrams; 0 pps = as fast as one core can. */
async function sendDatagrams(probe: string, pps: number, seconds: number): Promise<{ sent: number; received: number; seconds: number }> {
  const before = await readReceived();
  const argv = [
    'ip',
    'netns',
    'exec',
    namespaceOf('hostA'),
    probe,
    'flood',
    hostB,
    String(ports.sink),
    String(payloadBytes),
    String(pps),
    String(seconds),
  ];
  const sent = JSON.parse(await runChecked(argv)) as { sent: number; seconds: number };
  await sleep(250); // what is on its way arrives
  return { ...sent, received: (await readReceived()) - before };
}

async function measureFlood(probe: string): Promise<Flood> {
  const { result, gatewaysCpu, machineCpu } = await withCpu(() => sendDatagrams(probe, 0, floodSeconds));
  return { kpps: result.received / result.seconds / 1000, offeredKpps: result.sent / result.seconds / 1000, gatewaysCpu, machineCpu };
}

/** Bisection between nothing and 1.6 times what came through at overload. Two tries at every rate: a hiccup of the machine is not loss. */
async function measureLossless(probe: string, overloadKpps: number, steps: number): Promise<Lossless> {
  const passes = async (pps: number) => {
    const { sent, received } = await sendDatagrams(probe, pps, trialSeconds);
    return received >= sent * (1 - lossAllowed) && sent >= pps * trialSeconds * rateReached;
  };
  let low = 0;
  let high = Math.round(overloadKpps * 1600);
  for (let step = 0; step < steps; step++) {
    const rate = Math.round((low + high) / 2);
    if ((await passes(rate)) || (await passes(rate))) low = rate;
    else high = rate;
  }
  return { kpps: low / 1000 };
}

async function measureRtt(probe: string): Promise<Rtt> {
  const argv = [
    'ip',
    'netns',
    'exec',
    namespaceOf('hostA'),
    probe,
    'pingpong',
    hostB,
    String(ports.echo),
    String(payloadBytes),
    String(rttSeconds),
  ];
  return JSON.parse(await runChecked(argv)) as Rtt;
}

const kib = (text: string, name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);

/** Of the gateway that uses more. Null when no process runs there: the kernel forwards. */
async function measureMemory(): Promise<Memory | null> {
  let most: Memory | null = null;
  for (const side of sides) {
    const memory: Memory = { pssMiB: 0, rssSumMiB: 0, rssMaxMiB: 0, processes: 0 };
    for (const pid of await gatewayPids(side)) {
      const peak = kib(readProcess(pid, 'status'), 'VmHWM') / 1024;
      if (peak === 0) continue;
      memory.processes++;
      memory.pssMiB += kib(readProcess(pid, 'smaps_rollup'), 'Pss') / 1024;
      memory.rssSumMiB += peak;
      memory.rssMaxMiB = Math.max(memory.rssMaxMiB, peak);
    }
    if (memory.processes > 0 && (most === null || memory.pssMiB > most.pssMiB)) most = memory;
  }
  return most;
}

/** Everything the knobs ask for. @throws Error when a measurement fails */
export async function measure(probe: string, knobs: Knobs): Promise<Measures> {
  const wanted = (name: MeasureName) => knobs.measures.includes(name);
  const measures: Measures = {};
  await sendDatagrams(probe, 2000, 0.3); // neighbours resolved, code warm
  if (wanted('tcp1')) measures.tcp1 = await measureTcp(1, knobs.seconds);
  if (wanted('tcp4')) measures.tcp4 = await measureTcp(4, knobs.seconds);
  if (wanted('flood') || wanted('lossless')) measures.flood = await measureFlood(probe);
  if (wanted('lossless')) measures.lossless = await measureLossless(probe, measures.flood?.kpps ?? 0, knobs.losslessSteps);
  if (wanted('rtt')) measures.rtt = await measureRtt(probe);
  const memory = await measureMemory();
  if (memory !== null) measures.memory = memory;
  return measures;
}
