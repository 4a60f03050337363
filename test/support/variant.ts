// The same namespace cases over every way to run a router: `GROUPWIRE_VARIANT` names one. Without it, what the configurations say.
//
//   GROUPWIRE_VARIANT='outside=xdp inside=packet workers=2 offload=no' scripts/test netns/branch-to-branch
//
// The twin of the addon is chosen as everywhere, with GROUPWIRE_NATIVE=0.

import { type PortDriver, portDrivers } from '../../dataplane/tables/message.js';

export interface Variant {
  /** Driver of ports with a crypto map, and of the others. */
  outside?: PortDriver;
  inside?: PortDriver;
  offload: boolean;
  workers: number;
}

function driverOf(word: string): PortDriver {
  const driver = portDrivers.find((name) => name === word);
  if (driver === undefined) throw new Error(`GROUPWIRE_VARIANT: ${word} is not one of ${portDrivers.join(', ')}`);
  return driver;
}

/** @throws Error when it says something else than the above */
export function readVariant(text = process.env.GROUPWIRE_VARIANT ?? ''): Variant {
  const variant: Variant = { offload: true, workers: 1 };
  for (const setting of text.split(' ').filter((word) => word !== '')) {
    const [name, value] = setting.split('=');
    if (name === 'outside' || name === 'inside') variant[name] = driverOf(value);
    else if (name === 'offload' && (value === 'yes' || value === 'no')) variant.offload = value === 'yes';
    else if (name === 'workers' && /^[1-9]\d?$/.test(value)) variant.workers = Number(value);
    else throw new Error(`GROUPWIRE_VARIANT: ${setting}: outside=DRIVER, inside=DRIVER, offload=yes|no or workers=N is meant`);
  }
  return variant;
}

/** A configuration's Ethernet interfaces as the variant wants them. */
export function varyConfiguration(text: string, variant: Variant): string {
  return text
    .split(/^(?=interface )/m)
    .map((section) => {
      if (!/^ linux-device /m.test(section)) return section;
      const driver = /^ crypto map /m.test(section) ? variant.outside : variant.inside;
      const lines = [...(driver ? [` port-driver ${driver}`] : []), ...(variant.offload ? [] : [' no offload'])];
      return section.replace(/^( linux-device .*)$/m, [`$1`, ...lines].join('\n'));
    })
    .join('');
}
