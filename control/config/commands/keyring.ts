// crypto keyring, crypto isakmp profile, crypto isakmp aggressive-mode: pre-shared keys apart from the global ones, and which peers they are for.
// Aggressive mode is off unless `no crypto isakmp aggressive-mode disable` is configured; IOS has it on (RFC 2409 §5.4 lets a stranger take
// home a hash of the key, to guess at).
// More of profiles: isakmp-profile.ts.

import { AllOnes, formatIpv4, maskToPrefixLength } from '../addresses.js';
import { ipv4, word } from '../arguments.js';
import { type Block, block, type PrintOptions } from '../blocks.js';
import type { Config, IsakmpKey, IsakmpProfile, Keyring } from '../model.js';
import { Removed } from '../secrets.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { matchNameNodes, printProfileIdentity, profileIdentityCommands } from './isakmp-profile.js';

type KeyringEdit = Edit<'config-keyring'>;
type ProfileEdit = Edit<'conf-isa-prof'>;

function readPeer(args: Args): { address: number; mask: number } {
  const mask = args.optionalNumber('mask') ?? (args.number('address') === 0 ? 0 : AllOnes);
  if (maskToPrefixLength(mask) === null)
    throw new ConfigError(`${formatIpv4(mask)} is not a network mask`, 'ones on the left, zeros on the right: 255.255.255.0');
  return { address: (args.number('address') & mask) >>> 0, mask };
}

/** An address as it is printed, with its mask when that is not the usual one. */
function formatPeer({ address, mask }: Pick<IsakmpKey, 'address' | 'mask'>): string {
  return `${formatIpv4(address)}${mask === (address === 0 ? 0 : AllOnes) ? '' : ` ${formatIpv4(mask)}`}`;
}

/** Puts in place of the one for the same peer, or at the end. */
function replace<T>(list: T[], item: T, same: (other: T) => boolean): void {
  const at = list.findIndex(same);
  if (at < 0) list.push(item);
  else list[at] = item;
}

function addKey(args: Args, { session, target }: KeyringEdit): void {
  const peer = readPeer(args);
  const samePeer = (other: IsakmpKey): boolean => other.address === peer.address && other.mask === peer.mask;
  replace(target.keys, { line: session.line, key: args.text('key'), ...peer }, samePeer);
}

function removeKey(args: Args, { target }: KeyringEdit): void {
  const { address, mask } = readPeer(args);
  target.keys = target.keys.filter((other) => other.address !== address || other.mask !== mask);
}

function addHostKey(args: Args, { session, target }: KeyringEdit): void {
  const hostname = args.text('hostname');
  replace(target.hostKeys, { line: session.line, hostname, key: args.text('key') }, (other) => other.hostname === hostname);
}

function removeHostKey(args: Args, { target }: KeyringEdit): void {
  target.hostKeys = target.hostKeys.filter((other) => other.hostname !== args.text('hostname'));
}

/** `key [0] K`, at the end of a line. */
function keyNodes(run: (args: Args, edit: KeyringEdit) => void): Node<KeyringEdit> {
  const text = argument<KeyringEdit>('key', word(128), 'The UNENCRYPTED (cleartext) pre-shared key', { run });
  return keyword('key', 'specify the key', {
    next: [
      keyword('0', 'Specifies an UNENCRYPTED key will follow', { next: [text] }),
      refused('6', 'keys encrypted with a master key (type 6) are not supported', 'write the key in the clear'),
      text,
    ],
  });
}

export const keyringCommands: Node<KeyringEdit>[] = [
  keyword('pre-shared-key', 'specify a pre-shared key', {
    commit: true,
    next: [
      keyword('address', 'define shared key with IP address', {
        next: [
          argument('address', ipv4, 'Peer IP address', {
            no: removeKey,
            next: [argument('mask', ipv4, 'Peer IP subnet mask', { no: removeKey, next: [keyNodes(addKey)] }), keyNodes(addKey)],
          }),
        ],
      }),
      keyword('hostname', 'define shared key with hostname', {
        next: [argument('hostname', word(253), 'Peer hostname', { no: removeHostKey, next: [keyNodes(addHostKey)] })],
      }),
    ],
  }),
];

const aggressive =
  (on: boolean) =>
  (_: Args, { session, target }: ProfileEdit) => {
    target.initiateAggressive = on;
    session.mark(target, 'initiateAggressive');
  };

function matchAddress(args: Args, { session, target }: ProfileEdit): void {
  const peer = readPeer(args);
  replace(target.matchAddresses, peer, (other) => other.address === peer.address && other.mask === peer.mask);
  session.mark(target, 'matchAddresses');
}

function unmatchAddress(args: Args, { target }: ProfileEdit): void {
  const { address, mask } = readPeer(args);
  target.matchAddresses = target.matchAddresses.filter((other) => other.address !== address || other.mask !== mask);
}

