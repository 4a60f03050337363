// Keeps the kernel from forwarding what packet sockets have taken: a table of nftables at the ingress of their netdevs, behind the
// sockets' tap, with the conditions of packetOpen (native.ts). `flags owner` makes it vanish with the process that made it, and that is
// a child `nft -i` which ends with us, kill -9 included: there is nothing to undo. Does not: touch other tables.

import type { ChildProcess } from 'node:child_process';
import { formatAddress } from './addresses.js';
import { findProgram, spawnTied } from './run-command.js';

const table = 'netdev groupwire';
/** `describe` asks nothing of the kernel: its answer says that everything before it is done. */
const question = 'describe ipv4_addr';
const answer = /^datatype ipv4_addr.*\n/m;
const AnswerMs = 3000;
/** A killed predecessor's table may be there for a moment. */
const Attempts = 3;
const AttemptGapMs = 200;

/** One line, one transaction: the table is replaced as a whole. @param replace there is one already */
export function formatIngressTable(devices: readonly string[], own: readonly number[], replace: boolean): string {
  const elements = own.length > 0 ? ` elements = { ${own.map(formatAddress).join(', ')} };` : '';
  // The header that `ether` sees has the VLAN tag that a netdev took off.
  const rule = 'meta pkttype host ether type ip ip ttl > 1 ip daddr != { 224.0.0.0/4, 255.255.255.255 } ip daddr != @own drop;';
  const chains = devices.map(
    (device, index) => `chain port${index} { type filter hook ingress device "${device}" priority -500; policy accept; ${rule} };`,
  );
  const made = `table ${table} { flags owner; set own { type ipv4_addr;${elements} }; ${chains.join(' ')} }`;
  return replace ? `delete table ${table}; ${made}` : made;
}

export class IngressDrop {
  private child: ChildProcess | null = null;
  private said = '';
  private heard: (() => void) | null = null;
  private current = '';

  /** @param died the table went with its process: packets are forwarded twice until set() is called again */
  constructor(private readonly died: (how: string) => void) {}

  /** Drops what is for hosts behind us on these netdevs, and on no others. Throws Error with what to do; what was before stays then. */
  async set(devices: readonly string[], own: readonly number[]): Promise<void> {
    const wanted = devices.length === 0 ? '' : formatIngressTable(devices, own, false);
    if (wanted === this.current) return;
    if (wanted === '') return this.close();
    const odd = devices.find((device) => !/^[\w.@-]+$/.test(device));
    if (odd !== undefined) throw new Error(`${odd}: nft takes no such name for a netdev`);
    await this.replace(devices, own);
    this.current = wanted;
  }

  private async replace(devices: readonly string[], own: readonly number[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const replace = this.current !== '';
      this.child ??= this.start();
      const said = await this.run(formatIngressTable(devices, own, replace));
      if (said === '') return;
      if (replace || attempt === Attempts) throw new Error(`nft: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, AttemptGapMs));
    }
  }

  /** Removes the table. */
  close(): void {
    const child = this.child;
    this.child = null;
    this.current = '';
    child?.kill('SIGKILL');
    child?.stdin?.destroy();
  }

  private start(): ChildProcess {
    if (findProgram('nft') === null) throw new Error('nft: not found: install nftables');
    // One pipe for what it prints and its errors, so that they stay in order. HOME: it would write a history file.
    const child = spawnTied(['sh', '-c', 'exec nft -i 2>&1'], ['pipe', 'pipe', 'ignore'], { HOME: '/dev/null' });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
      this.heard?.();
    });
    child.stdin?.on('error', () => undefined); // it ended: `exit` says so
    child.once('error', (error) => this.lose(child, error.message));
    child.once('exit', (code, signal) => this.lose(child, signal ?? `status ${code}`));
    return child;
  }

  private lose(child: ChildProcess, how: string): void {
    if (this.child !== child) return;
    this.child = null;
    this.said += `Error: nft ended (${how})\n`;
    this.heard?.();
    if (this.current === '') return;
    this.current = '';
    this.died(how);
  }

  /** @returns what nft complained about, empty when all is well */
  private run(commands: string): Promise<string> {
    this.said = '';
    const child = this.child;
    return new Promise((resolve) => {
      const finish = (said: string): void => {
        clearTimeout(timer);
        this.heard = null;
        resolve(said);
      };
      const timer = setTimeout(() => finish('does not answer'), AnswerMs);
      this.heard = () => {
        const error = /^.*Error: (.*)$/m.exec(this.said);
        if (answer.test(this.said) || this.child !== child) finish(error?.[1] ?? '');
      };
      child?.stdin?.write(`${commands}\n${question}\n`);
    });
  }
}
