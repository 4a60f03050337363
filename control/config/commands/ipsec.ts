// crypto ipsec transform-set, crypto ipsec profile.
// Single DES is refused by verify unless it is permitted (ipsec-settings.ts).
// Does not: AH, encryption without integrity, volume lifetimes of profiles: each is refused where it is written.

import { integer, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import {
  type Config,
  type DhGroup,
  type EspAuthentication,
  type EspEncryption,
  type IpsecProfile,
  isCombinedMode,
  type TransformSet,
} from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path, refused } from '../tree.js';
import { groupChoices } from './crypto-map-ipsec.js';
import { printIpsecSettings } from './ipsec-settings.js';

type GlobalEdit = Edit<'config'>;

/** IOS: 120-2592000. Shorter ones are for tests of the change from one TEK to the next; verify warns about them. */
export const shortestTekLifetime = 20;
export const longestTekLifetime = 2592000;

function enterTransformSet(args: Args, { session, target }: GlobalEdit): void {
  const name = args.text('name');
  const encryption = args.optionalText('encryption') as EspEncryption | null;
  const authentication = args.optionalText('authentication') as EspAuthentication | null;
  if (encryption === null)
    throw new ConfigError('the transform set has no cipher', 'for integrity without encryption write esp-null esp-sha256-hmac');
  if (isCombinedMode(encryption) && authentication)
    throw new ConfigError(`${encryption.replace(/-(128|192|256)$/, '')} protects integrity itself: leave out ${authentication}`);
  if (!isCombinedMode(encryption) && !authentication) {
    throw new ConfigError('encryption without integrity protection is not supported', 'add esp-sha256-hmac');
  }
  const before = target.transformSets.get(name);
  const { mode, extended }: Partial<TransformSet> = before ?? {};
  const set: TransformSet = { line: session.line, name, encryption, authentication, mode: mode ?? 'tunnel', ...(extended && { extended }) };
  if (before && opening(before) !== opening(set)) session.forgetLinesIn([opening(before)]);
  session.mark(set, '');
  target.transformSets.set(name, set);
  session.enter('cfg-crypto-trans', set, opening(set));
}

/** Transforms in any order, each kind once: only the other kind is offered next. */
function transformNodes(has: { cipher: boolean; hmac: boolean }): Node<GlobalEdit>[] {
  const afterCipher = () => transformNodes({ ...has, cipher: true });
  const bits = (family: string) =>
    Object.fromEntries(
      [128, 192, 256].map((length): [string, [string, string]] => [String(length), [`${family}-${length}`, `${length} bit keys.`]]),
    );
  const sized = (family: string, help: string): Node<GlobalEdit> =>
    keyword(family, help, {
      set: ['encryption', `${family}-128`],
      run: enterTransformSet,
      next: () => [...choice<GlobalEdit>('encryption', bits(family), { run: enterTransformSet, next: afterCipher }), ...afterCipher()],
    });
  const ciphers: Node<GlobalEdit>[] = [
    keyword('esp-des', 'ESP transform using DES cipher (56 bits)', {
      set: ['encryption', 'esp-des'],
      run: enterTransformSet,
      next: afterCipher,
    }),
    keyword('esp-3des', 'ESP transform using 3DES(EDE) cipher (168 bits)', {
      set: ['encryption', 'esp-3des'],
      run: enterTransformSet,
      next: afterCipher,
    }),
    sized('esp-aes', 'ESP transform using AES cipher'),
    sized('esp-gcm', 'ESP transform using GCM cipher'),
    sized('esp-gmac', 'ESP transform using GMAC cipher'),
    keyword('esp-chacha20-poly1305', 'ESP transform using ChaCha20-Poly1305 (RFC 7634): between routers of this kind', {
      set: ['encryption', 'esp-chacha20-poly1305'],
      run: enterTransformSet,
      next: afterCipher,
    }),
    keyword('esp-null', 'ESP transform w/o cipher', { set: ['encryption', 'esp-null'], run: enterTransformSet, next: afterCipher }),
    refused('esp-seal', 'esp-seal is not supported', 'use esp-aes or esp-gcm'),
  ];
  const hmacs = choice<GlobalEdit>(
    'authentication',
    {
      'esp-md5-hmac': ['esp-md5-hmac', 'ESP transform using HMAC-MD5 auth'],
      'esp-sha-hmac': ['esp-sha-hmac', 'ESP transform using HMAC-SHA auth'],
      'esp-sha256-hmac': ['esp-sha256-hmac', 'ESP transform using HMAC-SHA256 auth'],
      'esp-sha384-hmac': ['esp-sha384-hmac', 'ESP transform using HMAC-SHA384 auth'],
      'esp-sha512-hmac': ['esp-sha512-hmac', 'ESP transform using HMAC-SHA512 auth'],
    },
    { run: enterTransformSet, next: () => transformNodes({ ...has, hmac: true }) },
  );
  const ah = ['ah-md5-hmac', 'ah-sha-hmac', 'ah-sha256-hmac', 'ah-sha384-hmac', 'ah-sha512-hmac'].map((name) =>
    refused<GlobalEdit>(name, 'AH is not supported', 'use ESP: esp-null esp-sha256-hmac protects integrity only'),
  );
  return [...(has.cipher ? [] : ciphers), ...(has.hmac ? [] : hmacs), ...ah];
}

