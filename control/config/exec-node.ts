// What an exec line can ask for, and the actions that say so. The tree itself: exec-tree.ts, exec-gdoi.ts.

import type { PkiRequest, PkiTopic } from './commands/pki-exec.js';
import type { KeyRequest } from './commands/rsa-key.js';
import type { CryptoDebugTopic, DebugSelection } from './debug-commands.js';
import type { CaptureCommand } from './exec-capture.js';
import type { ExportCommand } from './exec-export.js';
import type { LifecycleCommand, LifecycleTopic } from './exec-lifecycle.js';
import type { NatFilter, NatSelection } from './exec-nat.js';
import type { PacketTraceCommand } from './exec-packet-trace.js';
import type { ProbeCommand } from './exec-probe.js';
import type { ShellCommand } from './exec-shell.js';
import type { TraceCommand } from './exec-trace.js';
import type { GdoiFeature } from './gdoi-features.js';
import { type Args, keyword, type Node } from './tree.js';

/** What is shown, in the words of the command. `group: null` is every group. */
export type ShowTopic =
  | { topic: 'crypto isakmp policy' }
  | { topic: 'crypto isakmp sa'; detail: boolean }
  | { topic: 'crypto isakmp sa count' }
  | { topic: 'crypto session'; detail: boolean }
  | { topic: 'crypto call admission statistics' }
  | { topic: 'crypto gdoi'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi gm'; group: string | null }
  | { topic: 'crypto gdoi gm replay'; group: string | null }
  | { topic: 'crypto gdoi gm acl'; group: string | null }
  | { topic: 'crypto gdoi gm acl local'; group: string | null }
  | { topic: 'crypto gdoi gm dataplan counter'; group: string | null }
  | { topic: 'crypto gdoi gm identifier'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi gm pubkey'; group: string | null }
  | { topic: 'crypto gdoi gm rekey'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi rekey sa'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi ipsec sa'; group: string | null }
  | { topic: 'crypto gdoi feature'; group: string | null; feature: GdoiFeature }
  | { topic: 'crypto gdoi ks'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi ks identifier'; group: string | null; detail: boolean }
  | { topic: 'crypto gdoi ks members'; group: string | null; member: string | null }
  | { topic: 'crypto gdoi ks members summary'; group: string | null }
  | { topic: 'crypto gdoi ks policy'; group: string | null }
  | { topic: 'crypto gdoi ks acl'; group: string | null }
  | { topic: 'crypto ipsec sa'; detail: boolean; peer: number | null; interface: string | null }
  | { topic: 'crypto ipsec path-mtu' }
  | { topic: 'crypto map' }
  | { topic: 'crypto dynamic-map'; name: string | null }
  | { topic: 'crypto map gdoi fail-close' }
  | { topic: 'crypto key mypubkey rsa' }
  | PkiTopic
  | { topic: 'ip interface brief' }
  | { topic: 'interfaces'; interface: string | null }
  | { topic: 'ip policy' }
  | { topic: 'ip route' }
  | { topic: 'ip traffic' }
  | { topic: 'ip virtual-reassembly' }
  | { topic: 'ip nat statistics' }
  | { topic: 'ip nat translations'; verbose: boolean; selection: NatSelection }
  | { topic: 'class-map'; name: string | null }
  | { topic: 'policy-map'; name: string | null; class: string | null }
  | { topic: 'policy-map interface'; interface: string | null; direction: 'input' | 'output' | null; class: string | null }
  /** `all`: with headings. */
  | { topic: 'route-map'; name: string | null; all: boolean }
  | { topic: 'access-lists'; name: string | null }
  | { topic: 'ip access-lists interface'; interface: string }
  | { topic: 'ip interface'; interface: string | null }
  | { topic: 'object-group'; name: string | null }
  | { topic: 'running-config' }
  | LifecycleTopic
  | { topic: 'drops' }
  | { topic: 'monitor capture'; name: string | null }
  | { topic: 'packet-trace'; packet: number | 'all' | 'summary' }
  | { topic: 'processes cpu' }
  | { topic: 'processes memory' }
  | { topic: 'tech-support' }
  | { topic: 'logging' }
  | { topic: 'debugging' }
  | { topic: 'version' }
  | { topic: 'clock' };

/** `| include RE` and so on: a regular expression, case-sensitive, which the one that shows compiles (cli/show/filter.ts). */
export type Pipe = { filter: 'json' } | { filter: 'include' | 'exclude' | 'begin' | 'section' | 'count'; text: string };

export type ExecCommand =
  | ({ kind: 'show'; pipe: Pipe | null } & ShowTopic)
  | ({ kind: 'crypto key generate rsa' } & KeyRequest)
  | ({ kind: 'crypto pki' } & PkiRequest)
  | { kind: 'crypto gdoi ks rekey'; group: string | null; immediately: boolean }
  | { kind: 'clear crypto gdoi'; group: string | null }
  /** Address of the peer; null = all. */
  | { kind: 'clear crypto sa'; peer: number | null }
  /** As `show crypto isakmp sa` has it; null = all. */
  | { kind: 'clear crypto isakmp'; connectionId: number | null }
  | { kind: 'clear crypto session'; peer: number | null }
  | { kind: 'crypto gdoi gm ipsec direction'; group: string | null; direction: 'both' | 'inbound-only' | 'inbound-optional' }
  | { kind: 'clear crypto gdoi ks members'; group: string | null; immediately: boolean }
  | TraceCommand
  | CaptureCommand
  | PacketTraceCommand
  | ExportCommand
  | ProbeCommand
  /** `ping` alone: the cli asks for the rest. */
  | { kind: 'ping dialogue' }
  | { kind: 'clear access-list counters'; name: string | null }
  | { kind: 'clear counters' }
  | { kind: 'clear logging' }
  | { kind: 'clear ip nat translation'; filter: NatFilter }
  /** `selection: null` is everything, which can only be switched off. */
  | { kind: 'debug'; on: boolean; selection: DebugSelection | null }
  | { kind: 'debug crypto'; topic: CryptoDebugTopic; on: boolean }
  /** list: of what it permits alone; null = of all. */
  | { kind: 'debug ip nat'; level: 'off' | 'on' | 'detailed'; list: string | null }
  | LifecycleCommand
  | ShellCommand;

/** What a node's action fills. */
export interface ExecSink {
  command: ExecCommand | null;
}
export type ExecNode = Node<ExecSink>;

export function give(read: (args: Args) => ExecCommand): (args: Args, sink: ExecSink) => void {
  return (args, sink) => {
    sink.command = read(args);
  };
}

export function show(read: (args: Args) => ShowTopic): (args: Args, sink: ExecSink) => void {
  return give((args) => ({ kind: 'show', pipe: null, ...read(args) }));
}

export function groupOf(args: Args): string | null {
  return args.optionalText('group');
}

export const detailNode = (run: (args: Args, sink: ExecSink) => void): ExecNode =>
  keyword('detail', 'Show detail', { set: ['detail', 1], run });
