// The link for multicast of the addon against the kernel and scapy, in network namespaces. Needs root.

import { runBody } from './own-namespace.js';

await runBody('./group-body.js');