export const transformSetCommands: Node<Edit<'cfg-crypto-trans'>>[] = [
  keyword('esn', 'extended Sequence number', {
    commit: true,
    run: (_, { session, target }) => {
      target.extended = true;
      session.mark(target, 'extended');
    },
    no: (_, { target }) => {
      delete target.extended;
    },
  }),
  keyword('mode', 'encapsulation mode (transport/tunnel)', {
    commit: true,
    no: (_, { session, target }) => {
      target.mode = 'tunnel';
      session.mark(target, 'mode');
    },
    next: choice(
      'mode',
      { transport: ['transport', 'transport (payload encapsulation) mode'], tunnel: ['tunnel', 'tunnel (datagram encapsulation) mode'] },
      {
        run: (args, { session, target }) => {
          target.mode = args.text('mode') as TransformSet['mode'];
          session.mark(target, 'mode');
        },
      },
    ),
  }),
];

function setPfs(group: DhGroup | null, { session, target }: Edit<'ipsec-profile'>): void {
  target.pfs = group;
  session.mark(target, 'pfs');
}

function setTransformSets(args: Args, { session, target }: Edit<'ipsec-profile'>): void {
  target.transformSets = [1, 2, 3, 4, 5, 6].map((n) => args.optionalText(`set${n}`)).filter((name) => name !== null);
  session.mark(target, 'transformSets');
}

/** Up to six names in order of preference, as on IOS. */
function setNames(n: number): Node<Edit<'ipsec-profile'>>[] {
  return n > 6 ? [] : [argument(`set${n}`, word(), 'Proposal tag', { run: setTransformSets, next: setNames(n + 1) })];
}

export const ipsecProfileCommands: Node<Edit<'ipsec-profile'>>[] = [
  keyword('set', 'Set values for encryption/decryption', {
    commit: true,
    next: [
      keyword('transform-set', 'Specify list of transform sets in priority order', {
        no: (_, { session, target }) => {
          target.transformSets = [];
          session.mark(target, 'transformSets');
        },
        next: setNames(1),
      }),
      path(
        [['security-association', 'Security association parameters']],
        [
          keyword('lifetime', 'Security association lifetime', {
            next: [
              keyword('seconds', 'Time-based key duration', {
                no: (_, { session, target }) => {
                  target.lifetimeSeconds = null;
                  session.mark(target, 'lifetimeSeconds');
                },
                next: [
                  argument('lifetime', integer(shortestTekLifetime, longestTekLifetime), 'Security association duration in seconds', {
                    run: (args, { session, target }) => {
                      target.lifetimeSeconds = args.number('lifetime');
                      session.mark(target, 'lifetimeSeconds');
                    },
                  }),
                ],
              }),
              refused(
                'kilobytes',
                'lifetimes by volume are not supported: a group key has many senders (RFC 6407 has none either)',
                'use lifetime seconds',
              ),
            ],
          }),
        ],
      ),
      keyword('pfs', 'Specify pfs settings', {
        run: (_, edit) => setPfs(1, edit),
        no: (_, edit) => setPfs(null, edit),
        next: choice('group', groupChoices, { run: (args, edit) => setPfs(args.number('group') as DhGroup, edit) }),
      }),
      refused('isakmp-profile', 'isakmp profiles are not supported yet'),
      refused('identity', 'set identity is not supported yet'),
    ],
  }),
];

