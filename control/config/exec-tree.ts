// The exec commands, as a tree like those of the configuration modes. Each ends by naming what is asked for; nothing is done here.

import { integer, interfaceName, word } from './arguments.js';
import { pkiRequestNodes, pkiTopicNodes } from './commands/pki-exec.js';
import { generateKeyNodes, readKeyRequest } from './commands/rsa-key.js';
import { type CryptoDebugTopic, type DebugSelection, debugCryptoNode, debugNodes, undebugNodes } from './debug-commands.js';
import { clearAccessListNode, showAccessListNodes, showIpAccessListNodes } from './exec-access-lists.js';
import { captureNode, noCaptureNode, showCaptureNode } from './exec-capture.js';
import { exportNode } from './exec-export.js';
import { clearNode, directionNodes, groupTopics, rekeyNode } from './exec-gdoi.js';
import { clearIpsecNodes, showIpsecSaNode } from './exec-ipsec.js';
import { lifecycleNodes, lifecycleTopics } from './exec-lifecycle.js';
import { clearNatNode, debugNatNode, showNatNodes, showRouteMapNode } from './exec-nat.js';
import { detailNode, type ExecNode, type ExecSink, give, groupOf, show } from './exec-node.js';
import { debugPacketTraceNode, showPacketTraceNode, undebugPacketTraceNode } from './exec-packet-trace.js';
import { pingNode, showMtuNode, tracerouteNode } from './exec-probe.js';
import { showQosNodes } from './exec-qos.js';
import { traceNode } from './exec-trace.js';
import { argument, keyword, mergeNodes, path } from './tree.js';

export const InvalidInput = "% Invalid input detected at '^' marker.";

const showIsakmpSa = show((args) => ({ topic: 'crypto isakmp sa', detail: args.has('detail') }));
const showSession = show((args) => ({ topic: 'crypto session', detail: args.has('detail') }));
const showGdoi = show((args) => ({ topic: 'crypto gdoi', group: groupOf(args), detail: false }));
const showInterfaces = show((args) => ({ topic: 'interfaces', interface: args.optionalText('interface') }));

