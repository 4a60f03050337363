// crypto map NAME gdoi fail-close: that it closes something, and that its exceptions are there.

import type { Config, CryptoMapEntry, FailClose } from '../model.js';
import type { Findings } from './findings.js';

/** Drops what its groups cannot protect yet. @param map name of a crypto map */
export function isFailClosed(config: Config, map: string): boolean {
  return config.failClose.get(map)?.activated === true;
}

/** A group of a map that is applied and not closed is fail-open, the default of IOS. */
export function warnFailOpen(config: Config, entry: CryptoMapEntry, findings: Findings): void {
  if (isFailClosed(config, entry.name)) return;
  const message = `group ${entry.group} is fail-open: until it is registered, its traffic is forwarded in the clear`;
  findings.warning(entry, 'group', message, `crypto map ${entry.name} gdoi fail-close, with match address and activate`);
}

export function verifyFailClose(config: Config, findings: Findings): void {
  for (const failClose of config.failClose.values()) verifyOne(config, failClose, findings);
}

function verifyOne(config: Config, failClose: FailClose, findings: Findings): void {
  const { name, matchAddress } = failClose;
  const entries = config.cryptoMaps.get(name) ?? [];
  if (!entries.some(({ group }) => group !== null))
    findings.error(
      failClose,
      '',
      `crypto map ${name} has no group: fail-close would never open`,
      `crypto map ${name} 10 gdoi, set group G`,
    );
  if (!failClose.activated)
    findings.warning(failClose, '', `fail-close of crypto map ${name} is not activated: the map is fail-open`, 'activate');
  if (matchAddress === null) {
    if (failClose.activated)
      findings.warning(
        failClose,
        'activated',
        `fail-close of crypto map ${name} has no exceptions: until registration nothing passes, your SSH session included`,
        'match address ACL, with deny entries for what must pass',
      );
    return;
  }
  const list = config.accessLists.get(matchAddress);
  if (!list) findings.error(failClose, 'matchAddress', `there is no access list ${matchAddress}`);
  else if (list.kind !== 'extended')
    findings.error(failClose, 'matchAddress', `access list ${list.name} is a standard one: fail-close needs an extended one`);
}
