// Exec commands that only make sense to somebody who stays: of the shell's session, its modes and its terminal. And what user EXEC mode
// (`R1>`) has of all commands.

import { integer } from './arguments.js';
import { type ExecNode, give } from './exec-node.js';
import { execCommands } from './exec-tree.js';
import { argument, keyword, mergeNodes, path } from './tree.js';

export type ShellCommand =
  | { kind: 'enable' }
  | { kind: 'disable' }
  | { kind: 'logout' }
  | { kind: 'configure terminal' }
  | { kind: 'show history' }
  /** Lines of a screen, 0 = no pausing. */
  | { kind: 'terminal length'; lines: number }
  | { kind: 'terminal width'; columns: number };

const configure = give(() => ({ kind: 'configure terminal' }));

const sessionNodes: ExecNode[] = [
  keyword('disable', 'Turn off privileged commands', { run: give(() => ({ kind: 'disable' })) }),
  keyword('enable', 'Turn on privileged commands', { run: give(() => ({ kind: 'enable' })) }),
  keyword('exit|ex', 'Exit from the EXEC', { run: give(() => ({ kind: 'logout' })) }),
  keyword('logout', 'Exit from the EXEC', { run: give(() => ({ kind: 'logout' })) }),
  keyword('quit', 'Exit from the EXEC', { run: give(() => ({ kind: 'logout' })) }),
  path(
    [['show', 'Show running system information']],
    [keyword('history', 'Display the session command history', { run: give(() => ({ kind: 'show history' })) })],
  ),
  keyword('terminal', 'Set terminal line parameters', {
    next: [
      keyword('length', 'Set number of lines on a screen', {
        next: [
          argument('lines', integer(0, 512), 'Number of lines, 0 for no pausing', {
            run: give((args) => ({ kind: 'terminal length', lines: args.number('lines') })),
          }),
        ],
      }),
      keyword('width', 'Set width of the display terminal', {
        next: [
          argument('columns', integer(0, 512), 'Number of characters, 0 for no limit', {
            run: give((args) => ({ kind: 'terminal width', columns: args.number('columns') })),
          }),
        ],
      }),
    ],
  }),
];

/** `terminal` of a shell means that terminal. */
const withoutTerminal = execCommands.filter((node) => node.words?.[0] !== 'terminal');

/** Privileged EXEC mode, `R1#`. */
export const privilegedCommands: ExecNode[] = mergeNodes([
  ...withoutTerminal,
  ...sessionNodes,
  keyword('configure', 'Change the configuration', {
    run: configure,
    next: [keyword('terminal', 'Configure from the terminal', { run: configure })],
  }),
]);

const userWords = new Set(['disable', 'enable', 'exit', 'logout', 'ping', 'quit', 'show', 'terminal', 'traceroute']);
const privilegedTopics = new Set(['archive', 'running-config', 'startup-config', 'tech-support']);

/** User EXEC mode, `R1>`: looks, and changes nothing. */
export const userCommands: ExecNode[] = privilegedCommands
  .filter((node) => userWords.has(node.words?.[0] ?? ''))
  .map((node) => {
    if (node.words?.[0] !== 'show') return node;
    const topics = node.next().filter((topic) => !privilegedTopics.has(topic.words?.[0] ?? ''));
    return { ...node, next: () => topics };
  });
