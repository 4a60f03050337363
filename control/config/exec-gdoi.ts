// The exec commands of GDOI: `show crypto gdoi ...`, `crypto gdoi ...` and `clear crypto gdoi ...`.

import { formatIpv4 } from './addresses.js';
import { ipv4, word } from './arguments.js';
import { detailNode, type ExecNode, type ExecSink, give, groupOf, show } from './exec-node.js';
import { type GdoiFeature, gdoiFeatures } from './gdoi-features.js';
import { type Args, argument, keyword, path } from './tree.js';

const showRekey = show((args) => ({ topic: 'crypto gdoi gm rekey', group: groupOf(args), detail: args.has('detail') }));
const showRekeySa = show((args) => ({ topic: 'crypto gdoi rekey sa', group: groupOf(args), detail: args.has('detail') }));
const showMembers = show((args) => {
  const member = args.optionalNumber('member');
  return {
    topic: 'crypto gdoi ks members',
    group: groupOf(args),
    member: member === undefined || member === null ? null : formatIpv4(member),
  };
});
const showMemberIds = show((args) => ({ topic: 'crypto gdoi gm identifier', group: groupOf(args), detail: args.has('detail') }));
const showServerIds = show((args) => ({ topic: 'crypto gdoi ks identifier', group: groupOf(args), detail: args.has('detail') }));
const showServer = show((args) => ({ topic: 'crypto gdoi ks', group: groupOf(args), detail: args.has('detail') }));

export const groupTopics: ExecNode[] = [
  keyword('feature', 'Which key servers and members have a feature', {
    next: Object.entries(gdoiFeatures).map(([feature, help]) =>
      keyword(feature, help, {
        run: show((args) => ({ topic: 'crypto gdoi feature', group: groupOf(args), feature: feature as GdoiFeature })),
      }),
    ),
  }),
  path(
    [['ipsec', 'Policy in force']],
    [keyword('sa', 'IPsec SAs of the group', { run: show((args) => ({ topic: 'crypto gdoi ipsec sa', group: groupOf(args) })) })],
  ),
  path([['rekey', 'Rekeys']], [keyword('sa', 'Rekey (KEK) SAs', { run: showRekeySa, next: [detailNode(showRekeySa)] })]),
  detailNode(show((args) => ({ topic: 'crypto gdoi', group: groupOf(args), detail: true }))),
  keyword('gm', 'Group member information', {
    run: show((args) => ({ topic: 'crypto gdoi gm', group: groupOf(args) })),
    next: [
      keyword('replay', 'Time-based anti-replay', { run: show((args) => ({ topic: 'crypto gdoi gm replay', group: groupOf(args) })) }),
      keyword('acl', 'Access control list of the group member', {
        run: show((args) => ({ topic: 'crypto gdoi gm acl', group: groupOf(args) })),
        next: [
          keyword('local', 'Only the list configured here', {
            run: show((args) => ({ topic: 'crypto gdoi gm acl local', group: groupOf(args) })),
          }),
        ],
      }),
      path(
        // Cisco's spelling.
        [['dataplan|dataplane', 'Data-plane statistics']],
        [
          keyword('counter', 'Packet counters', {
            run: show((args) => ({ topic: 'crypto gdoi gm dataplan counter', group: groupOf(args) })),
          }),
        ],
      ),
      keyword('identifier', 'Sender identifiers', { run: showMemberIds, next: [detailNode(showMemberIds)] }),
      keyword('pubkey', 'Public keys', { run: show((args) => ({ topic: 'crypto gdoi gm pubkey', group: groupOf(args) })) }),
      keyword('rekey', 'Rekeys received', { run: showRekey, next: [detailNode(showRekey)] }),
    ],
  }),
  keyword('ks', 'Key server information', {
    run: showServer,
    next: [
      detailNode(showServer),
      keyword('identifier', 'Sender identifiers', { run: showServerIds, next: [detailNode(showServerIds)] }),
      keyword('acl', 'Access control list of the key server', {
        run: show((args) => ({ topic: 'crypto gdoi ks acl', group: groupOf(args) })),
      }),
      keyword('members', 'Registered group members', {
        run: showMembers,
        next: [
          argument('member', ipv4, 'Address of a member', { run: showMembers }),
          keyword('summary', 'One line per member', {
            run: show((args) => ({ topic: 'crypto gdoi ks members summary', group: groupOf(args) })),
          }),
        ],
      }),
      keyword('policy', 'Policy of the key server', { run: show((args) => ({ topic: 'crypto gdoi ks policy', group: groupOf(args) })) }),
    ],
  }),
];

/** `group G` with what may follow it. */
function groupNode(run: (args: Args, sink: ExecSink) => void, next: ExecNode[]): ExecNode {
  return keyword('group', 'One group', { next: [argument('group', word(80), 'Group name', { run, next })] });
}

/** `crypto gdoi ks rekey [group G] [replace-now]`. */
export function rekeyNode(): ExecNode {
  const run = give((args) => ({ kind: 'crypto gdoi ks rekey', group: groupOf(args), immediately: args.has('now') }));
  const now = keyword('replace-now', 'Members replace their keys at once: traffic under way is lost', { set: ['now', 1], run });
  return keyword('rekey', 'Renew the keys of the group now', { run, next: [now, groupNode(run, [now])] });
}

/** `clear crypto gdoi [group G]`, and `... ks members [now]` behind it. */
export function clearNode(): ExecNode {
  const run = give((args) => ({ kind: 'clear crypto gdoi', group: groupOf(args) }));
  const remove = give((args) => ({ kind: 'clear crypto gdoi ks members', group: groupOf(args), immediately: args.has('now') }));
  const now = keyword('now', 'Members delete their keys at once', { set: ['now', 1], run: remove });
  const members = keyword('members', 'Members register again or are out of the group', { run: remove, next: [now] });
  const server: ExecNode = path([['ks', 'Key server']], [members]);
  const rest = [server];
  return keyword('gdoi|gkm', 'Leave the group and register again', { run, next: [groupNode(run, rest), ...rest] });
}

const setDirection = give((args) => ({
  kind: 'crypto gdoi gm ipsec direction',
  group: groupOf(args),
  direction: args.text('direction') as 'both',
}));

export const directionNodes: ExecNode[] = [
  path(
    [
      ['ipsec', 'IPsec SAs of the member'],
      ['direction', 'Which way they are used, until the router restarts or says otherwise'],
    ],
    [
      keyword('both', 'As the key server says', { set: ['direction', 'both'], run: setDirection }),
      path(
        [['inbound', 'Accept what comes in the clear too']],
        [
          keyword('only', 'Encrypt nothing', { set: ['direction', 'inbound-only'], run: setDirection }),
          keyword('optional', 'Encrypt', { set: ['direction', 'inbound-optional'], run: setDirection }),
        ],
      ),
    ],
  ),
];
