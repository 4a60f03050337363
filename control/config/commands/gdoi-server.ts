// crypto gdoi group / server local and its sa ipsec: what a key server hands out and how it renews it.
// Does not: COOP redundancy, Cisco's unpublished acknowledgement.
// Defaults are those of IOS: rekeys with 3DES and SHA-1, one day, retransmitted twice after 10 s each, replay window 64.
// The default acknowledgement is ours: `any`, for IOS's own (cisco) is unpublished.

import { formatIpv4 } from '../addresses.js';
import { integer, ipv4, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { GdoiServer } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path, refused } from '../tree.js';
import { authorizationCommand } from './gdoi-authorization.js';
import { enterSa, printSa, removeSa } from './gdoi-sa.js';
import { deactivationCommand, printServerOptions, signatureEncodingCommand, sizeCommand } from './gdoi-server-options.js';

type ServerEdit = Edit<'gdoi-local-server'>;

export function defaultServer(line: number): GdoiServer {
  return {
    line,
    rekeyEncryption: '3des',
    rekeySignatureHash: 'sha',
    rekeyLifetimeSeconds: 86400,
    rekeyRetransmitSeconds: 10,
    rekeyRetransmitNumber: 2,
    rekeyAuthentication: null,
    rekeyTransport: 'multicast',
    rekeyAcknowledgement: 'any',
    address: null,
    authorizationAcl: null,
    authorizationIdentity: null,
    receiveOnly: false,
    sas: new Map(),
  };
}

function setting<K extends keyof GdoiServer>(field: K, read: (args: Args) => GdoiServer[K]) {
  return {
    run(args: Args, { session, target }: ServerEdit): void {
      target[field] = read(args);
      session.mark(target, field);
    },
    no(_: Args, { session, target }: ServerEdit): void {
      target[field] = defaultServer(0)[field];
      session.mark(target, field);
    },
  };
}

const encryption = setting('rekeyEncryption', (args) => args.text('encryption') as GdoiServer['rekeyEncryption']);
const signatureHash = setting('rekeySignatureHash', (args) => args.text('hash') as GdoiServer['rekeySignatureHash']);
const lifetime = setting('rekeyLifetimeSeconds', (args) => args.number('lifetime'));
const authentication = setting('rekeyAuthentication', (args) => args.text('label'));
const transport = setting('rekeyTransport', () => 'unicast');
const acknowledgement = setting('rekeyAcknowledgement', (args) => args.text('acknowledgement') as GdoiServer['rekeyAcknowledgement']);
const receiveOnly = setting('receiveOnly', () => true);
const address = setting('address', (args) => args.number('address'));

function setRetransmit(args: Args, { session, target }: ServerEdit): void {
  target.rekeyRetransmitSeconds = args.number('seconds');
  target.rekeyRetransmitNumber = args.optionalNumber('number') ?? defaultServer(0).rekeyRetransmitNumber;
  session.mark(target, 'rekeyRetransmit');
}

const aesBits = choice<ServerEdit>(
  'encryption',
  { 128: ['aes-128', '128 bit keys.'], 192: ['aes-192', '192 bit keys.'], 256: ['aes-256', '256 bit keys.'] },
  { run: encryption.run },
);

