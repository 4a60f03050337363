// crypto gdoi group: its identity, and either the key servers to register with or `server local`.
// Does not: IPv6 groups, GIKEv2, the other `client ...` settings.

import { formatIpv4 } from '../addresses.js';
import { integer, interfaceName, ipv4, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, GdoiGroup } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path } from '../tree.js';
import { defaultServer, printServer } from './gdoi-server.js';

type GroupEdit = Edit<'config-gdoi-group'>;

/** As on IOS. */
const MaxServers = 8;

function setIdentity(read: (args: Args) => GdoiGroup['identity']): (args: Args, edit: GroupEdit) => void {
  return (args, { session, target }) => {
    target.identity = read(args);
    session.mark(target, 'identity');
  };
}

function addServer(args: Args, { session, target }: GroupEdit): void {
  const address = args.number('address');
  if (target.serverAddresses.includes(address)) {
    session.warn(`server address ${formatIpv4(address)} is there already`);
    return;
  }
  if (target.serverAddresses.length === MaxServers) throw new ConfigError(`a group has at most ${MaxServers} key servers`);
  target.serverAddresses.push(address);
  session.mark(target, `server ${address}`);
}

function removeServer(args: Args, { session, target }: GroupEdit): void {
  const at = target.serverAddresses.indexOf(args.number('address'));
  if (at < 0) session.warnAbsent(`server address ${formatIpv4(args.number('address'))}`);
  else target.serverAddresses.splice(at, 1);
}

/** `client registration interface IF`. */
const clientCommands: Node<GroupEdit>[] = [
  path(
    [['registration', 'Registration with the key server']],
    [
      keyword('interface', 'Interface that registrations come from', {
        no: (_, { session, target }) => {
          delete target.registrationInterface;
          session.mark(target, 'registrationInterface');
        },
        next: [
          argument('interface', interfaceName, 'Interface name', {
            run: (args, { session, target }) => {
              target.registrationInterface = args.text('interface');
              session.mark(target, 'registrationInterface');
            },
          }),
        ],
      }),
    ],
  ),
];

export const gdoiGroupCommands: Node<GroupEdit>[] = [
  keyword('client', 'Settings of the group member', { next: clientCommands }),
  keyword('identity', 'Identity of the group', {
    commit: true,
    no: setIdentity(() => null),
    next: [
      keyword('number', 'Identity number', {
        next: [
          argument('number', integer(0, 2147483647), 'Identity number', {
            run: setIdentity((args) => ({ kind: 'number', number: args.number('number') })),
          }),
        ],
      }),
      path(
        [
          ['address', 'Identity address'],
          ['ipv4', 'IPv4 address'],
        ],
        [
          argument('address', ipv4, 'Identity address', {
            run: setIdentity((args) => ({ kind: 'address', address: args.number('address') })),
          }),
        ],
      ),
    ],
  }),
  keyword('passive', 'Encrypt, and accept what comes in the clear too', {
    commit: true,
    run: (_, { session, target }) => {
      target.passive = true;
      session.mark(target, 'passive');
    },
    no: (_, { target }) => {
      target.passive = false;
    },
  }),
  keyword('server', 'Key server of the group', {
    commit: true,
    next: [
      path(
        [
          ['address', 'Address of a key server'],
          ['ipv4', 'IPv4 address'],
        ],
        [argument('address', ipv4, 'Key server address', { run: addServer, no: removeServer })],
      ),
      keyword('local', 'This router is the key server', {
        run: (_, { session, target }) => {
          if (!target.server) {
            target.server = defaultServer(session.line);
            session.mark(target.server, '');
          }
          session.enter('gdoi-local-server', target.server, 'server local');
        },
        no: (_, { session, target }) => {
          if (!target.server) return session.warnAbsent('server local');
          target.server = null;
          session.forgetLinesIn([...session.frame.path, 'server local']);
        },
      }),
    ],
  }),
];

function enterGroup(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  let group = target.gdoiGroups.get(name);
  if (!group) {
    group = { line: session.line, name, identity: null, serverAddresses: [], passive: false, server: null };
    session.mark(group, '');
    target.gdoiGroups.set(name, group);
  }
  session.enter('config-gdoi-group', group, `crypto gdoi group ${name}`);
}

function removeGroup(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  if (!target.gdoiGroups.delete(name)) {
    session.warnAbsent(`crypto gdoi group ${name}`);
    return;
  }
  session.forgetLinesIn([`crypto gdoi group ${name}`]);
}

export const gdoiCommands: Node<Edit<'config'>>[] = [
  path(
    [
      ['crypto', 'Encryption module'],
      ['gdoi|gkm', 'Configure GDOI policy'],
    ],
    [
      keyword('group', 'Configure a GDOI group', {
        commit: true,
        next: [argument('name', word(80), 'Group name', { run: enterGroup, no: removeGroup })],
      }),
    ],
  ),
];

function printIdentity(identity: NonNullable<GdoiGroup['identity']>): string {
  return identity.kind === 'number' ? `identity number ${identity.number}` : `identity address ipv4 ${formatIpv4(identity.address)}`;
}

export function printGdoi(config: Config): Block[] {
  return [...config.gdoiGroups.values()].map((group) =>
    block(
      `crypto gdoi group ${group.name}`,
      group.identity && printIdentity(group.identity),
      group.serverAddresses.map((address) => block(`server address ipv4 ${formatIpv4(address)}`)),
      group.passive && 'passive',
      group.registrationInterface !== undefined && `client registration interface ${group.registrationInterface}`,
      group.server && printServer(group.server),
    ),
  );
}
