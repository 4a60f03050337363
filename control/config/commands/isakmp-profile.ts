// What stands in a crypto isakmp profile besides keyring, addresses and aggressive mode (keyring.ts): match identity host|user, self-identity, keepalive.
// Does not: match identity group, certificate maps, VRFs, client authentication, virtual templates.

import { integer, word } from '../arguments.js';
import type { IsakmpProfile } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, keyword, type Node } from '../tree.js';

type ProfileEdit = Edit<'conf-isa-prof'>;
type MatchName = NonNullable<IsakmpProfile['matchNames']>[number];

function addName(kind: MatchName['kind']): (args: Args, edit: ProfileEdit) => void {
  return (args, { session, target }) => {
    const name = args.text('name');
    const others = (target.matchNames ?? []).filter((other) => other.kind !== kind || other.name !== name);
    target.matchNames = [...others, { kind, name }];
    session.mark(target, 'matchNames');
  };
}

function removeName(kind: MatchName['kind']): (args: Args, edit: ProfileEdit) => void {
  return (args, { session, target }) => {
    const name = args.text('name');
    const kept = (target.matchNames ?? []).filter((other) => other.kind !== kind || other.name !== name);
    if (kept.length === (target.matchNames ?? []).length) session.warnAbsent(`match identity ${matchText({ kind, name })}`);
    if (kept.length > 0) target.matchNames = kept;
    else delete target.matchNames;
  };
}

function nameNodes(kind: 'host' | 'user', help: string): Node<ProfileEdit>[] {
  const domain = `${kind}-domain` as const;
  return [
    keyword('domain', 'A domain name', {
      next: [argument('name', word(253), 'Name of the domain', { run: addName(domain), no: removeName(domain) })],
    }),
    argument('name', word(253), help, { run: addName(kind), no: removeName(kind) }),
  ];
}

/** Behind `match identity`. */
export const matchNameNodes: Node<ProfileEdit>[] = [
  keyword('host', 'Match identity FQDN', { next: nameNodes('host', 'Fully qualified domain name of the host') }),
  keyword('user', 'Match identity user FQDN', { next: nameNodes('user', 'user@domain') }),
];

function setIdentity(read: (args: Args) => NonNullable<IsakmpProfile['selfIdentity']>): (args: Args, edit: ProfileEdit) => void {
  return (args, { session, target }) => {
    target.selfIdentity = read(args);
    session.mark(target, 'selfIdentity');
  };
}

function setKeepalive(args: Args, { session, target }: ProfileEdit): void {
  target.keepalive = { seconds: args.number('seconds'), retrySeconds: args.number('retry'), mode: 'on-demand' };
  session.mark(target, 'keepalive');
}

export const profileIdentityCommands: Node<ProfileEdit>[] = [
  keyword('self-identity', 'Specify identity to use', {
    commit: true,
    no: (_, { target }) => {
      delete target.selfIdentity;
    },
    next: [
      keyword('address', 'Use local IP address', { run: setIdentity(() => ({ kind: 'address' })) }),
      keyword('fqdn', 'Use Fully Qualified Domain Name', {
        run: setIdentity(() => ({ kind: 'fqdn', name: null })),
        next: [argument('name', word(253), 'The name', { run: setIdentity((args) => ({ kind: 'fqdn', name: args.text('name') })) })],
      }),
      keyword('user-fqdn', 'Use user Fully Qualified Domain Name', {
        next: [
          argument('name', word(253), 'user@domain', { run: setIdentity((args) => ({ kind: 'user-fqdn', name: args.text('name') })) }),
        ],
      }),
    ],
  }),
  keyword('keepalive', 'Set a keepalive interval for use with IOS peers', {
    commit: true,
    no: (_, { target }) => {
      delete target.keepalive;
    },
    next: [
      argument('seconds', integer(10, 3600), 'Number of seconds between keep alives', {
        next: [
          keyword('retry', 'Retry interval', {
            next: [argument('retry', integer(2, 60), 'Number of seconds between retries if keepalive fails', { run: setKeepalive })],
          }),
        ],
      }),
    ],
  }),
];

function matchText({ kind, name }: MatchName): string {
  return `${kind.replace('-', ' ')} ${name}`;
}

/** Lines of a profile. */
export function printProfileIdentity({ matchNames = [], selfIdentity, keepalive }: IsakmpProfile): (string | false)[] {
  const own =
    selfIdentity && [selfIdentity.kind, 'name' in selfIdentity ? selfIdentity.name : null].filter((word) => word !== null).join(' ');
  return [
    ...matchNames.map((item) => `match identity ${matchText(item)}`),
    own !== undefined && `self-identity ${own}`,
    keepalive !== undefined && `keepalive ${keepalive.seconds} retry ${keepalive.retrySeconds}`,
  ];
}