export const profileCommands: Node<ProfileEdit>[] = [
  ...profileIdentityCommands,
  keyword('keyring', 'Specify keyring to use', {
    commit: true,
    no: (_, { target }) => {
      target.keyring = null;
    },
    next: [
      argument('keyring', word(80), 'Keyring name', {
        run: (args, { session, target }) => {
          target.keyring = args.text('keyring');
          session.mark(target, 'keyring');
        },
      }),
    ],
  }),
  keyword('match', 'Match values of peer', {
    commit: true,
    next: [
      keyword('identity', 'Match peer identity', {
        next: [
          keyword('address', 'IP Address(es)', {
            next: [
              argument('address', ipv4, 'IP address', {
                run: matchAddress,
                no: unmatchAddress,
                next: [argument('mask', ipv4, 'specify mask', { run: matchAddress, no: unmatchAddress })],
              }),
            ],
          }),
          ...matchNameNodes,
          refused('group', 'match identity group is not supported'),
        ],
      }),
      refused('certificate', 'match certificate is not supported'),
    ],
  }),
  keyword('initiate', 'Initiator properties', {
    commit: true,
    next: [
      keyword('mode', 'Mode to initiate', {
        no: aggressive(false),
        next: [keyword('aggressive', 'Initiate aggressive mode', { run: aggressive(true) })],
      }),
    ],
  }),
];

function enterKeyring(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const keyring: Keyring = target.keyrings.get(name) ?? { line: session.line, name, keys: [], hostKeys: [] };
  if (!target.keyrings.has(name)) session.mark(keyring, '');
  target.keyrings.set(name, keyring);
  session.enter('config-keyring', keyring, `crypto keyring ${name}`);
}

function enterProfile(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const fresh: IsakmpProfile = { line: session.line, name, keyring: null, matchAddresses: [], initiateAggressive: false };
  const profile = target.isakmpProfiles.get(name) ?? fresh;
  if (profile === fresh) session.mark(profile, '');
  target.isakmpProfiles.set(name, profile);
  session.enter('conf-isa-prof', profile, `crypto isakmp profile ${name}`);
}

function remove(of: (config: Config) => Map<string, unknown>, words: string) {
  return (args: Args, { session, target }: Edit<'config'>): void => {
    const name = args.text('name');
    if (!of(target).delete(name)) session.warnAbsent(`${words} ${name}`);
    session.forgetLinesIn([`${words} ${name}`]);
  };
}

const setAggressive =
  (on: boolean) =>
  (_: Args, { session, target }: Edit<'config'>) => {
    target.isakmp.aggressiveMode = on;
    session.mark(target.isakmp, 'aggressiveMode');
  };

export const keyringGlobalCommands: Node<Edit<'config'>>[] = [
  path(
    [['crypto', 'Encryption module']],
    [
      keyword('keyring', 'Key ring commands', {
        commit: true,
        next: [
          argument('name', word(80), 'Name of Key ring', { run: enterKeyring, no: remove((config) => config.keyrings, 'crypto keyring') }),
        ],
      }),
      path(
        [['isakmp', 'Configure ISAKMP policy']],
        [
          keyword('aggressive-mode', 'Aggressive mode', {
            commit: true,
            next: [keyword('disable', 'Disable ISAKMP aggressive mode', { run: setAggressive(false), no: setAggressive(true) })],
          }),
          keyword('profile', 'Define ISAKMP Profiles', {
            commit: true,
            next: [
              argument('name', word(80), 'Name of ISAKMP profile', {
                run: enterProfile,
                no: remove((config) => config.isakmpProfiles, 'crypto isakmp profile'),
              }),
            ],
          }),
        ],
      ),
    ],
  ),
];

/** `0` in front of a key that would be read as a type. */
function shownKey(key: string, { secrets }: PrintOptions): string {
  return secrets ? `${key === '0' || key === '6' ? '0 ' : ''}${key}` : Removed;
}

export function printKeyrings({ keyrings, isakmpProfiles, isakmp }: Config, options: PrintOptions): Block[] {
  return [
    ...[...keyrings.values()].map(({ name, keys, hostKeys }) =>
      block(
        `crypto keyring ${name}`,
        ...keys.map((item) => `pre-shared-key address ${formatPeer(item)} key ${shownKey(item.key, options)}`),
        ...hostKeys.map(({ hostname, key }) => `pre-shared-key hostname ${hostname} key ${shownKey(key, options)}`),
      ),
    ),
    ...[...isakmpProfiles.values()].map((profile) =>
      block(
        `crypto isakmp profile ${profile.name}`,
        profile.keyring !== null && `keyring ${profile.keyring}`,
        ...profile.matchAddresses.map((peer) => `match identity address ${formatPeer(peer)}`),
        ...printProfileIdentity(profile),
        profile.initiateAggressive && 'initiate mode aggressive',
      ),
    ),
    ...(isakmp.aggressiveMode ? [block('no crypto isakmp aggressive-mode disable')] : []),
  ];
}