const rekeyCommands: Node<ServerEdit>[] = [
  keyword('acknowledgement', 'Acknowledgement of rekeys', {
    no: acknowledgement.no,
    next: [
      ...choice(
        'acknowledgement',
        {
          any: ['any', 'Any acknowledgement this key server knows'],
          interoperable: ['interoperable', 'GROUPKEY-PUSH acknowledgement of RFC 8263'],
        },
        { run: acknowledgement.run },
      ),
      refused('cisco', "Cisco's rekey acknowledgement is unpublished and not supported", 'use interoperable (RFC 8263) or any'),
    ],
  }),
  keyword('address', 'Where multicast rekeys go', {
    no: (_, { session, target }) => {
      delete target.rekeyAddress;
      session.mark(target, 'rekeyAddress');
    },
    next: [
      path(
        [['ipv4', 'IPv4 access list that names the multicast address']],
        [
          argument('list', word(), 'Access list name or number', {
            run: (args, { session, target }) => {
              target.rekeyAddress = args.text('list');
              session.mark(target, 'rekeyAddress');
            },
          }),
        ],
      ),
    ],
  }),
  keyword('algorithm', 'Rekey encryption algorithm', {
    no: encryption.no,
    next: [
      keyword('3des', 'Three key triple DES', { set: ['encryption', '3des'], run: encryption.run }),
      keyword('aes', 'AES - Advanced Encryption Standard.', { next: aesBits }),
      keyword('des', 'DES - Data Encryption Standard (56 bit keys).', { set: ['encryption', 'des'], run: encryption.run }),
    ],
  }),
  keyword('authentication', 'Identify rekey authentication keypair', {
    no: authentication.no,
    next: [
      path(
        [
          ['mypubkey', 'The public key of this router'],
          ['rsa', 'RSA key pair'],
        ],
        [argument('label', word(), 'Label of the RSA key pair', { run: authentication.run })],
      ),
    ],
  }),
  deactivationCommand,
  keyword('lifetime', 'Rekey lifetime', {
    no: lifetime.no,
    next: [
      path(
        [['seconds', 'Lifetime of the rekey key in seconds']],
        // IOS: 300-86400. From 60 here: a lab that shows the change of the KEK need not wait for five minutes, and the change
        // itself (retransmissions included) takes well under a minute.
        [argument('lifetime', integer(60, 86400), 'Lifetime in seconds', { run: lifetime.run })],
      ),
      refused('days', 'rekey lifetimes in days (long SA lifetime) are not supported yet', 'use rekey lifetime seconds, at most 86400'),
    ],
  }),
  keyword('retransmit', 'Rekey retransmission', {
    no: (_, { session, target }) => {
      const plain = defaultServer(0);
      target.rekeyRetransmitSeconds = plain.rekeyRetransmitSeconds;
      target.rekeyRetransmitNumber = plain.rekeyRetransmitNumber;
      session.mark(target, 'rekeyRetransmit');
    },
    next: [
      argument('seconds', integer(10, 60), 'Time between retransmissions in seconds', {
        run: setRetransmit,
        next: [
          keyword('number', 'Number of retransmissions', {
            next: [argument('number', integer(1, 10), 'Number of retransmissions', { run: setRetransmit })],
          }),
          refused('periodic', 'periodic rekey retransmission is not supported yet', 'use rekey retransmit SECONDS number N'),
        ],
      }),
    ],
  }),
  keyword('sig-hash', 'Hash of the rekey signature', {
    no: signatureHash.no,
    next: [
      path(
        [['algorithm', 'Rekey signature hash algorithm']],
        choice(
          'hash',
          {
            sha: ['sha', 'Secure Hash Standard'],
            sha256: ['sha256', 'Secure Hash Standard 2 (256 bit)'],
            sha384: ['sha384', 'Secure Hash Standard 2 (384 bit)'],
            sha512: ['sha512', 'Secure Hash Standard 2 (512 bit)'],
          },
          { run: signatureHash.run },
        ),
      ),
    ],
  }),
  signatureEncodingCommand,
  keyword('transport', 'Rekey transport type', { no: transport.no, next: [keyword('unicast', 'Unicast rekey', { run: transport.run })] }),
];

export const localServerCommands: Node<ServerEdit>[] = [
  keyword('address', 'Source address of rekeys', {
    commit: true,
    next: [
      keyword('ipv4', 'IPv4 address', { no: address.no, next: [argument('address', ipv4, 'Local IPv4 address', { run: address.run })] }),
    ],
  }),
  authorizationCommand,
  sizeCommand,
  keyword('rekey', 'Rekey policy', { commit: true, next: rekeyCommands }),
  refused('redundancy', 'COOP key servers are not supported yet'),
  keyword('sa', 'Security association of the group', {
    commit: true,
    next: [
      keyword('ipsec', 'IPsec security association', {
        next: [argument('sequence', integer(1, 65535), 'Sequence number', { run: enterSa, no: removeSa })],
      }),
      keyword('receive-only', 'Members encrypt nothing and accept both', { run: receiveOnly.run, no: receiveOnly.no }),
    ],
  }),
];

export function printServer(server: GdoiServer): Block {
  const plain = defaultServer(0);
  const usualRetransmit =
    server.rekeyRetransmitSeconds === plain.rekeyRetransmitSeconds && server.rekeyRetransmitNumber === plain.rekeyRetransmitNumber;
  return block(
    'server local',
    server.rekeyEncryption !== plain.rekeyEncryption && `rekey algorithm ${server.rekeyEncryption.replace('-', ' ')}`,
    server.rekeySignatureHash !== plain.rekeySignatureHash && `rekey sig-hash algorithm ${server.rekeySignatureHash}`,
    server.rekeyLifetimeSeconds !== plain.rekeyLifetimeSeconds && `rekey lifetime seconds ${server.rekeyLifetimeSeconds}`,
    !usualRetransmit && `rekey retransmit ${server.rekeyRetransmitSeconds} number ${server.rekeyRetransmitNumber}`,
    server.rekeyAuthentication !== null && `rekey authentication mypubkey rsa ${server.rekeyAuthentication}`,
    printServerOptions(server),
    server.rekeyAddress !== undefined && `rekey address ipv4 ${server.rekeyAddress}`,
    server.rekeyTransport === 'unicast' && 'rekey transport unicast',
    server.rekeyAcknowledgement !== plain.rekeyAcknowledgement && `rekey acknowledgement ${server.rekeyAcknowledgement}`,
    server.authorizationAcl !== null && `authorization address ipv4 ${server.authorizationAcl}`,
    server.authorizationIdentity !== null && `authorization identity ${server.authorizationIdentity}`,
    [...server.sas.values()].map(printSa),
    server.receiveOnly && 'sa receive-only',
    server.address !== null && `address ipv4 ${formatIpv4(server.address)}`,
  );
}
