// crypto isakmp policy, crypto isakmp key: IKE phase 1. Defaults are those of IOS: DES, SHA-1, RSA signatures, group 1, one day.
// Does not: key 6 (encrypted with a master key), keyrings, isakmp profiles, keepalives.

import { AllOnes, formatIpv4, maskToPrefixLength } from '../addresses.js';
import { integer, ipv4, word } from '../arguments.js';
import { type Block, block, type PrintOptions } from '../blocks.js';
import type { Config, DhGroup, IkeCipher, IkeHash, IsakmpKey, IsakmpPolicy } from '../model.js';
import { Removed } from '../secrets.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path, refused } from '../tree.js';

type PolicyEdit = Edit<'config-isakmp'>;

export function defaultPolicy(priority: number, line: number): IsakmpPolicy {
  return { line, priority, encryption: 'des', hash: 'sha', authentication: 'rsa-sig', group: 1, lifetimeSeconds: 86400 };
}

/** One setting of a policy: read from the arguments when given, the IOS default for `no`. */
function setting<K extends keyof IsakmpPolicy>(field: K, read: (args: Args) => IsakmpPolicy[K]) {
  return {
    run(args: Args, { session, target }: PolicyEdit): void {
      target[field] = read(args);
      session.mark(target, field);
    },
    no(_: Args, { session, target }: PolicyEdit): void {
      target[field] = defaultPolicy(target.priority, 0)[field];
      session.mark(target, field);
    },
  };
}

const encryption = setting('encryption', (args) => args.text('encryption') as IkeCipher);
const hash = setting('hash', (args) => args.text('hash') as IkeHash);
const authentication = setting('authentication', (args) => args.text('authentication') as IsakmpPolicy['authentication']);
const group = setting('group', (args) => args.number('group') as DhGroup);
const lifetime = setting('lifetimeSeconds', (args) => args.number('lifetime'));

const aesBits = choice<PolicyEdit>(
  'encryption',
  {
    128: ['aes-128', '128 bit keys.'],
    192: ['aes-192', '192 bit keys.'],
    256: ['aes-256', '256 bit keys.'],
  },
  { run: encryption.run },
);

export const isakmpPolicyCommands: Node<PolicyEdit>[] = [
  keyword('encr|encryption', 'Set encryption algorithm for protection suite', {
    commit: true,
    no: encryption.no,
    next: [
      keyword('3des', 'Three key triple DES', { set: ['encryption', '3des'], run: encryption.run }),
      keyword('aes', 'AES - Advanced Encryption Standard.', { set: ['encryption', 'aes-128'], run: encryption.run, next: aesBits }),
      keyword('des', 'DES - Data Encryption Standard (56 bit keys).', { set: ['encryption', 'des'], run: encryption.run }),
    ],
  }),
  keyword('hash', 'Set hash algorithm for protection suite', {
    commit: true,
    no: hash.no,
    next: choice(
      'hash',
      {
        md5: ['md5', 'Message Digest 5'],
        sha: ['sha', 'Secure Hash Standard'],
        sha256: ['sha256', 'Secure Hash Standard 2 (256 bit)'],
        sha384: ['sha384', 'Secure Hash Standard 2 (384 bit)'],
        sha512: ['sha512', 'Secure Hash Standard 2 (512 bit)'],
      },
      { run: hash.run },
    ),
  }),
  keyword('authentication', 'Set authentication method for protection suite', {
    commit: true,
    no: authentication.no,
    next: [
      ...choice(
        'authentication',
        { 'pre-share': ['pre-share', 'Pre-Shared Key'], 'rsa-sig': ['rsa-sig', 'Rivest-Shamir-Adleman Signature'] },
        { run: authentication.run },
      ),
      refused('rsa-encr', 'authentication rsa-encr is not supported', 'use pre-share'),
    ],
  }),
  keyword('group', 'Set the Diffie-Hellman group', {
    commit: true,
    no: group.no,
    next: [
      ...choice(
        'group',
        {
          1: [1, 'Diffie-Hellman group 1 (768 bit)'],
          14: [14, 'Diffie-Hellman group 14 (2048 bit)'],
          15: [15, 'Diffie-Hellman group 15 (3072 bit)'],
          16: [16, 'Diffie-Hellman group 16 (4096 bit)'],
          19: [19, 'Diffie-Hellman group 19 (256 bit ecp)'],
          2: [2, 'Diffie-Hellman group 2 (1024 bit)'],
          20: [20, 'Diffie-Hellman group 20 (384 bit ecp)'],
          21: [21, 'Diffie-Hellman group 21 (521 bit ecp)'],
          5: [5, 'Diffie-Hellman group 5 (1536 bit)'],
        },
        { run: group.run },
      ),
      refused('24', 'Diffie-Hellman group 24 is not supported', 'RFC 8247 advises against it; use group 14, 19 or 20'),
    ],
  }),
  keyword('lifetime', 'Set lifetime for ISAKMP security association', {
    commit: true,
    no: lifetime.no,
    next: [argument('lifetime', integer(60, 86400), 'lifetime in seconds', { run: lifetime.run })],
  }),
];

function enterPolicy(args: Args, { session, target }: Edit<'config'>): void {
  const priority = args.number('priority');
  let policy = target.isakmpPolicies.find((other) => other.priority === priority);
  if (!policy) {
    policy = defaultPolicy(priority, session.line);
    target.isakmpPolicies.push(policy);
    target.isakmpPolicies.sort((a, b) => a.priority - b.priority);
    session.mark(policy, '');
  }
  session.enter('config-isakmp', policy, `crypto isakmp policy ${priority}`);
}