function enterProfile(args: Args, { session, target }: GlobalEdit): void {
  const name = args.text('name');
  let profile = target.ipsecProfiles.get(name);
  if (!profile) {
    profile = { line: session.line, name, transformSets: [], lifetimeSeconds: null, pfs: null };
    session.mark(profile, '');
    target.ipsecProfiles.set(name, profile);
  }
  session.enter('ipsec-profile', profile, `crypto ipsec profile ${name}`);
}

export const ipsecCommands: Node<GlobalEdit>[] = [
  path(
    [
      ['crypto', 'Encryption module'],
      ['ipsec', 'Configure IPSEC policy'],
    ],
    [
      keyword('transform-set', 'Define transform and settings', {
        commit: true,
        next: [
          argument('name', word(), 'Transform set tag', {
            no: (args, { session, target }) => {
              const set = target.transformSets.get(args.text('name'));
              if (!set) return session.warnAbsent(`crypto ipsec transform-set ${args.text('name')}`);
              session.forgetLinesIn([opening(set)]);
              target.transformSets.delete(set.name);
            },
            next: () => transformNodes({ cipher: false, hmac: false }),
          }),
        ],
      }),
      keyword('profile', 'Configure an ipsec policy profile', {
        commit: true,
        next: [
          argument('name', word(), 'Name of this profile', {
            run: enterProfile,
            no: (args, { session, target }) => {
              if (!target.ipsecProfiles.delete(args.text('name'))) return session.warnAbsent(`crypto ipsec profile ${args.text('name')}`);
              session.forgetLinesIn([`crypto ipsec profile ${args.text('name')}`]);
            },
          }),
        ],
      }),
    ],
  ),
];

/** `esp-aes 256 esp-sha-hmac`, as IOS writes it. */
export function describeTransforms({ encryption, authentication }: TransformSet): string {
  const dash = encryption.lastIndexOf('-');
  const sized = /^esp-(aes|gcm|gmac)-/.test(encryption);
  const bits = encryption.slice(dash + 1);
  const cipher = sized ? `${encryption.slice(0, dash)}${bits === '128' ? '' : ` ${bits}`}` : encryption;
  return authentication === null ? cipher : `${cipher} ${authentication}`;
}

function opening(set: TransformSet): string {
  return `crypto ipsec transform-set ${set.name} ${describeTransforms(set)}`;
}

function printProfile(profile: IpsecProfile): Block {
  return block(
    `crypto ipsec profile ${profile.name}`,
    profile.lifetimeSeconds !== null && `set security-association lifetime seconds ${profile.lifetimeSeconds}`,
    profile.transformSets.length > 0 && `set transform-set ${profile.transformSets.join(' ')}`,
    profile.pfs !== null && `set pfs group${profile.pfs}`,
  );
}

export function printIpsec(config: Config): Block[] {
  const sets = [...config.transformSets.values()].map((set) => block(opening(set), `mode ${set.mode}`, set.extended === true && 'esn'));
  return [...printIpsecSettings(config), ...sets, ...[...config.ipsecProfiles.values()].map(printProfile)];
}
