// What is asked of the SAs between gateways and of phase 1: `show crypto ipsec sa [peer A|interface IF] [detail]`, `clear crypto sa`, `clear crypto isakmp`,
// `clear crypto session`.

import { integer, interfaceName, ipv4 } from './arguments.js';
import { detailNode, type ExecNode, give, show } from './exec-node.js';
import { argument, keyword } from './tree.js';

const showSas = show((args) => ({
  topic: 'crypto ipsec sa',
  detail: args.has('detail'),
  peer: args.optionalNumber('peer'),
  interface: args.optionalText('interface'),
}));

/** Behind `show crypto ipsec`. */
export const showIpsecSaNode: ExecNode = keyword('sa', 'IPSEC SA table', {
  run: showSas,
  next: [
    keyword('peer', 'Show SAs with one peer', {
      next: [argument('peer', ipv4, 'Address of the peer', { run: showSas, next: [detailNode(showSas)] })],
    }),
    keyword('interface', 'Show SAs of one interface', {
      next: [argument('interface', interfaceName, 'Interface name', { run: showSas, next: [detailNode(showSas)] })],
    }),
    detailNode(showSas),
  ],
});

const clearSas = give((args) => ({ kind: 'clear crypto sa', peer: args.optionalNumber('peer') }));
const clearIsakmp = give((args) => ({ kind: 'clear crypto isakmp', connectionId: args.optionalNumber('id') }));
const clearSessions = give((args) => ({ kind: 'clear crypto session', peer: args.optionalNumber('peer') }));

/** Behind `clear crypto`. */
export const clearIpsecNodes: ExecNode[] = [
  keyword('sa', 'Clear all crypto SAs with peers', {
    run: clearSas,
    next: [
      keyword('peer', 'Clear all SAs for a given crypto peer', { next: [argument('peer', ipv4, 'IP address of peer', { run: clearSas })] }),
    ],
  }),
  keyword('isakmp', 'Flush the ISAKMP database', {
    run: clearIsakmp,
    next: [argument('id', integer(1, 0x7fffffff), 'Connection ID of the SA', { run: clearIsakmp })],
  }),
  keyword('session', 'Clear crypto sessions: ISAKMP SAs with peers, and the IPsec SAs', {
    run: clearSessions,
    next: [keyword('remote', 'Those with one peer', { next: [argument('peer', ipv4, 'IP address of the peer', { run: clearSessions })] })],
  }),
];
