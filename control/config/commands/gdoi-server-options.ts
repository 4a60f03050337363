// Of a key server what is not by default, and two settings that IOS does not have: how large the group is, how rekeys are signed, when
// members drop what a rekey replaced.

import { integer } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { GdoiServer } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path } from '../tree.js';

type ServerEdit = Edit<'gdoi-local-server'>;

/** A field that is absent by default. */
function optional<K extends 'senderIdBits' | 'rekeySignatureEncoding' | 'rekeyDeactivationSeconds'>(
  field: K,
  read: (args: Args) => GdoiServer[K],
) {
  const set = (value: GdoiServer[K], { session, target }: ServerEdit): void => {
    if (value === undefined) delete target[field];
    else target[field] = value;
    session.mark(target, field);
  };
  return {
    run: (args: Args, edit: ServerEdit): void => set(read(args), edit),
    no: (_: Args, edit: ServerEdit): void => set(undefined, edit),
  };
}

/** As on IOS: small is 8, 12 or 16 bits, medium 24, large 32. */
const groupSize = optional('senderIdBits', (args) => {
  const bits = args.number('bits');
  return bits === 24 ? undefined : (bits as GdoiServer['senderIdBits']);
});
const sizeNodes: Node<ServerEdit>[] = [
  keyword('small', 'Few members: 256 with 8 bits (the default), 4096 with 12, 65,536 with 16', {
    set: ['bits', 8],
    run: groupSize.run,
    next: choice('bits', { 8: [8, '8 bits'], 12: [12, '12 bits'], 16: [16, '16 bits'] }, { run: groupSize.run }),
  }),
  keyword('medium', '24 bits, the default', { set: ['bits', 24], run: groupSize.run }),
  keyword('large', '32 bits', { set: ['bits', 32], run: groupSize.run }),
];
const signatureEncoding = optional('rekeySignatureEncoding', (args) => (args.text('encoding') === 'raw' ? 'raw' : undefined));
const deactivation = optional('rekeyDeactivationSeconds', (args) => args.number('deactivation'));

export const sizeCommand: Node<ServerEdit> = path(
  [['group', 'Size of the group']],
  [keyword('size', 'Number of sender identifiers', { commit: true, no: groupSize.no, next: sizeNodes })],
);

// Not IOS: RFC 6407 §5.4.1 has it and names no command.
export const deactivationCommand: Node<ServerEdit> = keyword('deactivation-delay', 'When members drop what a rekey replaced', {
  no: deactivation.no,
  next: [argument('deactivation', integer(10, 65535), 'Seconds after the rekey', { run: deactivation.run })],
});

// Not IOS, which has one form and does not say which.
export const signatureEncodingCommand: Node<ServerEdit> = keyword('signature-encoding', 'What the RSA signature of a rekey is made over', {
  no: signatureEncoding.no,
  next: choice(
    'encoding',
    { 'digest-info': ['digest-info', 'DigestInfo (RFC 6407 5.3.6)'], 'raw-hash': ['raw', 'The hash alone'] },
    { run: signatureEncoding.run },
  ),
});

export function printServerOptions(server: GdoiServer): Block[] {
  const lines = [
    server.rekeySignatureEncoding !== undefined && 'rekey signature-encoding raw-hash',
    server.rekeyDeactivationSeconds !== undefined && `rekey deactivation-delay ${server.rekeyDeactivationSeconds}`,
    server.senderIdBits !== undefined && `group size ${server.senderIdBits === 32 ? 'large' : `small ${server.senderIdBits}`}`,
  ];
  return lines.flatMap((line) => (line ? [block(line)] : []));
}
