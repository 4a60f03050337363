// Metrics of path MTUs and of the searches for them.

import type { Metric } from './metric.js';

export const pathMetrics: readonly Metric[] = [
  {
    name: 'path_mtu_bytes',
    help: 'Path MTUs that were learnt, of the outer datagram',
    samples: ({ pathMtus = [] }) => pathMtus.map(({ destination, tunnel, mtu }) => [{ destination, tunnel: tunnel ?? '' }, mtu]),
  },
  {
    name: 'path_search_complete',
    help: 'Whether a search for a path MTU has ended: 0 while it goes on, or nobody answers',
    samples: ({ pathSearches = [] }) =>
      pathSearches.map(({ destination, interface: place, state }) => [
        { destination, interface: place },
        Number(state === 'search-complete'),
      ]),
  },
];
