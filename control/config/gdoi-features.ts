/** What `show crypto gdoi feature` asks about, in the words of IOS. */
export const gdoiFeatures = {
  ckm: 'CKM',
  'crl-check': 'CRL check',
  'cts-sgt': 'CTS SGT',
  'dp-recovery': 'Data-plane error recovery',
  'gdoi-interop-ack': 'GDOI interoperable acknowledgement (RFC 8263)',
  'gdoi-mib': 'GDOI MIB',
  gikev2: 'G-IKEv2',
  'gm-removal': 'Removal of group members',
  'ip-d3p': 'IP D3P',
  'long-sa-lifetime': 'Long SA lifetime',
  pfs: 'PFS',
  'policy-replace': 'Replacement of policy',
  'suite-b': 'Suite B',
} as const;
export type GdoiFeature = keyof typeof gdoiFeatures;
