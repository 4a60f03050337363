// Exec commands about trustpoints: crypto pki authenticate, enroll, crl request; show crypto pki certificates, crls, trustpoints.

import { word } from '../arguments.js';
import { type Action, type Args, argument, keyword, type Node } from '../tree.js';

const topics = {
  certificates: 'crypto pki certificates',
  crls: 'crypto pki crls',
  trustpoints: 'crypto pki trustpoints',
} as const;

export type PkiTopic = { topic: (typeof topics)[keyof typeof topics]; trustpoint: string | null };
export type PkiRequest = { action: 'authenticate' | 'enroll' | 'crl request'; trustpoint: string };

const trustpointName = word(40);

/** @param give makes the action of a topic */
export function pkiTopicNodes<C>(give: (read: (args: Args) => PkiTopic) => Action<C>): Node<C>[] {
  const node = (name: keyof typeof topics, help: string): Node<C> => {
    const run = give((args) => ({ topic: topics[name], trustpoint: args.optionalText('trustpoint') }));
    return keyword(name, help, { run, next: [argument('trustpoint', trustpointName, 'Trustpoint Name', { run })] });
  };
  return [
    node('certificates', 'Show certificates'),
    node('crls', 'Show Certificate Revocation Lists'),
    node('trustpoints', 'Show trustpoints'),
  ];
}

/** @param give makes the action of a request */
export function pkiRequestNodes<C>(give: (read: (args: Args) => PkiRequest) => Action<C>): Node<C>[] {
  const named = (action: PkiRequest['action']): Node<C>[] => [
    argument('trustpoint', trustpointName, 'Trustpoint Name', { run: give((args) => ({ action, trustpoint: args.text('trustpoint') })) }),
  ];
  return [
    keyword('authenticate', 'Get the CA certificate', { next: named('authenticate') }),
    keyword('crl', 'Actions on certificate revocation lists', {
      next: [keyword('request', 'Request the CRL', { next: named('crl request') })],
    }),
    keyword('enroll', 'Request a certificate from a CA', { next: named('enroll') }),
  ];
}
