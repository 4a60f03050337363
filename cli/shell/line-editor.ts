// The line that is being typed: keys in, screen out, no I/O. Emacs keys as IOS has them; a line longer than the screen scrolls sideways with
// `$` at the cut end. `?`, Tab, Ctrl-Z and the like are the shell's: they come out as events.

export type EditorEvent =
  | { kind: 'line'; text: string }
  /** `?`: what is in front of the cursor. */
  | { kind: 'help'; partial: string }
  | { kind: 'complete'; partial: string }
  | { kind: 'end-mode' }
  | { kind: 'interrupt' }
  | { kind: 'end-of-input' };

export interface Fed {
  /** Characters of the input that were taken; the rest waits behind the event. */
  taken: number;
  screen: string;
  event: EditorEvent | null;
}

/** As long as a configuration line may be. */
const MaxLine = 4096;

/** CSI and SS3 sequences: final byte (and number before `~`) -> what it does. */
const sequences: Record<string, string> = {
  A: '\x10',
  B: '\x0e',
  C: '\x06',
  D: '\x02',
  H: '\x01',
  F: '\x05',
  '1~': '\x01',
  '4~': '\x05',
  '3~': '\x04',
  '7~': '\x01',
  '8~': '\x05',
};

const isPrintable = (character: string): boolean => character >= ' ' && character !== '\x7f' && !/\p{Cc}/u.test(character);

export class LineEditor {
  private text: string[] = [];
  private at = 0;
  private prompt = '';
  /** Of an escape sequence that has begun. */
  private escape = '';
  private afterReturn = false;
  /** Place in the history, 0 = the line being typed. */
  private back = 0;
  private typed: string[] = [];
  /** `?` is a character and not a question. */
  isText = false;
  /** Columns of the screen; 0 = no limit. */
  width = 80;

  /** @param recall the nth last line, 1 = the last; null when there is none */
  constructor(private readonly recall: (nth: number) => string | null) {}

  /** A new line below, without escape sequences: programs that drive us look for the bare prompt. @returns what to write */
  begin(prompt: string, text = ''): string {
    this.prompt = prompt;
    this.set(text);
    this.back = 0;
    const fits = this.width === 0 || prompt.length + this.text.length < this.width;
    return fits ? prompt + text : this.redraw();
  }

