// crypto identity NAME: a list of IKE identities, for `authorization identity` of a key server. One that fits is enough.

import { restOfLine, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { formatDistinguishedName, NameError, parseDistinguishedName } from '../distinguished-name.js';
import type { Config } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';

type IdentityEdit = Edit<'config-crypto-identity'>;

function opening(name: string): string {
  return `crypto identity ${name}`;
}

function enterIdentity(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  let identity = target.identities.get(name);
  if (!identity) {
    identity = { line: session.line, name, fqdns: [], dns: [] };
    session.mark(identity, '');
    target.identities.set(name, identity);
  }
  session.enter('config-crypto-identity', identity, opening(name));
}

function removeIdentity(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  if (target.identities.delete(name)) session.forgetLinesIn([opening(name)]);
  else session.warnAbsent(opening(name));
}

export const identityGlobalCommands: Node<Edit<'config'>>[] = [
  path(
    [['crypto', 'Encryption module']],
    [
      keyword('identity', 'Enter a crypto identity list', {
        commit: true,
        next: [argument('name', word(), 'Identity list tag', { run: enterIdentity, no: removeIdentity })],
      }),
    ],
  ),
];

function readName(args: Args): string {
  try {
    return formatDistinguishedName(parseDistinguishedName(args.text('dn')));
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    throw new ConfigError(error.message, 'dn CN=r1.example.net,O=Lab');
  }
}

export const identityCommands: Node<IdentityEdit>[] = [
  keyword('fqdn', 'Fully qualified domain name of the peer, or a domain that it is in', {
    commit: true,
    next: [
      argument('fqdn', word(), 'Host or domain name', {
        run: (args, { session, target }) => {
          const fqdn = args.text('fqdn').toLowerCase();
          if (!target.fqdns.includes(fqdn)) target.fqdns.push(fqdn);
          session.mark(target, `fqdn ${fqdn}`);
        },
        no: (args, { session, target }) => {
          const at = target.fqdns.indexOf(args.text('fqdn').toLowerCase());
          if (at < 0) session.warnAbsent(`fqdn ${args.text('fqdn')}`);
          else target.fqdns.splice(at, 1);
        },
      }),
    ],
  }),
  keyword('dn', 'Attributes of the distinguished name of the peer', {
    commit: true,
    next: [
      argument('dn', restOfLine(), 'CN=r1.example.net,O=Lab: all of them, in any order', {
        run: (args, { session, target }) => {
          const dn = readName(args);
          if (!target.dns.includes(dn)) target.dns.push(dn);
          session.mark(target, `dn ${dn}`);
        },
        no: (args, { session, target }) => {
          const at = target.dns.indexOf(readName(args));
          if (at < 0) session.warnAbsent(`dn ${args.text('dn')}`);
          else target.dns.splice(at, 1);
        },
      }),
    ],
  }),
  refused('description', 'description of a crypto identity is not supported'),
];

export function printIdentities(config: Config): Block[] {
  return [...config.identities.values()].map(({ name, fqdns, dns }) =>
    block(
      opening(name),
      fqdns.map((fqdn) => block(`fqdn ${fqdn}`)),
      dns.map((dn) => block(`dn ${dn}`)),
    ),
  );
}
