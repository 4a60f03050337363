// How a metric is declared: its name, its help, and where in the snapshot its samples are. Pure.

import type { InterfaceState, MemberGroupState, ProcessState, ServerGroupState, Snapshot } from './snapshot.js';

type Labels = Record<string, string>;
export type Sample = [labels: Labels, value: number];

export interface Metric {
  /** Ends in `_total` for counters. */
  name: string;
  help: string;
  samples: (snapshot: Snapshot) => Sample[];
  /** Samples are its buckets, cumulative, with a label `le`. */
  isHistogram?: true;
}

/** One sample per element of a list. */
export function each<T>(
  name: string,
  help: string,
  list: (snapshot: Snapshot) => T[],
  labels: (item: T) => Labels,
  value: (item: T) => number,
): Metric {
  return { name, help, samples: (snapshot) => list(snapshot).map((item) => [labels(item), value(item)]) };
}

export const one = (name: string, help: string, value: (snapshot: Snapshot) => number): Metric => ({
  name,
  help,
  samples: (snapshot) => [[{}, value(snapshot)]],
});

export const interfaceLabels = ({ name }: InterfaceState) => ({ interface: name });
export const onInterface = (name: string, help: string, value: (state: InterfaceState) => number) =>
  each(`interface_${name}`, help, (snapshot) => snapshot.interfaces, interfaceLabels, value);
export const onMember = (name: string, help: string, value: (state: MemberGroupState) => number) =>
  each(
    `group_${name}`,
    help,
    (snapshot) => snapshot.gdoiMembers,
    (state) => ({ group: state.group }),
    value,
  );
export const onServer = (name: string, help: string, value: (state: ServerGroupState) => number) =>
  each(
    `server_${name}`,
    help,
    (snapshot) => snapshot.gdoiServers,
    (state) => ({ group: state.group }),
    value,
  );
export const onProcess = (name: string, help: string, value: (state: ProcessState) => number) =>
  each(
    `process_${name}`,
    help,
    (snapshot) => snapshot.processes,
    (state) => ({ process: state.name }),
    value,
  );
