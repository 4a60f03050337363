// crypto ipsec df-bit and crypto ipsec fragmentation: the same words for all interfaces, and for one, which goes before. crypto ipsec path-mtu-discovery (groupwire) of an
// interface.

import type { DfBit } from '../../../dataplane/tables/message.js';
import type { CutOrder } from '../model.js';
import type { Edit } from '../session.js';
import { keyword, type Node } from '../tree.js';

/** What both kinds of `crypto ipsec` hold. Absent: what IOS does without the line, DF copied (RFC 4301 §8.1) and cut before encryption; on an interface what is set for all. */
interface Settings {
  dfBit?: DfBit;
  fragmentation?: CutOrder;
}

type Place = 'config' | 'config-if';

const dfHelp: Record<DfBit, string> = {
  clear: 'Clear DF bit from outer IP header of an IPsec tunnel',
  copy: 'Copy DF bit from inner to outer header of an IPsec tunnel',
  set: 'Set DF bit in outer IP header of an IPsec tunnel',
};
const orderHelp: Record<CutOrder, string> = {
  'after-encryption': 'Perform fragmentation of large packets after IPsec encryption',
  'before-encryption': 'Perform fragmentation of large packets before IPsec encryption',
};

/** @param settingsOf where an edit's lines go */
function nodesOf<P extends Place>(settingsOf: (edit: Edit<P>) => Settings): Node<Edit<P>>[] {
  function one<K extends keyof Settings>(field: K, value: NonNullable<Settings[K]>, words: string, help: string): Node<Edit<P>> {
    return keyword(words, help, {
      run: (_, edit) => {
        const settings: Settings = settingsOf(edit);
        settings[field] = value;
        edit.session.mark(settings, field);
      },
      no: remove(field),
    });
  }
  function remove(field: keyof Settings): (_: unknown, edit: Edit<P>) => void {
    return (_, edit) => {
      delete settingsOf(edit)[field];
    };
  }
  return [
    keyword('df-bit', 'Handling of encapsulated DF bit.', {
      commit: true,
      no: remove('dfBit'),
      next: (['clear', 'copy', 'set'] as const).map((bit) => one('dfBit', bit, bit, dfHelp[bit])),
    }),
    keyword('fragmentation', 'Handling of fragmentation of near-MTU sized packets', {
      commit: true,
      no: remove('fragmentation'),
      next: (['after-encryption', 'before-encryption'] as const).map((order) => one('fragmentation', order, order, orderHelp[order])),
    }),
  ];
}

export const ipsecFragmentationNodes = nodesOf<'config'>(({ target }) => target.ipsec);
const noSearch = (_: unknown, { target }: Edit<'config-if'>): void => {
  delete target.searchPathMtu;
};
export const ipsecFragmentationInterfaceNodes: Node<Edit<'config-if'>>[] = [
  ...nodesOf<'config-if'>(({ target }) => target),
  keyword('path-mtu-discovery', 'Path MTU discovery of what is encrypted (groupwire)', {
    commit: true,
    no: noSearch,
    next: [
      keyword('probe', 'Without ICMP, by probes that other groupwire routers answer (RFC 8899)', {
        run: (_, { session, target }) => {
          target.searchPathMtu = true;
          session.mark(target, 'searchPathMtu');
        },
        no: noSearch,
      }),
    ],
  }),
];

/** Lines without `crypto ipsec` are none: what is absent is not printed. */
export function printIpsecFragmentation({ dfBit, fragmentation, searchPathMtu }: Settings & { searchPathMtu?: true }): string[] {
  return [
    ...(dfBit === undefined ? [] : [`crypto ipsec df-bit ${dfBit}`]),
    ...(fragmentation === undefined ? [] : [`crypto ipsec fragmentation ${fragmentation}`]),
    ...(searchPathMtu ? ['crypto ipsec path-mtu-discovery probe'] : []),
  ];
}