  /** The line as it stands, for a message that was written over it. */
  redraw(): string {
    const room = this.width === 0 ? Number.POSITIVE_INFINITY : Math.max(8, this.width - this.prompt.length - 1);
    let from = 0;
    if (this.text.length > room) from = Math.max(0, Math.min(this.at - Math.floor(room / 2), this.text.length - room));
    const shown = this.text.slice(from, from + Math.min(room, this.text.length - from));
    if (from > 0) shown[0] = '$';
    if (from + shown.length < this.text.length) shown[shown.length - 1] = '$';
    const behind = shown.length - (this.at - from);
    return `\r${this.prompt}${shown.join('')}\x1b[K${behind > 0 ? `\x1b[${behind}D` : ''}`;
  }

  /** Takes characters up to the next event. */
  feed(input: string): Fed {
    let screen = '';
    let taken = 0;
    for (const character of input) {
      taken += character.length;
      const step = this.key(character);
      screen += step.screen;
      if (step.event !== null) return { taken, screen, event: step.event };
    }
    return { taken, screen, event: null };
  }

  private key(character: string): { screen: string; event: EditorEvent | null } {
    if (this.escape !== '') return this.escapeKey(character);
    const wasReturn = this.afterReturn;
    this.afterReturn = character === '\r';
    switch (character) {
      case '\n':
        // CR LF of a terminal that sends both is one line end, as CR NUL of telnet is.
        return wasReturn ? this.quiet() : this.finish();
      case '\r':
        return this.finish();
      case '?':
        if (this.isText) return this.insert(character);
        return this.event({ kind: 'help', partial: this.text.slice(0, this.at).join('') }, '?\r\n');
      case '\t':
        return this.event({ kind: 'complete', partial: this.text.slice(0, this.at).join('') });
      case '\x1a':
        return this.event({ kind: 'end-mode' }, '^Z\r\n');
      case '\x03':
        return this.event({ kind: 'interrupt' }, '^C\r\n');
      case '\x1b':
        this.escape = character;
        return this.quiet();
      case '\x04':
        if (this.text.length === 0) return this.event({ kind: 'end-of-input' }, '\r\n');
        return this.change(() => this.text.splice(this.at, 1));
      default:
        return isPrintable(character) ? this.insert(character) : this.control(character);
    }
  }

  private control(character: string): { screen: string; event: null } {
    switch (character) {
      case '\x01':
        return this.move(0);
      case '\x02':
        return this.move(this.at - 1);
      case '\x05':
        return this.move(this.text.length);
      case '\x06':
        return this.move(this.at + 1);
      case '\x08':
      case '\x7f':
        if (this.at === 0) return this.quiet();
        return this.change(() => this.text.splice(--this.at, 1));
      case '\x0b':
        return this.change(() => this.text.splice(this.at));
      case '\x0c':
      case '\x12':
        return { screen: `\r\n${this.redraw()}`, event: null };
      case '\x0e':
        return this.turn(-1);
      case '\x10':
        return this.turn(1);
      case '\x14':
        return this.swap();
      case '\x15':
      case '\x18':
        return this.change(() => this.text.splice(0, this.at) && this.goTo(0));
      case '\x17':
        return this.change(() => this.cut(this.wordStart()));
      default:
        return this.quiet();
    }
  }

  private escapeKey(character: string): { screen: string; event: EditorEvent | null } {
    if (this.escape === '\x1b' && character !== '[' && character !== 'O') {
      this.escape = '';
      if (character === 'b') return this.move(this.wordStart());
      if (character === 'f') return this.move(this.wordEnd());
      return character === 'd' ? this.change(() => this.text.splice(this.at, this.wordEnd() - this.at)) : this.quiet();
    }
    this.escape += character;
    if (this.escape.length > 2 && ((character >= '@' && character <= '~') || this.escape.length > 16)) {
      const key = sequences[this.escape.slice(2)];
      this.escape = '';
      // Delete on an empty line is not the end of input.
      if (key === undefined || (key === '\x04' && this.text.length === 0)) return this.quiet();
      return this.key(key);
    }
    return this.quiet();
  }

  private quiet(): { screen: string; event: null } {
    return { screen: '', event: null };
  }

  private event(event: EditorEvent, screen = ''): { screen: string; event: EditorEvent } {
    return { screen, event };
  }

  private finish(): { screen: string; event: EditorEvent } {
    const text = this.text.join('');
    this.set('');
    return this.event({ kind: 'line', text }, '\r\n');
  }

  /** At the end of a line that fits, the character itself is enough: what a program that drives us waits for is its echo. */
  private insert(character: string): { screen: string; event: null } {
    if (this.text.length >= MaxLine) return { screen: '\x07', event: null };
    this.text.splice(this.at++, 0, character);
    const fits = this.width === 0 || this.prompt.length + this.text.length < this.width;
    return { screen: this.at === this.text.length && fits ? character : this.redraw(), event: null };
  }

  private change(edit: () => unknown): { screen: string; event: null } {
    edit();
    return { screen: this.redraw(), event: null };
  }

  private move(to: number): { screen: string; event: null } {
    this.goTo(to);
    return { screen: this.redraw(), event: null };
  }

  private goTo(to: number): void {
    this.at = Math.max(0, Math.min(to, this.text.length));
  }

  private cut(from: number): void {
    this.text.splice(from, this.at - from);
    this.at = from;
  }

  private swap(): { screen: string; event: null } {
    if (this.at === 0 || this.text.length < 2) return this.quiet();
    const right = Math.min(this.at, this.text.length - 1);
    [this.text[right - 1], this.text[right]] = [this.text[right], this.text[right - 1]];
    return this.move(right + 1);
  }

  private wordStart(): number {
    let at = this.at;
    while (at > 0 && this.text[at - 1] === ' ') at--;
    while (at > 0 && this.text[at - 1] !== ' ') at--;
    return at;
  }

  private wordEnd(): number {
    let at = this.at;
    while (at < this.text.length && this.text[at] === ' ') at++;
    while (at < this.text.length && this.text[at] !== ' ') at++;
    return at;
  }

  /** @param step 1 = older */
  private turn(step: number): { screen: string; event: null } {
    const back = this.back + step;
    const line = back > 0 ? this.recall(back) : null;
    if (back < 0 || (back > 0 && line === null)) return { screen: '\x07', event: null };
    if (this.back === 0) this.typed = this.text;
    this.back = back;
    this.set(line ?? this.typed.join(''));
    return { screen: this.redraw(), event: null };
  }

  private set(text: string): void {
    this.text = [...text];
    this.at = this.text.length;
  }
}
