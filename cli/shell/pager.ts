// Output longer than the screen, a page at a time: ` --More-- `, space for a page, Enter for a line, anything else ends it.

const More = ' --More-- ';
const erase = `\r${' '.repeat(More.length)}\r`;

export class Pager {
  private at = 0;

  /** @param lines without line ends @param length of the screen in lines, 0 = no pausing */
  constructor(
    private readonly lines: readonly string[],
    private readonly length: number,
  ) {}

  get isDone(): boolean {
    return this.at >= this.lines.length;
  }

  /** @returns the first page */
  start(): string {
    return this.show(this.length === 0 ? this.lines.length : Math.max(1, this.length - 1));
  }

  /** @returns what the key shows; all is done when isDone */
  key(character: string): string {
    if (character === ' ') return erase + this.show(Math.max(1, this.length - 1));
    if (character === '\r' || character === '\n') return erase + this.show(1);
    this.at = this.lines.length;
    return erase;
  }

  private show(count: number): string {
    const page = this.lines.slice(this.at, this.at + count);
    this.at += page.length;
    return page.map((line) => `${line}\r\n`).join('') + (this.isDone ? '' : More);
  }
}
