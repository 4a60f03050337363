// The shell: modes, prompts, what a line does. Characters in, text out; what a line needs of a router it asks of ShellMeans, one at a time,
// and what is typed meanwhile waits. Knows nothing of terminals and sockets.

import type { EditResponse } from '../../control/api/configure.js';
import { type ExecCommand, type ExecError, parseExec } from '../../control/config/exec.js';
import { privilegedCommands, userCommands } from '../../control/config/exec-shell.js';
import { type HelpMode, isShellExec, type ShellExecMode } from '../../control/config/help.js';
import { maskSecrets } from '../../control/config/secrets.js';
import { askPing } from '../ping-dialogue.js';
import { askForBanner, awaitedDelimiter } from './banner.js';
import { completePartial, describeHelp, doLine } from './help-text.js';
import { History } from './history.js';
import { type EditorEvent, LineEditor } from './line-editor.js';
import type { ShellMeans, ShellOptions } from './means.js';
import { Pager } from './pager.js';

/** Ctrl-C, and IOS's Ctrl-Shift-6. */
const Interrupts = /[\x03\x1e]/;

export class Shell {
  private mode: HelpMode = 'user';
  private hostname = 'Router';
  private readonly history = new History();
  private readonly editor = new LineEditor((nth) => this.history.recall(nth));
  private length: number;
  private pager: Pager | null = null;
  private waiting = '';
  private isBusy = false;
  /** Of the command that runs. */
  private running: AbortController | null = null;
  /** Waits for the answer to a question; null = there is none. */
  private asking: ((answer: string | null) => void) | null = null;
  private isEnding = false;
  private isOver = false;

  constructor(
    private readonly means: ShellMeans,
    private readonly options: ShellOptions,
  ) {
    this.length = options.isTerminal ? options.length : 0;
    this.editor.width = options.width;
  }

  async start(): Promise<void> {
    const { hostname, banner } = await this.means.greeting();
    this.hostname = hostname;
    if (banner !== '') this.means.write(`${banner.replace(/\n/g, '\r\n')}\r\n`);
    this.prompt();
  }

  /** The terminal has another size now. */
  resize(length: number, width: number): void {
    this.length = length;
    this.editor.width = width;
  }

  input(text: string): void {
    this.waiting += text;
    this.interrupt();
    this.pump();
  }

  /** No more input comes: what waits is carried out, then the shell ends. */
  endOfInput(): void {
    this.isEnding = true;
    this.pump();
  }

  /** What was typed before it is forgotten, as on IOS. */
  private interrupt(): void {
    if (this.running === null || this.asking !== null || !this.options.isTerminal) return;
    const rest = this.waiting.split(Interrupts);
    if (rest.length === 1) return;
    this.running.abort();
    this.waiting = rest[rest.length - 1];
  }

  private get isListening(): boolean {
    return (!this.isBusy || this.asking !== null) && !this.isOver;
  }

  private pump(): void {
    while (this.isListening && this.waiting !== '') {
      if (this.pager !== null) this.page();
      else if (this.options.isTerminal) this.type();
      else if (!this.takeLine()) break;
    }
    if (this.isEnding && this.isListening) {
      if (this.asking === null) this.over();
      else this.answer(null);
    }
  }

  private page(): void {
    const character = this.waiting[0];
    this.waiting = this.waiting.slice(1);
    this.means.write(this.pager!.key(character));
    if (!this.pager!.isDone) return;
    this.pager = null;
    this.prompt();
  }

  private type(): void {
    const { taken, screen, event } = this.editor.feed(this.waiting);
    this.waiting = this.waiting.slice(taken);
    this.means.write(screen);
    if (event !== null) this.act(event);
  }

  /** Of piped input: whole lines, and at its end what is left. @returns false while half a line waits for its end */
  private takeLine(): boolean {
    const end = this.waiting.indexOf('\n');
    if (end < 0 && !this.isEnding) return false;
    const line = (end < 0 ? this.waiting : this.waiting.slice(0, end)).replace(/\r$/, '');
    this.waiting = end < 0 ? '' : this.waiting.slice(end + 1);
    this.means.write(`${maskSecrets(line)}\r\n`);
    this.act({ kind: 'line', text: line });
    return true;
  }

  private answer(answer: string | null): void {
    const { asking } = this;
    this.asking = null;
    asking?.(answer);
  }

  /** Whoever is asked something can answer, or end it. */
  private actOnQuestion(event: EditorEvent): void {
    if (event.kind === 'line') this.answer(event.text);
    else if (event.kind === 'help' || event.kind === 'complete') this.means.write(`\r\n${this.editor.begin('', event.partial)}`);
    else this.answer(null);
  }