const showCrypto: ExecNode[] = [
  path(
    [
      ['call', 'Show crypto call admission'],
      ['admission', 'Show crypto call admission'],
    ],
    [
      keyword('statistics', 'Limits of key exchanges, and what they came to', {
        run: show(() => ({ topic: 'crypto call admission statistics' })),
      }),
    ],
  ),
  keyword('session', 'Status of active crypto sessions', { run: showSession, next: [detailNode(showSession)] }),
  keyword('gdoi|gkm', 'Show GDOI', {
    run: showGdoi,
    next: [
      keyword('group', 'Show one group', { next: [argument('group', word(80), 'Group name', { run: showGdoi, next: groupTopics })] }),
      ...groupTopics,
    ],
  }),
  path(
    [['ipsec', 'Show IPSEC policy']],
    [
      keyword('path-mtu', 'Path MTUs of what is encrypted, and the searches for them (groupwire)', {
        run: show(() => ({ topic: 'crypto ipsec path-mtu' })),
      }),
      showIpsecSaNode,
    ],
  ),
  path(
    [['isakmp', 'Show ISAKMP']],
    [
      keyword('policy', 'Show ISAKMP protection suite policy', { run: show(() => ({ topic: 'crypto isakmp policy' })) }),
      keyword('sa', 'Show ISAKMP Security Associations', {
        run: showIsakmpSa,
        next: [
          keyword('count', 'Number of ISAKMP Security Associations', { run: show(() => ({ topic: 'crypto isakmp sa count' })) }),
          detailNode(showIsakmpSa),
        ],
      }),
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
  keyword('dynamic-map', 'Crypto map templates', {
    run: show(() => ({ topic: 'crypto dynamic-map', name: null })),
    next: [
      path(
        [['tag', 'Crypto map template tag']],
        [argument('name', word(), 'Name', { run: show((args) => ({ topic: 'crypto dynamic-map', name: args.text('name') })) })],
      ),
    ],
  }),
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
  ...showAccessListNodes,
  keyword('clock', 'Display the system clock', { run: show(() => ({ topic: 'clock' })) }),
  keyword('crypto', 'Encryption module', { next: showCrypto }),
  keyword('interfaces', 'Interface status and configuration', {
    run: showInterfaces,
    next: [argument('interface', interfaceName, 'Interface name', { run: showInterfaces })],
  }),
  path(
    [['ip', 'IP information']],
    [
      ...showIpAccessListNodes,
      ...showNatNodes,
      keyword('policy', 'Policy routing', { run: show(() => ({ topic: 'ip policy' })) }),
      keyword('route', 'IP routing table', { run: show(() => ({ topic: 'ip route' })) }),
    ],
  ),
  keyword('debugging', 'State of each debugging option', { run: show(() => ({ topic: 'debugging' })) }),
  keyword('logging', 'Contents of the logging buffer', { run: show(() => ({ topic: 'logging' })) }),
  showCaptureNode,
  showPacketTraceNode,
  showMtuNode,
  ...showQosNodes,
  showRouteMapNode,
  ...lifecycleTopics,
  keyword('drops', 'Packets dropped, by reason and by interface', { run: show(() => ({ topic: 'drops' })) }),
  path(
    [['processes', 'Processes of this router']],
    [
      keyword('cpu', 'Processor time', { run: show(() => ({ topic: 'processes cpu' })) }),
      keyword('memory', 'Memory', { run: show(() => ({ topic: 'processes memory' })) }),
    ],
  ),
  keyword('tech-support', 'All that support asks for, without secrets', { run: show(() => ({ topic: 'tech-support' })) }),
  keyword('running-config', 'Current operating configuration', { run: show(() => ({ topic: 'running-config' })) }),
  keyword('version', 'System hardware and software status', { run: show(() => ({ topic: 'version' })) }),
];

function debug(on: boolean): (selection: DebugSelection | null, sink: ExecSink) => void {
  return (selection, sink) => {
    sink.command = { kind: 'debug', on, selection };
  };
}

function debugCrypto(on: boolean): (topic: CryptoDebugTopic, sink: ExecSink) => void {
  return (topic, sink) => {
    sink.command = { kind: 'debug crypto', topic, on };
  };
}

export const execCommands: ExecNode[] = mergeNodes([
  keyword('debug', 'Debugging functions', {
    next: mergeNodes([...debugNodes(debug(true)), debugCryptoNode(debugCrypto(true)), debugNatNode(true), debugPacketTraceNode]),
  }),
  keyword('undebug', 'Disable debugging functions', {
    next: mergeNodes([...undebugNodes(debug(false)), debugCryptoNode(debugCrypto(false)), debugNatNode(false), undebugPacketTraceNode]),
  }),
  path(
    [['no', 'Disable or remove']],
    [
      noCaptureNode,
      keyword('debug', 'Debugging functions', {
        next: mergeNodes([...undebugNodes(debug(false)), debugCryptoNode(debugCrypto(false)), debugNatNode(false), undebugPacketTraceNode]),
      }),
    ],
  ),
  keyword('clear', 'Reset functions', {
    next: [
      clearAccessListNode,
      keyword('counters', 'Clear counters on all interfaces', { run: give(() => ({ kind: 'clear counters' })) }),
      keyword('logging', 'Clear the logging buffer', { run: give(() => ({ kind: 'clear logging' })) }),
      clearNatNode,
      path([['crypto', 'Encryption module']], [clearNode(), ...clearIpsecNodes]),
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
  path(
    [
      ['crypto', 'Encryption module'],
      ['gdoi|gkm', 'GDOI key server actions'],
      ['gm', 'Group member'],
    ],
    [keyword('group', 'One group', { next: [argument('group', word(80), 'Group name', { next: directionNodes })] }), ...directionNodes],
  ),
  ...lifecycleNodes,
  captureNode,
  exportNode,
  traceNode,
  pingNode,
  tracerouteNode,
  keyword('show', 'Show running system information', { next: showCommands }),
  path(
    [['terminal', 'Set terminal line parameters']],
    // Output is never paged here, so no pause is the one length there is.
    [
      keyword('length', 'Set number of lines on a screen', {
        next: [argument('lines', integer(0, 0), 'No pausing', { run: give(() => ({ kind: 'terminal length', lines: 0 })) })],
      }),
    ],
  ),
]);
