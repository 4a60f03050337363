// `debug crypto gdoi [gm|ks] [FEATURE] [LEVEL]`, `debug crypto isakmp|ipsec`, `no debug ...`, `undebug ...`, `undebug all`: the grammar. What they do: control/debug.ts.

import { type Args, keyword, type Node, path } from './tree.js';

/** What is not GDOI's. */
export type CryptoDebugTopic = 'isakmp' | 'ipsec';
export type DebugRole = 'gm' | 'ks';
export const debugFeatures = ['acls', 'infrastructure', 'registration', 'rekey', 'replay'] as const;
export type DebugFeature = (typeof debugFeatures)[number];
/** Each includes those in front of it. */
export const debugLevels = ['error', 'terse', 'event', 'detail', 'packet'] as const;
export type DebugLevel = (typeof debugLevels)[number];

export interface DebugSelection {
  roles: DebugRole[];
  features: DebugFeature[];
  level: DebugLevel;
}

/** What a line without a level shows. */
const DefaultLevel: DebugLevel = 'event';

function selectionOf(args: Args): DebugSelection {
  const role = args.optionalText('role') as DebugRole | null;
  const feature = args.optionalText('feature');
  return {
    roles: role === null ? ['gm', 'ks'] : [role],
    features: feature === null || feature === 'all-features' ? [...debugFeatures] : [feature as DebugFeature],
    level: (args.optionalText('level') ?? DefaultLevel) as DebugLevel,
  };
}

const featureHelp: Record<DebugFeature, string> = {
  acls: 'Policy and keys',
  infrastructure: 'IKE below the group',
  registration: 'Registrations (GROUPKEY-PULL)',
  rekey: 'Rekeys (GROUPKEY-PUSH) and their acknowledgements',
  replay: 'Replayed rekeys',
};
const levelHelp: Record<DebugLevel, string> = {
  error: 'Errors',
  terse: 'Errors and what is rare',
  event: 'Events too',
  detail: 'Details too',
  packet: 'Each message too',
};

/** @param done called with what the line selects; for `all`, with null */
export function debugNodes<C>(done: (selection: DebugSelection | null, context: C) => void): Node<C>[] {
  const run = (args: Args, context: C): void => done(selectionOf(args), context);
  const levels = [
    ...debugLevels.map((level) => keyword<C>(level, levelHelp[level], { set: ['level', level], run })),
    keyword<C>('all-levels', 'All of them', { set: ['level', 'packet'], run }),
  ];
  const feature = (name: string, help: string) => keyword<C>(name, help, { set: ['feature', name], run, next: levels });
  const features = [feature('all-features', 'All features'), ...debugFeatures.map((name) => feature(name, featureHelp[name]))];
  const role = (name: DebugRole, help: string) => keyword<C>(name, help, { set: ['role', name], run, next: features });
  const roles = [role('gm', 'As group member'), role('ks', 'As key server')];
  return [path([['crypto', 'Encryption module']], [keyword('gdoi|gkm', 'GDOI', { run, next: [...roles, ...features] })])];
}

/** `crypto isakmp|ipsec`, behind all of them. */
export function debugCryptoNode<C>(done: (topic: CryptoDebugTopic, context: C) => void): Node<C> {
  return path(
    [['crypto', 'Encryption module']],
    [
      keyword('isakmp', 'ISAKMP key management', { run: (_, context) => done('isakmp', context) }),
      keyword('ipsec', 'IPSEC processing', { run: (_, context) => done('ipsec', context) }),
    ],
  );
}

/** Behind `no debug` and `undebug`. */
export function undebugNodes<C>(done: (selection: DebugSelection | null, context: C) => void): Node<C>[] {
  return [...debugNodes(done), keyword('all', 'Everything', { run: (_, context) => done(null, context) })];
}
