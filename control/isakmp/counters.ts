// Counters of phase 1, declared once. WireError names one of them; the engine adds to it.

export const ikeCounters: { name: string; help: string }[] = [
  { name: 'ike_malformed', help: 'ISAKMP messages that break the format: lengths, counts, version' },
  { name: 'ike_undecryptable', help: 'ISAKMP messages that should have been encrypted for us and do not decrypt' },
  { name: 'ike_no_sa', help: 'ISAKMP messages for an SA that does not exist' },
  { name: 'ike_unexpected', help: 'ISAKMP messages that do not fit the state of their exchange' },
  { name: 'ike_no_proposal', help: 'Offers of which no transform matches a policy' },
  { name: 'ike_no_key', help: 'Peers for whom no pre-shared key is configured' },
  { name: 'ike_bad_public_value', help: 'Diffie-Hellman public values that are refused' },
  { name: 'ike_auth_failed', help: 'Messages whose HASH payload is wrong' },
  { name: 'ike_retransmits', help: 'ISAKMP messages sent again, by timer or because the peer repeated itself' },
  { name: 'ike_half_open_limited', help: 'Offers refused, or half-open exchanges given up, because too many are half open' },
  { name: 'ike_rate_limited', help: 'Key exchanges put off by the limit of registrations per second, before anything was computed' },
  { name: 'ike_unprotected_notifications', help: 'Notifications in clear: logged, never acted upon' },
  { name: 'ike_main_mode_started', help: 'Main mode exchanges begun, in either role' },
  { name: 'ike_main_mode_completed', help: 'Main mode exchanges that led to an SA' },
  { name: 'ike_main_mode_failed', help: 'Main mode exchanges given up' },
  { name: 'ike_sas_deleted', help: 'SAs that were up and are gone: expired, idle, or deleted by either side' },
];
