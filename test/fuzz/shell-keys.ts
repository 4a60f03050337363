// What somebody, or a program, types into the shell: keys, escape sequences, `?`, Tab, pages, banners over several lines. The line never holds
// what is no character, the screen never gets an escape sequence that is not ours, and every line ends in an answer.

import { awaitedDelimiter } from '../../cli/shell/banner.js';
import { completePartial, describeHelp, doLine } from '../../cli/shell/help-text.js';
import { History } from '../../cli/shell/history.js';
import { LineEditor } from '../../cli/shell/line-editor.js';
import { Pager } from '../../cli/shell/pager.js';
import { editLine } from '../../control/config/edit.js';
import { emptyConfig } from '../../control/config/empty.js';
import { parseExec } from '../../control/config/exec.js';
import { privilegedCommands, userCommands } from '../../control/config/exec-shell.js';
import { type HelpMode, isShellExec } from '../../control/config/help.js';
import { modeCommands } from '../../control/config/modes.js';
import { type ModeName, Session } from '../../control/config/session.js';

const modes: HelpMode[] = ['user', 'privileged', ...(Object.keys(modeCommands) as ModeName[])];
const ours = /\x1b\[(?:K|\d+D)|[\r\n\x07]/g;
const controls = /\p{Cc}/u;

function checkScreen(screen: string, width: number): void {
  if (controls.test(screen.replace(ours, ''))) throw new Error(`not ours on the screen: ${JSON.stringify(screen)}`);
  if (width < 20) return;
  for (const row of screen.split(/[\r\n]/)) {
    // ^C and ^Z are told behind the line.
    if ([...row.replace(ours, '')].length > width + 2) throw new Error(`wider than ${width}: ${JSON.stringify(row)}`);
  }
}

function answerLine(mode: HelpMode, session: Session, text: string): void {
  if (controls.test(text)) throw new Error(`no character: ${JSON.stringify(text)}`);
  const exec = isShellExec(mode) ? text : doLine(mode, text);
  if (exec !== null) {
    const command = parseExec(exec, mode === 'user' ? userCommands : privilegedCommands);
    if ('error' in command && (!command.error.startsWith('%') || command.column < 0)) throw new Error(JSON.stringify(command));
    return;
  }
  const delimiter = awaitedDelimiter(text);
  const { error, column } = editLine(session, delimiter === null ? text : `${text}\nmore${delimiter}`);
  if (error !== null && !error.startsWith('%')) throw new Error(error);
  if (column !== null && (column < 0 || column > text.length)) throw new Error(`^ at ${column}`);
}

/** @param bytes mode, width, length of a page, then what is typed (UTF-8) */
export function fuzz(bytes: Uint8Array): void {
  const [modeByte = 0, width = 0, length = 0] = bytes;
  const mode = modes[modeByte % modes.length];
  const history = new History();
  const editor = new LineEditor((nth) => history.recall(nth));
  editor.width = width;
  editor.isText = length > 200;
  const session = new Session(emptyConfig());
  let screen = editor.begin('R1#');
  let rest = new TextDecoder().decode(bytes.subarray(3));
  while (rest !== '') {
    const fed = editor.feed(rest);
    if (fed.taken <= 0 || fed.taken > rest.length) throw new Error(`took ${fed.taken} of ${rest.length}`);
    rest = rest.slice(fed.taken);
    checkScreen(fed.screen, width);
    screen = '';
    if (fed.event === null) continue;
    if (fed.event.kind === 'line') {
      history.add(fed.event.text);
      answerLine(mode, session, fed.event.text);
    } else if (fed.event.kind === 'help') {
      const { lines, column } = describeHelp(mode, fed.event.partial);
      if (lines.length === 0 || (column !== null && column < 0)) throw new Error('no answer to ?');
      const pager = new Pager(lines, length % 50);
      checkScreen(pager.start(), 0);
      for (let key = 0; !pager.isDone; key++) checkScreen(pager.key([' ', '\r', 'q'][(key + length) % 3]), 0);
      screen = editor.begin('R1#', fed.event.partial);
    } else if (fed.event.kind === 'complete') screen = editor.begin('R1#', completePartial(mode, fed.event.partial));
    else screen = editor.begin('R1#');
    checkScreen(screen, width);
  }
}

const typed: [mode: number, keys: string][] = [
  [0, 'en\rshow ver?\x15sh\tcl\t\r'],
  [1, 'show run | inc ?\x08sec x\rconf t\r\x1a\x10\x10\x0e\r'],
  [1, 'show clock junk\x1bb\x0b\x7f\x01\x14\x05\x17\x19\r\n\x1b[A\x1b[B\x1b[C\x1b[D\x1b[3~\x1bOH\x1b[99~\x1b[<0;1M\x03\x04'],
  [2, 'bann motd #\rcrypto isakmp key HIDDEN address 1.1.1.1\rshow history\r\x1b[A\x1b[A'],
  [3, 'do show ?\x15no ?\x15ip add 10.0.0.1 255.0.0.0\rébè漢字\u{1f600}\x02\x02\x14\x0c\x12'],
];
export const seeds: readonly Uint8Array[] = typed.map(([mode, keys]) => Uint8Array.of(mode, 40, 24, ...new TextEncoder().encode(keys)));
