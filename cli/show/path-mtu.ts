// `show crypto ipsec path-mtu` (groupwire): what is known of paths of encrypted packets, from ICMP and from probes, and the searches (RFC 8899).

import type { Snapshot } from '../../control/api/snapshot.js';
import type { PathMtuState, PathSearchState } from '../../control/api/snapshot-path.js';
import type { View } from './view.js';

function sourceOf({ tunnel, router }: PathMtuState): string {
  return router ?? (tunnel === null ? 'probes' : 'this router');
}

function renderKnown(known: PathMtuState): string {
  const { destination, tunnel, mtu, remainingSeconds } = known;
  const ends = remainingSeconds === null ? 'never' : `${remainingSeconds} s`;
  return `${(tunnel ?? destination).padEnd(16)} ${String(mtu).padStart(5)}  ${sourceOf(known).padEnd(15)}  ${ends}`;
}

function renderSearch({ destination, interface: place, state, mtu, sent, answered, lost, blackHoles }: PathSearchState): string {
  const counts = `${sent} probes, ${answered} answers, ${lost} lost, ${blackHoles} black holes`;
  return `${destination.padEnd(16)} ${String(mtu ?? '-').padStart(5)}  ${state.toUpperCase().padEnd(15)}  ${counts}, ${place}`;
}

export function viewOfPathMtus({ pathMtus = [], pathSearches = [] }: Snapshot): View {
  const lines = [
    'Path MTUs, bytes of the outer datagram:',
    `${'Destination'.padEnd(16)} ${'MTU'.padStart(5)}  ${'Told by'.padEnd(15)}  Expires`,
    ...pathMtus.map(renderKnown),
    '',
    'Searches (crypto ipsec path-mtu-discovery probe):',
    `${'Destination'.padEnd(16)} ${'MTU'.padStart(5)}  State`,
    ...pathSearches.map(renderSearch),
  ];
  return { lines, json: { pathMtus, pathSearches } };
}
