// ip virtual-reassembly of an interface, as data.

/** What is absent is not bounded further than the dataplane does it. */
export interface VirtualReassembly {
  /** `max-reassemblies`: datagrams in fragments at a time. */
  maxDatagrams?: number;
  /** `max-fragments` of one datagram. */
  maxFragments?: number;
  /** `timeout`. */
  timeoutSeconds?: number;
  dropFragments?: true;
}
