// Names that IOS gives to IP protocols and ports in access lists. On printing, a number that has a name is shown by it.

export const protocolNumbers = new Map([
  ['ahp', 51],
  ['eigrp', 88],
  ['esp', 50],
  ['gre', 47],
  ['icmp', 1],
  ['igmp', 2],
  ['ipinip', 4],
  ['nos', 94],
  ['ospf', 89],
  ['pcp', 108],
  ['pim', 103],
  ['sctp', 132],
  ['tcp', 6],
  ['udp', 17],
]);

/** Protocols whose headers begin with ports: TCP, UDP, DCCP, SCTP, UDP-Lite. */
export const protocolsWithPorts: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

export const tcpPorts = new Map([
  ['bgp', 179],
  ['chargen', 19],
  ['cmd', 514],
  ['daytime', 13],
  ['discard', 9],
  ['domain', 53],
  ['echo', 7],
  ['exec', 512],
  ['finger', 79],
  ['ftp', 21],
  ['ftp-data', 20],
  ['gopher', 70],
  ['hostname', 101],
  ['ident', 113],
  ['irc', 194],
  ['klogin', 543],
  ['kshell', 544],
  ['login', 513],
  ['lpd', 515],
  ['msrpc', 135],
  ['nntp', 119],
  ['pim-auto-rp', 496],
  ['pop2', 109],
  ['pop3', 110],
  ['smtp', 25],
  ['sunrpc', 111],
  ['tacacs', 49],
  ['talk', 517],
  ['telnet', 23],
  ['time', 37],
  ['uucp', 540],
  ['whois', 43],
  ['www', 80],
]);

export const udpPorts = new Map([
  ['biff', 512],
  ['bootpc', 68],
  ['bootps', 67],
  ['discard', 9],
  ['dnsix', 195],
  ['domain', 53],
  ['echo', 7],
  ['isakmp', 500],
  ['mobile-ip', 434],
  ['nameserver', 42],
  ['netbios-dgm', 138],
  ['netbios-ns', 137],
  ['netbios-ss', 139],
  ['non500-isakmp', 4500],
  ['ntp', 123],
  ['pim-auto-rp', 496],
  ['rip', 520],
  ['snmp', 161],
  ['snmptrap', 162],
  ['sunrpc', 111],
  ['syslog', 514],
  ['tacacs', 49],
  ['talk', 517],
  ['tftp', 69],
  ['time', 37],
  ['who', 513],
  ['xdmcp', 177],
]);

function invert(names: Map<string, number>): Map<number, string> {
  return new Map([...names].map(([name, number]) => [number, name]));
}

const protocolNames = invert(protocolNumbers);
const tcpNames = invert(tcpPorts);
const udpNames = invert(udpPorts);

/** @param protocol IP protocol number, null = any */
export function describeProtocol(protocol: number | null): string {
  return protocol === null ? 'ip' : (protocolNames.get(protocol) ?? String(protocol));
}

export function describePort(port: number, protocol: number | null): string {
  const names = protocol === 6 ? tcpNames : udpNames;
  return names.get(port) ?? String(port);
}
