// The exec commands, as a tree like those of the configuration modes. Each ends by naming what is asked for; nothing is done here.

import { integer, interfaceName, word } from './arguments.js';
import { type PkiRequest, type PkiTopic, pkiRequestNodes, pkiTopicNodes } from './commands/pki-exec.js';
import { generateKeyNodes, type KeyRequest, readKeyRequest } from './commands/rsa-key.js';
import { type DebugSelection, debugNodes, undebugNodes } from './debug-commands.js';
import { type GdoiFeature, gdoiFeatures } from './gdoi-features.js';
import { type Args, argument, keyword, mergeNodes, type Node, path } from './tree.js';

export const InvalidInput = "% Invalid input detected at '^' marker.";

/** What is shown, in the words of the command. `group: null` is every group. */
export type ShowTopic =
  | { topic: 'crypto isakmp policy' }
  | { topic: 'crypto isakmp sa'; detail: boolean }
  | { topic: 'crypto gdoi'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi gm'; group: string | null }
  | { topic: 'crypto gdoi gm acl'; group: string | null }
  | { topic: 'crypto gdoi gm acl local'; group: string | null }
  | { topic: 'crypto gdoi gm dataplan counter'; group: string | null }
  | { topic: 'crypto gdoi gm identifier'; group: string | null }
  | { topic: 'crypto gdoi gm pubkey'; group: string | null }
  | { topic: 'crypto gdoi gm rekey'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi rekey sa'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi ipsec sa'; group: string | null }
  | { topic: 'crypto gdoi feature'; group: string | null; feature: GdoiFeature }
  | { topic: 'crypto gdoi ks'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi ks identifier'; group: string | null }
  | { topic: 'crypto gdoi ks members'; group: string | null }
  | { topic: 'crypto gdoi ks members summary'; group: string | null }
  | { topic: 'crypto gdoi ks policy'; group: string | null }
  | { topic: 'crypto gdoi ks acl'; group: string | null }
  | { topic: 'crypto ipsec sa'; detail: boolean }
  | { topic: 'crypto map' }
  | { topic: 'crypto map gdoi fail-close' }
  | { topic: 'crypto key mypubkey rsa' }
  | PkiTopic
  | { topic: 'ip interface brief' }
  | { topic: 'interfaces'; interface: string | null }
  | { topic: 'ip route' }
  | { topic: 'access-lists'; name: string | null }
  | { topic: 'running-config' }
  | { topic: 'logging' }
  | { topic: 'debugging' }
  | { topic: 'version' }
  | { topic: 'clock' };

/** `| include RE` and so on: a regular expression, case-sensitive, which the one that shows compiles (cli/show/filter.ts). */
export type Pipe = { filter: 'json' } | { filter: 'include' | 'exclude' | 'begin' | 'section'; text: string };

export type ExecCommand =
  | ({ kind: 'show'; pipe: Pipe | null } & ShowTopic)
  | ({ kind: 'crypto key generate rsa' } & KeyRequest)
  | ({ kind: 'crypto pki' } & PkiRequest)
  | { kind: 'crypto gdoi ks rekey'; group: string | null; immediately: boolean }
  | { kind: 'clear crypto gdoi'; group: string | null }
  | { kind: 'clear crypto gdoi ks members'; group: string | null; immediately: boolean }
  | { kind: 'clear counters' }
  | { kind: 'clear logging' }
  /** `selection: null` is everything, which can only be switched off. */
  | { kind: 'debug'; on: boolean; selection: DebugSelection | null }
  | { kind: 'terminal length' };

/** What a node's action fills. */
export interface ExecSink {
  command: ExecCommand | null;
}
type ExecNode = Node<ExecSink>;

function give(read: (args: Args) => ExecCommand): (args: Args, sink: ExecSink) => void {
  return (args, sink) => {
    sink.command = read(args);
  };
}

function show(read: (args: Args) => ShowTopic): (args: Args, sink: ExecSink) => void {
  return give((args) => ({ kind: 'show', pipe: null, ...read(args) }));
}

function groupOf(args: Args): string | null {
  return args.optionalText('group');
}

const detailNode = (run: (args: Args, sink: ExecSink) => void): ExecNode => keyword('detail', 'Show detail', { set: ['detail', 1], run });

const showRekey = show((args) => ({ topic: 'crypto gdoi gm rekey', group: groupOf(args), detail: args.has('detail') }));
const showRekeySa = show((args) => ({ topic: 'crypto gdoi rekey sa', group: groupOf(args), detail: args.has('detail') }));
const showServer = show((args) => ({ topic: 'crypto gdoi ks', group: groupOf(args), detail: args.has('detail') }));

const groupTopics: ExecNode[] = [
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
      keyword('identifier', 'Sender identifiers', { run: show((args) => ({ topic: 'crypto gdoi gm identifier', group: groupOf(args) })) }),
      keyword('pubkey', 'Public keys', { run: show((args) => ({ topic: 'crypto gdoi gm pubkey', group: groupOf(args) })) }),
      keyword('rekey', 'Rekeys received', { run: showRekey, next: [detailNode(showRekey)] }),
    ],
  }),
  keyword('ks', 'Key server information', {
    run: showServer,
    next: [
      detailNode(showServer),
      keyword('identifier', 'Sender identifiers', { run: show((args) => ({ topic: 'crypto gdoi ks identifier', group: groupOf(args) })) }),
      keyword('acl', 'Access control list of the key server', {
        run: show((args) => ({ topic: 'crypto gdoi ks acl', group: groupOf(args) })),
      }),
      keyword('members', 'Registered group members', {
        run: show((args) => ({ topic: 'crypto gdoi ks members', group: groupOf(args) })),
        next: [
          keyword('summary', 'One line per member', {
            run: show((args) => ({ topic: 'crypto gdoi ks members summary', group: groupOf(args) })),
          }),
        ],
      }),
      keyword('policy', 'Policy of the key server', { run: show((args) => ({ topic: 'crypto gdoi ks policy', group: groupOf(args) })) }),
    ],
  }),
];

