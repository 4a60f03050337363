// Path MTUs that the dataplane has learnt: by destination for what is encrypted, by tunnel for GRE.

import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { PathMtuState } from '../api/snapshot-path.js';
import type { Allocation } from '../compile/allocation.js';
import { interfacesByPort } from '../compile/interfaces-by-port.js';
import { formatIpv4 } from '../config/addresses.js';
import type { Config } from '../config/model.js';

type Learnt = SnapshotHead['pathMtus'][number];

function learntOf(dataplane: SnapshotHead | null): readonly Learnt[] {
  // A dataplane that is older than control does not tell.
  return (dataplane as Partial<SnapshotHead> | null)?.pathMtus ?? [];
}

/** @param address, mask of the destinations that are asked about, unsigned @returns the smallest MTU of a path to any of them, `mtu` at the most */
export function pathMtuTo(dataplane: SnapshotHead | null, mtu: number, address: number, mask: number): number {
  const isWithin = ({ destination, port }: Learnt) => port === null && (destination & mask) >>> 0 === (address & mask) >>> 0;
  return Math.min(
    mtu,
    ...learntOf(dataplane)
      .filter(isWithin)
      .map((row) => row.mtu),
  );
}

/** @returns null = none is known */
export function pathMtuOfTunnel(dataplane: SnapshotHead | null, port: number): { mtu: number; remainingSeconds: number | null } | null {
  const row = learntOf(dataplane).find((learnt) => learnt.port === port);
  return row ? { mtu: row.mtu, remainingSeconds: row.remainingSeconds } : null;
}

export function pathMtuStates(config: Config, allocation: Allocation, dataplane: SnapshotHead | null): PathMtuState[] {
  const names = interfacesByPort(config, allocation);
  return learntOf(dataplane).map(({ destination, port, router, ...rest }) => ({
    destination: formatIpv4(destination),
    tunnel: port === null ? null : (names.get(port) ?? null),
    router: router === 0 ? null : formatIpv4(router),
    ...rest,
  }));
}
