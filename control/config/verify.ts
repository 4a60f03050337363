// What a single line cannot tell: that everything a configuration refers to is there, that a group's policy can be carried by the
// wire, and which choices are weak. Errors keep a configuration from being applied, warnings do not.
// Cannot see: the length of RSA keys that exist already, whether netdevs exist, what other routers are configured with.

import type { Config, Problem } from './model.js';
import { verifyAccessLists } from './verify/access-lists.js';
import { verifyFailClose } from './verify/fail-close.js';
import { Findings } from './verify/findings.js';
import { verifyGdoi } from './verify/gdoi.js';
import { verifyCryptoMaps, verifyInterfaces, verifyRoutes } from './verify/interfaces.js';
import { verifyIpsec, verifyIsakmp, verifyKeyExport, verifyKeyrings, verifyTrustpoints } from './verify/isakmp.js';
import { verifyMulticast } from './verify/multicast.js';
import { verifyNat } from './verify/nat.js';
import { verifyQos } from './verify/qos.js';

/** @returns problems in no particular order; a thing that two others refer to is reported once */
export function verifyConfig(config: Config): Problem[] {
  const findings = new Findings();
  verifyIsakmp(config, findings);
  verifyKeyrings(config, findings);
  verifyKeyExport(config, findings);
  verifyTrustpoints(config, findings);
  verifyIpsec(config, findings);
  verifyGdoi(config, findings);
  verifyCryptoMaps(config, findings);
  verifyFailClose(config, findings);
  verifyInterfaces(config, findings);
  verifyAccessLists(config, findings);
  verifyMulticast(config, findings);
  verifyNat(config, findings);
  verifyRoutes(config, findings);
  verifyQos(config, findings);
  const seen = new Set<string>();
  return findings.problems.filter((problem) => {
    const key = `${problem.line} ${problem.message}`;
    return !seen.has(key) && seen.add(key);
  });
}