const showIsakmpSa = show((args) => ({ topic: 'crypto isakmp sa', detail: args.has('detail') }));
const showIpsecSa = show((args) => ({ topic: 'crypto ipsec sa', detail: args.has('detail') }));
const showGdoi = show((args) => ({ topic: 'crypto gdoi', group: groupOf(args), detail: false }));
const showInterfaces = show((args) => ({ topic: 'interfaces', interface: args.optionalText('interface') }));
const showAccessLists = show((args) => ({ topic: 'access-lists', name: args.optionalText('name') }));

const showCrypto: ExecNode[] = [
  keyword('gdoi|gkm', 'Show GDOI', {
    run: showGdoi,
    next: [
      keyword('group', 'Show one group', { next: [argument('group', word(80), 'Group name', { run: showGdoi, next: groupTopics })] }),
      ...groupTopics,
    ],
  }),
  path([['ipsec', 'Show IPSEC policy']], [keyword('sa', 'IPSEC SA table', { run: showIpsecSa, next: [detailNode(showIpsecSa)] })]),
  path(
    [['isakmp', 'Show ISAKMP']],
    [
      keyword('policy', 'Show ISAKMP protection suite policy', { run: show(() => ({ topic: 'crypto isakmp policy' })) }),
      keyword('sa', 'Show ISAKMP Security Associations', { run: showIsakmpSa, next: [detailNode(showIsakmpSa)] }),
    ],
  ),
  path(
    [
      ['key', 'Show long term public keys'],
      ['mypubkey', 'Show public keys associated with this router'],
    ],
    [keyword('rsa', 'Show RSA public keys', { run: show(() => ({ topic: 'crypto key mypubkey rsa' })) })],
  ),
  path(
    [['pki|ca', 'Show PKI']],
    pkiTopicNodes<ExecSink>((read) => show(read)),
  ),
  keyword('map', 'Crypto maps', {
    run: show(() => ({ topic: 'crypto map' })),
    next: [
      path(
        [['gdoi|gkm', 'Crypto maps of groups']],
        [
          keyword('fail-close', 'Maps that drop until their groups are registered', {
            run: show(() => ({ topic: 'crypto map gdoi fail-close' })),
          }),
        ],
      ),
    ],
  }),
];

