// iperf3's UDP, counted in a way that a machine without a CPU to spare does not make a loss.

interface Sum {
  packets: number;
  lost_packets: number;
}

/** @param snmp /proc/net/snmp of a node. @returns datagrams that reached it and found a UDP socket full */
function refusedIn(snmp: string): number {
  const [names, values] = snmp
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('RcvbufErrors')]);
}

/**
 * @param json what iperf3 -J printed
 * @param snmp /proc/net/snmp of the node that received
 * @returns datagrams that were sent, that did not reach the node, and that it refused because its socket was full. iperf3 does not miss those behind
 *   the last one that it read, so it may refuse more than iperf3 lost. @throws Error that iperf3 told
 */
export function readUdpReport(json: string, snmp: string): { packets: number; lost: number; refused: number } {
  const { end, error } = JSON.parse(json) as { end: { sum?: Sum }; error?: string };
  if (error !== undefined || !end.sum) throw new Error(`iperf3: ${error}`);
  const refused = refusedIn(snmp);
  return { packets: end.sum.packets, lost: Math.max(0, end.sum.lost_packets - refused), refused };
}
