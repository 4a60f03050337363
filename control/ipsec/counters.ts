// Counters of Quick Mode, declared once. WireError of this folder names one of them; the engine adds to it.

export const ipsecCounters: { name: string; help: string }[] = [
  { name: 'ipsec_quick_mode_started', help: 'Quick Mode exchanges begun, in either role' },
  { name: 'ipsec_quick_mode_completed', help: 'Quick Mode exchanges that led to a pair of SAs' },
  { name: 'ipsec_quick_mode_failed', help: 'Quick Mode exchanges given up or refused by the peer' },
  { name: 'ipsec_quick_mode_malformed', help: 'Quick Mode messages that prove their sender and break the format' },
  { name: 'ipsec_quick_mode_auth_failed', help: 'Quick Mode messages whose HASH payload is wrong' },
  { name: 'ipsec_quick_mode_unexpected', help: 'Quick Mode messages that fit no exchange, or that are too many at once' },
  { name: 'ipsec_quick_mode_retransmits', help: 'Quick Mode messages sent again, by timer or because the peer repeated itself' },
  { name: 'ipsec_no_proposal', help: 'Quick Mode offers, or answers, of which no transform is one of ours' },
  { name: 'ipsec_no_flow', help: 'Quick Mode offers for traffic that no crypto map entry permits' },
  { name: 'ipsec_too_many', help: 'Quick Mode offers refused because there are as many flows or SAs as there may be' },
  { name: 'ipsec_rekeys', help: 'Pairs of SAs that were replaced before they expired' },
  { name: 'ipsec_sas_deleted', help: 'Pairs of SAs that are gone: expired, deleted by either side, or of a peer that is dead' },
  { name: 'ipsec_invalid_spi_sent', help: 'INVALID-SPI notifications sent to peers that use an SA that is not here' },
  { name: 'ipsec_invalid_spi_received', help: 'INVALID-SPI notifications of peers that name an SA of ours' },
];