const showCommands: ExecNode[] = [
  keyword('access-lists', 'List access lists', {
    run: showAccessLists,
    next: [argument('name', word(), 'Access list name or number', { run: showAccessLists })],
  }),
  keyword('clock', 'Display the system clock', { run: show(() => ({ topic: 'clock' })) }),
  keyword('crypto', 'Encryption module', { next: showCrypto }),
  keyword('interfaces', 'Interface status and configuration', {
    run: showInterfaces,
    next: [argument('interface', interfaceName, 'Interface name', { run: showInterfaces })],
  }),
  path(
    [['ip', 'IP information']],
    [
      path(
        [['interface', 'IP interface status and configuration']],
        [keyword('brief', 'Brief summary of IP status and configuration', { run: show(() => ({ topic: 'ip interface brief' })) })],
      ),
      keyword('route', 'IP routing table', { run: show(() => ({ topic: 'ip route' })) }),
      keyword('access-lists', 'List IP access lists', {
        run: showAccessLists,
        next: [argument('name', word(), 'Access list name or number', { run: showAccessLists })],
      }),
    ],
  ),
  keyword('debugging', 'State of each debugging option', { run: show(() => ({ topic: 'debugging' })) }),
  keyword('logging', 'Contents of the logging buffer', { run: show(() => ({ topic: 'logging' })) }),
  keyword('running-config', 'Current operating configuration', { run: show(() => ({ topic: 'running-config' })) }),
  keyword('version', 'System hardware and software status', { run: show(() => ({ topic: 'version' })) }),
];

/** `group G` with what may follow it. */
function groupNode(run: (args: Args, sink: ExecSink) => void, next: ExecNode[]): ExecNode {
  return keyword('group', 'One group', { next: [argument('group', word(80), 'Group name', { run, next })] });
}

/** `crypto gdoi ks rekey [group G] [replace-now]`. */
function rekeyNode(): ExecNode {
  const run = give((args) => ({ kind: 'crypto gdoi ks rekey', group: groupOf(args), immediately: args.has('now') }));
  const now = keyword('replace-now', 'Members replace their keys at once: traffic under way is lost', { set: ['now', 1], run });
  return keyword('rekey', 'Renew the keys of the group now', { run, next: [now, groupNode(run, [now])] });
}

/** `clear crypto gdoi [group G]`, and `... ks members [now]` behind it. */
function clearNode(): ExecNode {
  const run = give((args) => ({ kind: 'clear crypto gdoi', group: groupOf(args) }));
  const remove = give((args) => ({ kind: 'clear crypto gdoi ks members', group: groupOf(args), immediately: args.has('now') }));
  const now = keyword('now', 'Members delete their keys at once', { set: ['now', 1], run: remove });
  const members = keyword('members', 'Members register again or are out of the group', { run: remove, next: [now] });
  const server: ExecNode = path([['ks', 'Key server']], [members]);
  const rest = [server];
  return keyword('gdoi|gkm', 'Leave the group and register again', { run, next: [groupNode(run, rest), ...rest] });
}

function debug(on: boolean): (selection: DebugSelection | null, sink: ExecSink) => void {
  return (selection, sink) => {
    sink.command = { kind: 'debug', on, selection };
  };
}

export const execCommands: ExecNode[] = mergeNodes([
  keyword('debug', 'Debugging functions', { next: debugNodes(debug(true)) }),
  keyword('undebug', 'Disable debugging functions', { next: undebugNodes(debug(false)) }),
  path([['no', 'Disable debugging functions']], [keyword('debug', 'Debugging functions', { next: undebugNodes(debug(false)) })]),
  keyword('clear', 'Reset functions', {
    next: [
      keyword('counters', 'Clear counters on all interfaces', { run: give(() => ({ kind: 'clear counters' })) }),
      keyword('logging', 'Clear the logging buffer', { run: give(() => ({ kind: 'clear logging' })) }),
      path([['crypto', 'Encryption module']], [clearNode()]),
    ],
  }),
  path(
    [['crypto', 'Encryption module']],
    [generateKeyNodes<ExecSink>(give((args) => ({ kind: 'crypto key generate rsa', ...readKeyRequest(args) })))],
  ),
  path(
    [
      ['crypto', 'Encryption module'],
      ['pki|ca', 'Public Key components'],
    ],
    pkiRequestNodes<ExecSink>((read) => give((args) => ({ kind: 'crypto pki', ...read(args) }))),
  ),
  path(
    [
      ['crypto', 'Encryption module'],
      ['gdoi|gkm', 'GDOI key server actions'],
      ['ks', 'Key server'],
    ],
    [rekeyNode()],
  ),
  keyword('show', 'Show running system information', { next: showCommands }),
  path(
    [['terminal', 'Set terminal line parameters']],
    // Output is never paged here, so no pause is the one length there is.
    [
      keyword('length', 'Set number of lines on a screen', {
        next: [argument('lines', integer(0, 0), 'No pausing', { run: give(() => ({ kind: 'terminal length' })) })],
      }),
    ],
  ),
]);
