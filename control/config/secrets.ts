// Takes secrets out of configuration lines before anybody sees them: problems, logs, `show running-config`.
// Works on any line, known or not, abbreviated or misspelt, because a line that is wrong is exactly the one that gets shown.

import { splitWords } from './lexer.js';

export const Removed = '<removed>';

/** Longest text that a problem carries. */
const MaxShown = 160;

/** Keywords after which IOS commands put a secret: enable secret, username ... password, snmp-server community, key-string, pre-shared-key. */
const beforeSecret = new Set([
  'password',
  'secret',
  'key',
  'key-string',
  'pre-shared-key',
  'community',
  'md5',
  'sha',
  'authentication-key',
  'message-digest-key',
  'passphrase',
  'shared-secret',
  'server-key',
  'wpa-psk',
]);

/** Words of `crypto isakmp ...` that are no key; anything else in their place is taken for a misspelt `key`. */
const plainIsakmp = [
  'policy',
  'keepalive',
  'profile',
  'invalid-spi-recovery',
  'identity',
  'enable',
  'aggressive-mode',
  'client',
  'nat',
  'peer',
  'fragmentation',
];

function isPrefix(text: string | undefined, of: string, least = 1): boolean {
  return text !== undefined && text.length >= least && of.startsWith(text.toLowerCase());
}

/** Columns of the secret part of a line. @returns null when it has none */
function findSecret(text: string): { from: number; to: number } | null {
  const words = splitWords(text);
  const first = words[0]?.text.toLowerCase() === 'no' ? 1 : 0;
  const at = (index: number): string | undefined => words[first + index]?.text;
  if (isPrefix(at(0), 'crypto', 2)) {
    if (isPrefix(at(1), 'isakmp', 2)) {
      const command = at(2);
      if (command === undefined || (!isPrefix(command, 'key') && plainIsakmp.some((word) => isPrefix(command, word)))) return null;
      const key = words[first + 3];
      if (!key) return null;
      const end = words.findIndex(
        (word, index) => index > first + 3 && (isPrefix(word.text, 'address', 2) || isPrefix(word.text, 'hostname', 2)),
      );
      return { from: key.column, to: end < 0 ? text.length : words[end - 1].column + words[end - 1].text.length };
    }
    if (isPrefix(at(1), 'key') || isPrefix(at(1), 'keyring') || isPrefix(at(1), 'ipsec', 2)) return null;
  }
  // `authentication md5`, `hash sha` and the like have nothing behind the word.
  const marker = words.findIndex((word, index) => index < words.length - 1 && beforeSecret.has(word.text.toLowerCase()));
  return marker < 0 ? null : { from: words[marker + 1].column, to: text.length };
}

export function hasSecret(text: string): boolean {
  return findSecret(text) !== null;
}

/** The line with `<removed>` in place of its secret. Only the first line of a banner is looked at. */
export function maskSecrets(text: string): string {
  const secret = findSecret(text);
  return secret === null ? text : `${text.slice(0, secret.from)}${Removed}${text.slice(secret.to)}`;
}

/** A line as problems show it: masked, one line, not longer than fits a terminal. */
export function shownLine(text: string): string {
  const end = text.indexOf('\n');
  const masked = maskSecrets(end < 0 ? text.slice(0, 8192) : text.slice(0, Math.min(end, 8192)));
  let shown = '';
  for (const character of masked.slice(0, MaxShown)) {
    const code = character.charCodeAt(0);
    shown += code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  }
  // Counted as it is shown: a control character takes four.
  return masked.length > MaxShown || shown.length > MaxShown ? `${shown.slice(0, MaxShown)}...` : shown;
}