function removePolicy(args: Args, { session, target }: Edit<'config'>): void {
  const priority = args.number('priority');
  const at = target.isakmpPolicies.findIndex((policy) => policy.priority === priority);
  if (at < 0) {
    session.warnAbsent(`crypto isakmp policy ${priority}`);
    return;
  }
  target.isakmpPolicies.splice(at, 1);
  session.forgetLinesIn([`crypto isakmp policy ${priority}`]);
}

function readPeer(args: Args): { address: number; mask: number } {
  const mask = args.optionalNumber('mask') ?? (args.number('address') === 0 ? 0 : AllOnes);
  if (maskToPrefixLength(mask) === null)
    throw new ConfigError(`${formatIpv4(mask)} is not a network mask`, 'ones on the left, zeros on the right: 255.255.255.0');
  return { address: (args.number('address') & mask) >>> 0, mask };
}

function addKey(args: Args, { session, target }: Edit<'config'>): void {
  const { address, mask } = readPeer(args);
  const entry: IsakmpKey = { line: session.line, key: args.text('key'), address, mask };
  session.mark(entry, '');
  const at = target.isakmpKeys.findIndex((other) => other.address === address && other.mask === mask);
  if (at < 0) target.isakmpKeys.push(entry);
  else {
    if (target.isakmpKeys[at].key !== entry.key)
      session.warn(`replaces the key for the same address on line ${target.isakmpKeys[at].line}`);
    target.isakmpKeys[at] = entry;
  }
}

function removeKey(args: Args, { session, target }: Edit<'config'>): void {
  const { address, mask } = readPeer(args);
  const at = target.isakmpKeys.findIndex((other) => other.address === address && other.mask === mask);
  if (at < 0) session.warnAbsent(`a key for ${formatIpv4(address)}`);
  else target.isakmpKeys.splice(at, 1);
}

// XAUTH is never asked for here, so `no-xauth` holds as it stands and need not be kept.
const noXauth = keyword<Edit<'config'>>('no-xauth', 'Bypasses XAuth for this peer', { run: addKey, no: removeKey });
const keyAddress: Node<Edit<'config'>>[] = [
  keyword('address', 'define shared key with IP address', {
    next: [
      argument('address', ipv4, 'Peer IP address', {
        run: addKey,
        no: removeKey,
        next: [argument('mask', ipv4, 'Peer IP subnet mask', { run: addKey, no: removeKey, next: [noXauth] }), noXauth],
      }),
      refused('ipv6', 'IPv6 peers are not supported'),
    ],
  }),
  refused('hostname', 'crypto isakmp key ... hostname is not supported', 'name the peer by its address: main mode knows nothing else yet'),
];
/** As long as IOS allows. */
const keyText = word(128);

export const isakmpCommands: Node<Edit<'config'>>[] = [
  path(
    [
      ['crypto', 'Encryption module'],
      ['isakmp', 'Configure ISAKMP policy'],
    ],
    [
      keyword('policy', 'Set policy for an ISAKMP protection suite', {
        commit: true,
        next: [argument('priority', integer(1, 10000), 'Priority of protection suite', { run: enterPolicy, no: removePolicy })],
      }),
      keyword('key', 'Long term key operations', {
        commit: true,
        next: [
          keyword('0', 'Specifies an UNENCRYPTED password will follow', {
            next: [argument('key', keyText, 'The UNENCRYPTED (cleartext) user password', { next: keyAddress })],
          }),
          refused(
            '6',
            'keys encrypted with a master key (type 6) are not supported',
            'write the key in the clear: crypto isakmp key KEY address A',
          ),
          argument('key', keyText, 'The UNENCRYPTED (cleartext) user password', { next: keyAddress }),
        ],
      }),
    ],
  ),
];

function printPolicy(policy: IsakmpPolicy): Block {
  const plain = defaultPolicy(policy.priority, 0);
  const bits = policy.encryption.startsWith('aes-') && policy.encryption !== 'aes-128' ? ` ${policy.encryption.slice(4)}` : '';
  return block(
    `crypto isakmp policy ${policy.priority}`,
    policy.encryption !== plain.encryption && `encr ${policy.encryption.startsWith('aes') ? `aes${bits}` : policy.encryption}`,
    policy.hash !== plain.hash && `hash ${policy.hash}`,
    policy.authentication !== plain.authentication && `authentication ${policy.authentication}`,
    policy.group !== plain.group && `group ${policy.group}`,
    policy.lifetimeSeconds !== plain.lifetimeSeconds && `lifetime ${policy.lifetimeSeconds}`,
  );
}

export function printIsakmp(config: Config, options: PrintOptions): Block[] {
  const keys = config.isakmpKeys.map(({ key, address, mask }) => {
    const shown = options.secrets ? `${key === '0' || key === '6' ? '0 ' : ''}${key}` : Removed;
    const usual = mask === (address === 0 ? 0 : AllOnes);
    return block(`crypto isakmp key ${shown} address ${formatIpv4(address)}${usual ? '' : ` ${formatIpv4(mask)}`}`);
  });
  const { identity } = config.isakmp;
  const settings = identity === 'address' ? [] : [block(`crypto isakmp identity ${identity}`)];
  return [...config.isakmpPolicies.map(printPolicy), ...settings, ...keys];
}
