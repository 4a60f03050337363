// What IOS XE (17.7 and later) calls its compliance shield, as far as single DES goes (there it is for other old ciphers, hashes and groups too, and needs a reload);
// global settings of SAs: crypto ipsec security-association lifetime, replay; df-bit and fragmentation (ipsec-fragmentation.ts). Does not: idle-time,
// multi-sn: each is refused where it is written.

import { type Block, block } from '../blocks.js';
import { defaultIpsec } from '../empty.js';
import type { Config, IpsecSettings } from '../model.js';
import type { Edit } from '../session.js';
import { argument, choice, keyword, type Node, path, refused } from '../tree.js';
import { kilobytes, seconds } from './crypto-map-ipsec.js';
import { ipsecFragmentationNodes, printIpsecFragmentation } from './ipsec-fragmentation.js';

type ConfigEdit = Edit<'config'>;

/** What IOS takes. */
const windows = [64, 128, 256, 512, 1024];

function set<K extends keyof IpsecSettings>(field: K, value: IpsecSettings[K], { session, target }: ConfigEdit): void {
  target.ipsec[field] = value;
  session.mark(target.ipsec, field);
}

function reset(field: keyof IpsecSettings): (_: unknown, edit: ConfigEdit) => void {
  return (_, edit) => set(field, defaultIpsec()[field], edit);
}

const lifetimeNodes: Node<ConfigEdit>[] = [
  keyword('kilobytes', 'Volume-based key duration', {
    no: reset('lifetimeKilobytes'),
    next: [
      argument('kilobytes', kilobytes, 'Security association duration in kilobytes', {
        run: (args, edit) => set('lifetimeKilobytes', args.number('kilobytes'), edit),
        no: reset('lifetimeKilobytes'),
      }),
      keyword('disable', 'Disable volume-based rekey', { run: (_, edit) => set('lifetimeKilobytes', 'disable', edit) }),
    ],
  }),
  keyword('seconds', 'Time-based key duration', {
    no: reset('lifetimeSeconds'),
    next: [
      argument('seconds', seconds, 'Security association duration in seconds', {
        run: (args, edit) => set('lifetimeSeconds', args.number('seconds'), edit),
        no: reset('lifetimeSeconds'),
      }),
    ],
  }),
];

const windowChoices = Object.fromEntries(
  windows.map((size): [string, [number, string]] => [String(size), [size, `Window size of ${size}`]]),
);

const replayNodes: Node<ConfigEdit>[] = [
  keyword('disable', 'Disable replay checking', { run: (_, edit) => set('replayWindow', 0, edit), no: reset('replayWindow') }),
  keyword('window-size', 'Set replay window size.', {
    no: reset('replayWindow'),
    next: choice('window', windowChoices, {
      run: (args, edit) => set('replayWindow', args.number('window'), edit),
      no: reset('replayWindow'),
    }),
  }),
];

export const ipsecSettingCommands: Node<ConfigEdit>[] = [
  path(
    [
      ['crypto', 'Encryption module'],
      ['engine', 'Crypto engine'],
      ['compliance', 'Compliance of ciphers'],
      ['shield', 'Refuse ciphers that anybody can break'],
    ],
    [
      keyword('disable', 'Permit single DES in transform sets', {
        commit: true,
        run: (_, edit) => set('shield', false, edit),
        no: reset('shield'),
      }),
    ],
  ),
  path(
    [
      ['crypto', 'Encryption module'],
      ['ipsec', 'Configure IPSEC policy'],
    ],
    [
      keyword('security-association', 'Security association parameters', {
        commit: true,
        next: [
          keyword('lifetime', 'Security association lifetime', { next: lifetimeNodes }),
          keyword('replay', 'Set replay checking.', { next: replayNodes }),
          refused('esn', 'esn is a matter of the transform set, as on IOS XE', 'crypto ipsec transform-set NAME ..., then esn'),
          refused('idle-time', 'crypto ipsec security-association idle-time is not supported yet'),
          refused('multi-sn', 'crypto ipsec security-association multi-sn is not supported'),
        ],
      }),
      ...ipsecFragmentationNodes,
    ],
  ),
];

export function printIpsecSettings({ ipsec }: Config): Block[] {
  const { lifetimeSeconds, lifetimeKilobytes, replayWindow, shield } = ipsec;
  const before = defaultIpsec();
  const head = 'crypto ipsec security-association';
  return [
    ...(shield ? [] : [block('crypto engine compliance shield disable')]),
    ...(lifetimeKilobytes === before.lifetimeKilobytes ? [] : [block(`${head} lifetime kilobytes ${lifetimeKilobytes}`)]),
    ...(lifetimeSeconds === before.lifetimeSeconds ? [] : [block(`${head} lifetime seconds ${lifetimeSeconds}`)]),
    ...(replayWindow === before.replayWindow
      ? []
      : [block(`${head} replay ${replayWindow === 0 ? 'disable' : `window-size ${replayWindow}`}`)]),
    ...printIpsecFragmentation(ipsec).map((line) => block(line)),
  ];
}
