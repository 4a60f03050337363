// UDP ports of IKE.

/** GDOI (RFC 6407 §2.2): phase 1 with DOI 2, GROUPKEY-PULL and -PUSH. */
export const GdoiPort = 848;
/** ISAKMP (RFC 2408 §2.5.1): phase 1 with DOI 1. */
export const IkePort = 500;
