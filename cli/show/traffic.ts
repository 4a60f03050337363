// `show ip traffic`, `show ip virtual-reassembly`. Lines of IOS about what the kernel does for the host (TCP, UDP, ICMP echoes, routing protocols, ARP) are left out
// rather than printed as zero: `nstat` has them.

import type { Snapshot } from '../../control/api/snapshot.js';
import type { View } from './view.js';

type Block = 'drops' | 'path';

function counter({ counters }: Snapshot, block: Block, ...names: string[]): number {
  return counters[block].filter(({ name }) => names.includes(name)).reduce((sum, { value }) => sum + value, 0);
}

/** What `| json` of `show ip traffic` is. */
function trafficOf(snapshot: Snapshot) {
  const drop = (...names: string[]) => counter(snapshot, 'drops', ...names);
  const path = (name: string) => counter(snapshot, 'path', name);
  const generated = path('made_packets');
  return {
    received: path('received_packets'),
    local: path('punted_packets'),
    formatErrors: drop('ip_malformed', 'not_ipv4'),
    checksumErrors: drop('ip_header_checksum'),
    badHopCount: drop('ttl_expired'),
    reassembled: path('reassembled_packets'),
    reassemblyTimeouts: drop('reassembly_timeout'),
    notReassembled: drop('reassembly_overlap', 'reassembly_limit', 'reassembly_too_big'),
    fragmented: path('fragmented_packets'),
    fragments: path('fragments_made'),
    notFragmented: drop('mtu_exceeded', 'transport_fragment'),
    generated,
    forwarded: Math.max(0, path('sent_packets') - generated),
    noRoute: drop('no_route'),
    unicastRpf: drop('ip_martian', 'multicast_reverse'),
    securityFailures: drop('clear_must_be_encrypted', 'fail_close', 'no_sa'),
    accessLists: drop('acl_in', 'acl_out'),
    pathMtu: {
      learnt: drop('pmtu_learnt'),
      unknown: drop('pmtu_unknown'),
      zero: drop('pmtu_zero'),
      belowLeast: drop('pmtu_below_least'),
      notSmaller: drop('pmtu_not_smaller'),
      flood: drop('pmtu_flood'),
    },
    pathMtus: snapshot.pathMtus ?? [],
  };
}

function describeLearnt({ destination, tunnel, mtu, router, remainingSeconds }: NonNullable<Snapshot['pathMtus']>[number]): string {
  const ends = remainingSeconds === null ? 'never expires' : `expires in ${remainingSeconds} seconds`;
  return `  ${tunnel ?? destination}: ${mtu} bytes, told by ${router ?? (tunnel === null ? 'probes' : 'this router')}, ${ends}`;
}

function renderTraffic(snapshot: Snapshot): string[] {
  const seen = trafficOf(snapshot);
  const { pathMtu } = seen;
  return [
    'IP statistics:',
    `  Rcvd:  ${seen.received} total, ${seen.local} local destination`,
    `         ${seen.formatErrors} format errors, ${seen.checksumErrors} checksum errors, ${seen.badHopCount} bad hop count`,
    `         ${seen.securityFailures} security failures`,
    `  Frags: ${seen.reassembled} reassembled, ${seen.reassemblyTimeouts} timeouts, ${seen.notReassembled} couldn't reassemble`,
    `         ${seen.fragmented} fragmented, ${seen.fragments} fragments, ${seen.notFragmented} couldn't fragment`,
    `  Sent:  ${seen.generated} generated, ${seen.forwarded} forwarded`,
    `  Drop:  ${seen.noRoute} no route, ${seen.unicastRpf} unicast RPF, ${seen.accessLists} access lists`,
    '',
    'Path MTU statistics:',
    `  Rcvd:  ${pathMtu.learnt} learnt, ${pathMtu.unknown} unknown, ${pathMtu.zero} without MTU, ${pathMtu.belowLeast} below the least`,
    `         ${pathMtu.notSmaller} not smaller, ${pathMtu.flood} too many a second`,
    ...seen.pathMtus.map(describeLearnt),
  ];
}

/** What `| json` of `show ip virtual-reassembly` is. Counters are of all interfaces together. */
function reassemblyOf(snapshot: Snapshot) {
  const drop = (name: string) => counter(snapshot, 'drops', name);
  return {
    interfaces: snapshot.virtualReassembly ?? [],
    currentFragments: counter(snapshot, 'path', 'held_packets'),
    timeouts: drop('fragment_timeout'),
    overlaps: drop('fragment_overlap'),
    duplicates: drop('fragment_duplicate'),
    noRoom: drop('fragment_limit'),
    refused: drop('fragment_refused'),
  };
}

function renderReassembly(snapshot: Snapshot): string[] {
  const { interfaces, ...counts } = reassemblyOf(snapshot);
  if (interfaces.length === 0)
    return ['Virtual fragment reassembly is not in use: no interface has ip nat inside or outside, or ip virtual-reassembly'];
  return [
    ...interfaces.flatMap(({ interface: name, datagrams, fragments, timeoutSeconds, dropFragments }) => [
      `${name}:`,
      '   Virtual Fragment Reassembly (VFR) is ENABLED [in]',
      `   Concurrent reassemblies (max-reassemblies): ${datagrams}`,
      `   Fragments per reassembly (max-fragments): ${fragments ?? 'unlimited'}`,
      `   Reassembly timeout (timeout): ${timeoutSeconds} seconds`,
      `   Drop fragments: ${dropFragments ? 'ON' : 'OFF'}`,
      '',
    ]),
    'All interfaces:',
    `   Current fragment count:${counts.currentFragments}`,
    `   Total reassembly timeout count:${counts.timeouts}`,
    `   Dropped fragments: ${counts.overlaps} overlap, ${counts.duplicates} duplicate, ${counts.noRoom} no room, ${counts.refused} refused`,
  ];
}

export function viewOfTraffic(topic: 'ip traffic' | 'ip virtual-reassembly', snapshot: Snapshot): View {
  return topic === 'ip traffic'
    ? { lines: renderTraffic(snapshot), json: { traffic: trafficOf(snapshot) } }
    : { lines: renderReassembly(snapshot), json: { virtualReassembly: reassemblyOf(snapshot) } };
}
