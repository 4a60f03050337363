// Exec commands of the configuration's life: write, copy, configure replace | confirm | revert, reload check, and what shows it.

import { integer, word } from './arguments.js';
import { type ExecNode, give, show } from './exec-node.js';
import { argument, keyword, path } from './tree.js';

export type LifecycleCommand =
  | { kind: 'write' }
  /** `minutes`: rolled back then unless confirmed; null = for good. `file: null` is the startup configuration. */
  | { kind: 'configure replace'; file: string | null; minutes: number | null }
  | { kind: 'configure confirm' }
  | { kind: 'configure revert' }
  | { kind: 'reload check'; file: string | null };

/** Topics that control answers with text, because they are not in the snapshot. */
export type LifecycleTopic = { topic: 'startup-config' } | { topic: 'archive config differences' };

const write = give(() => ({ kind: 'write' }));

/** `startup-config` or a file's name, in IOS's spelling or ours. */
export function fileOf(text: string): string | null {
  return text === 'startup-config' || text === 'nvram:startup-config' ? null : text;
}

const replace = give((args) => ({ kind: 'configure replace', file: fileOf(args.text('file')), minutes: args.optionalNumber('minutes') }));

const replaceNode: ExecNode = keyword('replace', 'Replace the running configuration as a whole', {
  next: [
    argument('file', word(1024), 'File, or startup-config', {
      run: replace,
      next: () => [
        keyword('force', 'Do not ask (nothing is ever asked here)', { run: replace }),
        keyword('time', 'Roll back unless confirmed', { next: [argument('minutes', integer(1, 120), 'Minutes', { run: replace })] }),
      ],
    }),
  ],
});

export const lifecycleNodes: ExecNode[] = [
  keyword('configure', 'Change the configuration', {
    next: [
      replaceNode,
      keyword('confirm', 'Keep what configure replace ... time put in force', { run: give(() => ({ kind: 'configure confirm' })) }),
      path(
        [['revert', 'Go back before the time is over, and forget lines that wait']],
        [keyword('now', 'At once', { run: give(() => ({ kind: 'configure revert' })) })],
      ),
    ],
  }),
  keyword('copy', 'Copy from one file to another', {
    next: [
      path(
        [['running-config|system:running-config', 'Current operating configuration']],
        [keyword('startup-config|nvram:startup-config', 'What the router starts with', { run: write })],
      ),
    ],
  }),
  path(
    [
      ['reload', 'Reload the configuration'],
      ['check', 'Tell what a file would change, and change nothing'],
    ],
    [
      argument('file', word(1024), 'File, or startup-config', {
        run: give((args) => ({ kind: 'reload check', file: fileOf(args.text('file')) })),
      }),
    ],
  ),
  keyword('write', 'Save the running configuration', {
    run: write,
    next: [keyword('memory', 'To the startup configuration', { run: write })],
  }),
];

export const lifecycleTopics: ExecNode[] = [
  path(
    [
      ['archive', 'Configuration archive'],
      ['config', 'Configuration'],
    ],
    [
      keyword('differences', 'From the startup to the running configuration', {
        run: show(() => ({ topic: 'archive config differences' })),
      }),
    ],
  ),
  keyword('startup-config', 'What the router starts with', { run: show(() => ({ topic: 'startup-config' })) }),
];
