// ping as IOS prints it, while it runs: header, a mark for each echo, success rate and round-trip times. Behind a sweep with DF: the path MTU,
// and what its size is called elsewhere.

import type { EchoEvent, ProbeEvent } from '../control/api/probe-events.js';
import type { PingCommand } from '../control/config/exec-probe.js';

/** Marks in a line. */
const LineLength = 70;
/** IPv4 and ICMP headers: what `ping -l` (Windows) and `ping -s` (Linux) do not count. */
const EchoHeaders = 28;

/** `IOS size 1500, Windows ping -l 1472, Linux ping -s 1472` */
export function dialects(size: number): string {
  return `IOS size ${size}, Windows ping -l ${size - EchoHeaders}, Linux ping -s ${size - EchoHeaders}`;
}

function pingHeader(command: PingCommand, target: string, source: string | null): string[] {
  const { sweep, repeat, size, timeoutSeconds, dontFragment, validate, pattern } = command;
  const sizes = sweep ? `[${sweep.min}..${sweep.max}]` : `${size}`;
  const count = sweep ? repeat * (Math.floor((sweep.max - sweep.min) / sweep.interval) + 1) : repeat;
  return [
    'Type escape sequence to abort.',
    `Sending ${count}, ${sizes}-byte ICMP Echos to ${target}, timeout is ${timeoutSeconds} seconds:`,
    ...(source === null ? [] : [`Packet sent with a source address of ${source}`]),
    ...(dontFragment ? ['Packet sent with the DF bit set'] : []),
    ...(validate ? ['Reply data will be validated'] : []),
    ...(pattern === null ? [] : [`Packet has data pattern 0x${pattern.toString(16).toUpperCase().padStart(4, '0')}`]),
  ];
}

/** IOS counts whole milliseconds, and none below one. */
function wholeMs(ms: number): number {
  return Math.max(1, Math.round(ms));
}

export class PingView {
  private sent = 0;
  private readonly times: { count: number; sum: number; min: number; max: number } = { count: 0, sum: 0, min: Infinity, max: 0 };
  private readonly sizes = { passed: 0, failed: Infinity, told: 0 };
  private target = '';
  private begun = false;

  constructor(private readonly command: PingCommand) {}

  /** @returns what is printed now */
  take(event: ProbeEvent): string {
    if (event.kind === 'begin') {
      this.target = event.target;
      this.begun = true;
      return `${pingHeader(this.command, event.target, event.source).join('\n')}\n`;
    }
    if (event.kind !== 'echo') return '';
    this.note(event);
    return this.sent % LineLength === 0 ? `${event.mark}\n` : event.mark;
  }

  /** @returns what is printed when it has ended, or was ended */
  end(): string {
    if (!this.begun) return '';
    const { sent, times } = this;
    const lineEnd = sent % LineLength === 0 ? '' : '\n';
    const rate = sent === 0 ? 0 : Math.floor((times.count / sent) * 100);
    const trip = times.count === 0 ? '' : `, round-trip min/avg/max = ${times.min}/${Math.floor(times.sum / times.count)}/${times.max} ms`;
    const lines = [`Success rate is ${rate} percent (${times.count}/${sent})${trip}`, ...this.verdict()];
    return `${lineEnd}${lines.join('\n')}\n`;
  }

  private note({ mark, ms, size, mtu }: EchoEvent): void {
    const { times, sizes } = this;
    this.sent++;
    if (mark === '!' && ms !== null) {
      const whole = wholeMs(ms);
      times.count++;
      times.sum += whole;
      times.min = Math.min(times.min, whole);
      times.max = Math.max(times.max, whole);
      sizes.passed = Math.max(sizes.passed, size);
    } else if (mark === 'M' || mark === '.') sizes.failed = Math.min(sizes.failed, size);
    if (mark === 'M' && mtu > 0) sizes.told = mtu;
  }

  /** Only a sweep with DF tells what fits. */
  private verdict(): string[] {
    const { sweep, dontFragment } = this.command;
    const { passed, failed, told } = this.sizes;
    if (!sweep || !dontFragment || passed === 0) return [];
    return [`Largest size that passed: ${passed} bytes (${dialects(passed)})`, this.pathMtu(passed, failed, told)];
  }

  private pathMtu(passed: number, failed: number, told: number): string {
    const to = `Path MTU to ${this.target} is`;
    if (failed <= passed) {
      // A smaller one was lost: by chance, or the path has changed.
      return `${to} ${passed} or more: replies of smaller sizes are missing as well`;
    }
    if (told >= passed && told < failed) return `${to} ${told}, as ICMP says`;
    if (failed === passed + 1) return `${to} ${passed}`;
    return failed === Infinity ? `${to} ${passed} or more` : `${to} between ${passed} and ${failed - 1}`;
  }
}
