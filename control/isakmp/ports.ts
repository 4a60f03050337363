// UDP ports of IKE.

/** GDOI (RFC 6407 §2.2): phase 1 with DOI 2, GROUPKEY-PULL and -PUSH. */
export const GdoiPort = 848;
/** ISAKMP (RFC 2408 §2.5.1): phase 1 with DOI 1. */
export const IkePort = 500;
/** Phase 1 and what follows it behind an address translator (RFC 3947 §4). */
export const NatPort = 4500;
