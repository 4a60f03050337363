// What `match protocol` can name: protocols that the IP header and well-known ports tell (IANA). Does not: NBAR, which looks into payloads.

export interface QosProtocol {
  /** IP protocol numbers of which a packet must have one; empty: any. */
  protocols: number[];
  /** Of source or destination; empty: any. */
  ports: number[];
}

const [Tcp, Udp] = [6, 17];
const byNumber = (...protocols: number[]): QosProtocol => ({ protocols, ports: [] });
const tcp = (...ports: number[]): QosProtocol => ({ protocols: [Tcp], ports });
const udp = (...ports: number[]): QosProtocol => ({ protocols: [Udp], ports });
const both = (...ports: number[]): QosProtocol => ({ protocols: [Tcp, Udp], ports });

/** By IOS's name. */
export const qosProtocols = new Map<string, QosProtocol>([
  ['bgp', tcp(179)],
  ['dhcp', udp(67, 68)],
  ['dns', both(53)],
  ['egp', byNumber(8)],
  ['eigrp', byNumber(88)],
  ['ftp', tcp(20, 21)],
  ['gre', byNumber(47)],
  ['http', tcp(80)],
  ['icmp', byNumber(1)],
  ['imap', tcp(143)],
  ['ip', byNumber()],
  ['ipinip', byNumber(4)],
  ['ipsec', byNumber(50, 51)],
  ['ldap', tcp(389)],
  ['ntp', udp(123)],
  ['ospf', byNumber(89)],
  ['pop3', tcp(110)],
  ['rip', udp(520)],
  ['secure-http', tcp(443)],
  ['sip', both(5060)],
  ['smtp', tcp(25)],
  ['snmp', udp(161, 162)],
  ['ssh', tcp(22)],
  ['syslog', udp(514)],
  ['tcp', byNumber(Tcp)],
  ['telnet', tcp(23)],
  ['tftp', udp(69)],
  ['udp', byNumber(Udp)],
]);

/** What IOS can match with NBAR alone. */
export const nbarProtocols = ['bittorrent', 'citrix', 'h323', 'rtp', 'rtcp', 'rtsp', 'skinny', 'webex-meeting'];
