// `show ip virtual-reassembly`: where fragments are looked at, and within which bounds.

import { FragmentLimit } from '../../dataplane/tables/limits.js';
import type { ReassemblyState } from '../api/snapshot-path.js';
import type { Config } from '../config/model.js';

export function reassemblyStates(config: Config): ReassemblyState[] {
  return [...config.interfaces.values()].flatMap(({ name, nat, virtualReassembly: bounds }) =>
    nat === undefined && !bounds
      ? []
      : {
          interface: name,
          datagrams: bounds?.maxDatagrams ?? FragmentLimit.Datagrams,
          fragments: bounds?.maxFragments ?? null,
          timeoutSeconds: bounds?.timeoutSeconds ?? FragmentLimit.TimeoutMs / 1000,
          dropFragments: bounds?.dropFragments === true,
        },
  );
}
