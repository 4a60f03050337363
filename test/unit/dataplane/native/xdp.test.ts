// The xdp driver of the addon against the kernel and scapy, in network namespaces. Needs root.

import { runBody } from './own-namespace.js';

await runBody('./xdp-body.js');
