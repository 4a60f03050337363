// One key server of bench/control.ts with its members, in a process of its own: it does one step when it is told to, and says what that cost.

import { join } from 'node:path';
import type { DhGroup } from '../control/config/model.js';
import { SealedStore } from '../control/store/sealed-store.js';
import { ControlLoad } from './control-load.js';

/** What the parent asks for; `fill` brings the group to its size. */
export type Step = 'fill' | 'registrations' | 'rekey';

/** CPU of the key server alone, us, and how long the push to all took, ms (rekey). */
export interface Cost {
  us: number;
  pushMs: number;
}

const [group, members, folder] = process.argv.slice(2);
const store = await SealedStore.open(join(folder, `${group}-${members}`));
let us = 0;
const load = new ControlLoad(
  Number(group) as DhGroup,
  { save: (bytes) => store.save('gdoi', bytes), append: (entry) => void store.append('gdoi', entry) },
  (run) => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    us += user + system;
  },
);

const steps: { [step in Step]: () => void } = {
  fill: () => load.register(Number(members)),
  registrations: () => load.restart(),
  rekey: () => load.rekey(),
};

process.on('message', (step: Step) => {
  globalThis.gc?.(); // what the members left to collect is not the key server's
  us = 0;
  steps[step]();
  process.send?.({ us, pushMs: load.pushMs } satisfies Cost);
});
process.on('disconnect', () => process.exit());