  private act(event: EditorEvent): void {
    if (this.asking !== null) {
      this.actOnQuestion(event);
      return;
    }
    switch (event.kind) {
      case 'line':
        this.isBusy = true;
        void this.line(event.text).then(() => this.resume());
        return;
      case 'help': {
        const { lines, column } = describeHelp(this.mode, event.partial);
        if (column !== null) this.mark(column);
        this.means.write(lines.map((text) => `${text}\r\n`).join(''));
        this.means.write(`\r\n${this.editor.begin(this.promptText(), event.partial)}`);
        return;
      }
      case 'complete':
        this.means.write(`\r\n${this.editor.begin(this.promptText(), completePartial(this.mode, event.partial))}`);
        return;
      case 'interrupt':
      case 'end-mode':
        this.isBusy = true;
        void this.line(isShellExec(this.mode) ? '' : 'end').then(() => this.resume());
        return;
      case 'end-of-input':
        this.over();
    }
  }

  private resume(): void {
    this.isBusy = false;
    if (this.isOver) return;
    if (this.pager === null) this.prompt();
    this.pump();
  }

  private promptText(): string {
    if (this.mode === 'user') return `${this.hostname}>`;
    return this.mode === 'privileged' ? `${this.hostname}#` : `${this.hostname}(${this.mode})#`;
  }

  private prompt(): void {
    this.means.write(this.options.isTerminal ? this.editor.begin(this.promptText()) : this.promptText());
  }

  private mark(column: number): void {
    this.means.write(`${' '.repeat(this.promptText().length + column)}^\r\n`);
  }

  /** Never rejects. */
  private async line(text: string): Promise<void> {
    this.history.add(text);
    const trimmed = text.trim();
    if (trimmed === '' || trimmed.startsWith('!')) return;
    try {
      const exec = doLine(this.mode, text);
      if (exec !== null) await this.exec(exec, 'privileged', text.length - exec.length);
      else if (isShellExec(this.mode)) await this.exec(text, this.mode, 0);
      else this.edited(await this.means.edit(await this.whole(text)));
    } catch (error) {
      this.means.write(`${(error as Error).message.replace(/\n/g, '\r\n')}\r\n`);
    }
  }

  private edited({ error, column, messages, ended, mode, hostname }: EditResponse): void {
    if (column !== null) this.mark(column);
    if (error !== null) this.means.write(`${error}\r\n\r\n`);
    for (const message of messages) this.means.write(`${message.replace(/\n/g, '\r\n')}\r\n`);
    this.hostname = hostname;
    this.mode = ended ? 'privileged' : (mode as HelpMode);
  }

  private async exec(text: string, mode: ShellExecMode, indent: number): Promise<void> {
    const command = parseExec(text, mode === 'user' ? userCommands : privilegedCommands);
    if ('error' in command) this.refuse(command, text, indent);
    else await this.run(command, text);
  }

  private refuse({ error, column }: ExecError, text: string, indent: number): void {
    if (error.includes("'^'")) this.mark(column + indent);
    this.means.write(`${error}\r\n${error.includes("'^'") || text === '' ? '\r\n' : ''}`);
  }

  private async run(command: ExecCommand, text: string): Promise<void> {
    switch (command.kind) {
      case 'enable':
        if (this.mode === 'user') this.mode = 'privileged';
        return;
      case 'disable':
        this.mode = 'user';
        return;
      case 'logout':
        return this.over();
      case 'configure terminal':
        this.means.write('Enter configuration commands, one per line.  End with CNTL/Z.\r\n');
        return this.edited(await this.means.edit(null));
      case 'show history':
        return this.show(this.history.list());
      case 'terminal length':
        this.length = this.options.isTerminal ? command.lines : 0;
        return;
      case 'terminal width':
        this.editor.width = command.columns;
        return;
      case 'ping dialogue':
        return this.carryOut(await this.askForPing());
      default:
        await this.carryOut(text);
        if (command.kind !== 'show') this.hostname = await this.means.hostname();
    }
  }

  private async carryOut(text: string): Promise<void> {
    this.running = new AbortController();
    const write = (part: string): void => this.means.write(part.replace(/\n/g, '\r\n'));
    try {
      const output = await this.means.exec(text, { write, signal: this.running.signal });
      if (output !== '') this.show(output.replace(/\n$/, '').split('\n'));
    } finally {
      this.running = null;
    }
  }

  /** `ping` alone asks for the rest. @returns its line */
  private askForPing(): Promise<string> {
    return askPing({
      ask: (prompt) => this.ask(prompt),
      say: (line) => this.means.write(`${line}\r\n`),
    });
  }

  private ask(prompt: string): Promise<string | null> {
    this.means.write(this.options.isTerminal ? this.editor.begin(prompt) : prompt);
    return new Promise((resolve) => {
      this.asking = resolve;
      this.pump();
    });
  }

  /** The line, with the rest of its text when it is a banner that goes on. */
  private async whole(text: string): Promise<string> {
    const delimiter = awaitedDelimiter(text);
    if (delimiter === null) return text;
    this.means.write(`Enter TEXT message.  End with the character '${delimiter}'.\r\n`);
    this.editor.isText = true;
    try {
      return await askForBanner(text, delimiter, (prompt) => this.ask(prompt));
    } finally {
      this.editor.isText = false;
    }
  }

  private show(lines: readonly string[]): void {
    const pager = new Pager(lines, this.length);
    this.means.write(pager.start());
    if (!pager.isDone) this.pager = pager;
  }

  private over(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.means.end();
  }
}
