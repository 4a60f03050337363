// `show crypto gdoi ipsec sa` and `show crypto gdoi gm dataplan counter`: the group's policy in force, and what it did to packets.

import type { AceState, MemberGroupState, Snapshot } from '../../control/api/snapshot.js';
import { formatProtocol } from './columns.js';

/** `ANY`, `10.0.0.1` or `10.0.0.0/16`. */
function formatIdent(address: string, wildcard: string): string {
  if (wildcard === '255.255.255.255') return 'ANY';
  const bits = wildcard.split('.').reduce((sum, part) => sum + (8 - Number(part).toString(2).replaceAll('0', '').length), 0);
  return bits === 32 ? address : `${address}/${bits}`;
}

/** `show crypto gdoi ipsec sa` of one group: permit and deny entries alike. */
export function renderGroupSas(state: MemberGroupState): string[] {
  const { replayWindow = 0, replaySeconds = 0 } = state.teks.at(-1) ?? {};
  const method = replaySeconds > 0 ? `Time/${replaySeconds}` : replayWindow > 0 ? `Counter/${replayWindow}` : 'Disabled';
  const entry = (ace: AceState) => [
    `    protocol = ${formatProtocol(ace.protocol)}`,
    `      local ident  = ${formatIdent(ace.source, ace.sourceWildcard)}, port = ${ace.sourcePort?.ports[0] ?? 0}`,
    `      remote ident = ${formatIdent(ace.destination, ace.destinationWildcard)}, port = ${ace.destinationPort?.ports[0] ?? 0}`,
    `      direction: Both, replay(method/window): ${method}`,
  ];
  if (state.acl.length === 0) return [`No SA created for group ${state.group}`];
  return [`SA created for group ${state.group}:`, ...state.interfaces.flatMap((name) => [`  ${name}:`, ...state.acl.flatMap(entry)])];
}

/** `show crypto gdoi gm dataplan counter` of one group. @param drops of the whole router: what has no SA names no group */
export function renderDataplaneCounters(state: MemberGroupState, drops: Snapshot['counters']['drops']): string[] {
  const dropped = (name: string) => drops.find((counter) => counter.name === name)?.value ?? 0;
  const sum = (value: (counters: MemberGroupState['teks'][number]['counters']) => number) =>
    state.teks.reduce((total, { counters }) => total + value(counters), 0);
  const pair = (left: string, leftValue: number, right: string, rightValue: number) =>
    `    #pkts ${left.padEnd(19)}: ${String(leftValue).padEnd(9)}#pkts ${right.padEnd(19)}: ${rightValue}`;
  const { sealedPackets, openedPackets } = state.counters;
  return [
    `Data-plane statistics for group ${state.group}:`,
    `    #pkts encrypt            : ${String(sealedPackets).padEnd(12)}#pkts decrypt            : ${openedPackets}`,
    pair('tagged (send)', 0, 'untagged (rcv)', 0),
    pair('no sa (send)', dropped('no_sa'), 'invalid sa (rcv)', dropped('esp_unknown_spi')),
    pair(
      'encaps fail (send)',
      sum((c) => c.sendErrors),
      'decap fail (rcv)',
      sum((c) => c.receiveErrors),
    ),
    pair(
      'invalid prot (rcv)',
      0,
      'verify fail (rcv)',
      sum((c) => c.integrityDrops),
    ),
    pair('not tagged (send)', 0, 'not untagged (rcv)', 0),
    pair('internal err (send)', 0, 'internal err (rcv)', 0),
  ];
}
