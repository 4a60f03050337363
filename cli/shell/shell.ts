// The shell: modes, prompts, what a line does. Characters in, text out; what a line needs of a router it asks of ShellMeans, one at a time,
// and what is typed meanwhile waits. Knows nothing of terminals and sockets.

import type { EditResponse } from '../../control/api/configure.js';
import { type ExecCommand, type ExecError, parseExec } from '../../control/config/exec.js';
import { privilegedCommands, userCommands } from '../../control/config/exec-shell.js';
import type { HelpMode } from '../../control/config/help.js';
import { maskSecrets } from '../../control/config/secrets.js';
import { completePartial, describeHelp, doLine } from './help-text.js';
import { History } from './history.js';
import { type EditorEvent, LineEditor } from './line-editor.js';
import { Pager } from './pager.js';

export interface ShellMeans {
  hostname(): Promise<string>;
  /** One exec line as the command line would run it. @returns its output @throws Error with IOS's `% ...` line */
  exec(line: string): Promise<string>;
  /** null = `configure terminal`. @throws Error */
  edit(line: string | null): Promise<EditResponse>;
  write(text: string): void;
  /** The shell is done. */
  end(): void;
}

export interface ShellOptions {
  /** Somebody sits there: echo, pages. Else lines are told as they are carried out. */
  isTerminal: boolean;
  /** Lines of the screen. */
  length: number;
  width: number;
}

export class Shell {
  private mode: HelpMode = 'user';
  private hostname = 'Router';
  private readonly history = new History();
  private readonly editor = new LineEditor((nth) => this.history.recall(nth));
  private length: number;
  private pager: Pager | null = null;
  private waiting = '';
  private isBusy = false;
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
    this.hostname = await this.means.hostname();
    this.prompt();
  }

  /** The terminal has another size now. */
  resize(length: number, width: number): void {
    this.length = length;
    this.editor.width = width;
  }

  input(text: string): void {
    this.waiting += text;
    this.pump();
  }

  /** No more input comes: what waits is carried out, then the shell ends. */
  endOfInput(): void {
    this.isEnding = true;
    this.pump();
  }

  private pump(): void {
    while (!this.isBusy && !this.isOver && this.waiting !== '') {
      if (this.pager !== null) this.page();
      else if (this.options.isTerminal) this.type();
      else if (!this.takeLine()) break;
    }
    if (this.isEnding && !this.isBusy && !this.isOver) this.over();
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

  private act(event: EditorEvent): void {
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
        void this.line(this.isConfiguring ? 'end' : '').then(() => this.resume());
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

  private get isConfiguring(): boolean {
    return this.mode !== 'user' && this.mode !== 'privileged';
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
      else if (this.isConfiguring) this.edited(await this.means.edit(text));
      else await this.exec(text, this.mode as 'user' | 'privileged', 0);
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

  private async exec(text: string, mode: 'user' | 'privileged', indent: number): Promise<void> {
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
      default: {
        const output = await this.means.exec(text);
        if (command.kind !== 'show') this.hostname = await this.means.hostname();
        if (output !== '') this.show(output.replace(/\n$/, '').split('\n'));
      }
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
