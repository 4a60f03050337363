// crypto key generate rsa: an exec command that IOS takes in configuration mode and never stores. The same words serve both trees.

import { integer, word } from '../arguments.js';
import type { Edit } from '../session.js';
import { type Action, type Args, argument, keyword, type Node, path } from '../tree.js';

/** Modulus when none is given: IOS asks; 2048 is what it proposes today. */
export const DefaultModulus = 2048;
/** IOS: 360-4096. Below 1024 a key can be factored by an amateur, so it is not made. */
const modulusBits = integer(1024, 4096);

export interface KeyRequest {
  /** null = the router's own name, `hostname.domain`. */
  label: string | null;
  modulus: number;
  exportable: boolean;
}

export function readKeyRequest(args: Args): KeyRequest {
  return {
    label: args.optionalText('label'),
    modulus: args.optionalNumber('modulus') ?? DefaultModulus,
    exportable: args.has('exportable'),
  };
}

/** `crypto key generate rsa [general-keys] [label L] [modulus N] [exportable]`, options in any order. */
export function generateKeyNodes<C>(run: Action<C>): Node<C> {
  const next = (): Node<C>[] => options;
  const options: Node<C>[] = [
    keyword('exportable', 'Allow the key to be exported', { set: ['exportable', 1], once: true, run, next }),
    keyword('general-keys', 'Generate a general purpose RSA key pair for signing and encryption', {
      set: ['general', 1],
      once: true,
      run,
      next,
    }),
    keyword('label', 'Provide a label', { once: true, next: [argument('label', word(), 'RSA keypair label', { run, next })] }),
    keyword('modulus', 'Provide number of modulus bits on the command line', {
      once: true,
      next: [argument('modulus', modulusBits, 'size of the key modulus', { run, next })],
    }),
  ];
  return path(
    [
      ['key', 'Long term key operations'],
      ['generate', 'Generate new keys'],
    ],
    [keyword('rsa', 'Generate RSA keys', { commit: true, run, next })],
  );
}

export const keyGlobalCommands: Node<Edit<'config'>>[] = [
  path(
    [['crypto', 'Encryption module']],
    [
      generateKeyNodes<Edit<'config'>>((args, { session }) => {
        const { modulus } = readKeyRequest(args);
        if (modulus < 2048)
          session.warn(`an RSA key of ${modulus} bits is weak`, 'modulus 2048 or more, as far as every member can verify it');
        session.execLines.push({ line: session.line, text: session.text });
      }),
    ],
  ),
];
