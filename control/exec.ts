// Exec lines that change something: `crypto key generate rsa`, `crypto gdoi ks rekey`, `clear ...`. `show` lines are rendered by the cli
// from the snapshot and never arrive here.

import type { CounterSet } from './api/counters.js';
import type { PkiRequest } from './config/commands/pki-exec.js';
import type { KeyRequest } from './config/commands/rsa-key.js';
import { parseExec } from './config/exec.js';
import type { Config } from './config/model.js';
import type { SystemLog } from './log.js';
import { natPattern } from './nat-pattern.js';
import { RsaKeyError, type RsaKeys } from './pki/rsa-keys.js';
import type { Trustpoints } from './pki/trustpoints.js';
import type { Router } from './router.js';
import { originsOf } from './snapshot/access-lists.js';

export interface ExecMeans {
  rsaKeys: RsaKeys;
  counters: CounterSet;
  log: SystemLog;
  /** Hits by hit counter, as the dataplane has them now; null when there is none. */
  aceHits: readonly number[] | null;
  /** Ends NAT sessions whose words are `wanted` where `mask` has bits, all when both are empty. @returns false when there is no dataplane */
  clearNat(wanted: number[], mask: number[]): boolean;
  /** From now on `show` counts interfaces and drops anew; /metrics goes on. @returns false when no dataplane answers: nothing is cleared */
  clearCounters(): boolean;
  /** What `clear logging` clears. */
  logBuffer: { clear(): void };
}

export interface ExecAnswer {
  output: string;
  /** IOS's `% ...` line; null = done. */
  error: string | null;
}

export function done(...lines: string[]): ExecAnswer {
  return { output: lines.join('\n'), error: null };
}

export function refused(...lines: string[]): ExecAnswer {
  return { output: '', error: lines.join('\n') };
}

/** What they protected lives on. */
function clearIsakmp(connectionId: number | null, router: Router, now: number): ExecAnswer {
  const sas = router.ike.sas().filter((sa) => connectionId === null || sa.connectionId === connectionId);
  if (connectionId !== null && sas.length === 0) return refused(`% There is no ISAKMP SA ${connectionId}`);
  for (const sa of sas) router.perform(router.ike.deleteSa(sa, now), now);
  return done();
}

const NoDataplane = '% the dataplane does not answer';

/** IOS names a key without a label after the router: `R4.example.com`. */
function labelOf(request: KeyRequest, config: Config): string {
  return request.label ?? (config.domainName === null ? config.hostname : `${config.hostname}.${config.domainName}`);
}

/** A line of the configuration file that asks for a key: IOS would make the key once and never store the line, so a key that is there stays. */
export function ensureKeyOf(line: string, config: Config, means: Pick<ExecMeans, 'rsaKeys'>): ExecAnswer {
  const command = parseExec(line);
  if ('error' in command || command.kind !== 'crypto key generate rsa') return refused(`% not for a configuration file: ${line}`);
  return means.rsaKeys.privateKey(labelOf(command, config)) ? done() : generateKey(command, config, means);
}

/** Of lines of a configuration that is loaded while the router runs, where no key is made. @returns those whose key is not there */
export function withoutKey<T extends { text: string }>(lines: readonly T[], config: Config, rsaKeys: RsaKeys): T[] {
  return lines.filter(({ text }) => {
    const command = parseExec(text);
    return !('error' in command) && command.kind === 'crypto key generate rsa' && !rsaKeys.privateKey(labelOf(command, config));
  });
}

function generateKey(request: KeyRequest, config: Config, means: Pick<ExecMeans, 'rsaKeys'>): ExecAnswer {
  try {
    const { label, modulusBits, exportable } = means.rsaKeys.generate(labelOf(request, config), request.modulus, request.exportable);
    const kind = exportable ? 'exportable' : 'non-exportable';
    return done(
      `The name for the keys will be: ${label}`,
      `% The key modulus size is ${modulusBits} bits`,
      `% Generating ${modulusBits} bit RSA keys, keys will be ${kind}...[OK]`,
    );
  } catch (error) {
    if (error instanceof RsaKeyError) return refused(`% ${error.message}`);
    throw error;
  }
}

/** The groups an exec line means. @returns an error when there is none */
function chooseGroups(named: string | null, all: readonly { name: string }[], role: string): string[] | string {
  const names = all.map(({ name }) => name);
  if (named === null) return names.length > 0 ? names : `% This router is ${role} of no group`;
  return names.includes(named) ? [named] : `% This router is not ${role} of group ${named}`;
}

/** Looks at the trustpoint's files now, and says what it has then. */
function runPki({ action, trustpoint }: PkiRequest, trustpoints: Trustpoints | null): ExecAnswer {
  trustpoints?.refresh();
  const held = trustpoints?.states().find(({ state }) => state.name === trustpoint);
  if (!held) return refused(`% CA trustpoint ${trustpoint} is not known`);
  const { trust, identity } = held.state;
  const path = held.config.enrollmentPath;
  if (action === 'authenticate') {
    if (trust.anchors.length === 0) return refused(`% No CA certificate in ${path}.ca`);
    return done(...trust.anchors.map(({ fingerprint256 }) => `Fingerprint SHA256: ${fingerprint256.replaceAll(':', '')}`));
  }
  if (action === 'enroll') {
    return done(
      identity ? `% Certificate with serial number ${identity.certificate.serialNumber} is there` : `% Certificate request: ${path}.req`,
    );
  }
  if (trust.crls.length === 0) return refused(`% No certificate revocation list in ${path}.crl`);
  return done(...trust.crls.map(({ nextUpdate }) => `CRL is good until ${new Date(nextUpdate).toISOString()}`));
}

/** Of one list, or of all, with what groups' policies count. @param hits null = there is no dataplane, and no counters */
function clearAccessLists(name: string | null, { config, tables, allocation }: Router, hits: readonly number[] | null): ExecAnswer {
  if (name !== null && !config.accessLists.has(name)) return refused(`% access list ${name} does not exist`);
  if (hits === null) return refused(NoDataplane);
  const wanted = name === null ? null : originsOf(config, name);
  const counters = tables?.aceCounters.filter((_, row) => wanted === null || wanted.has(tables.aceOrigins[row].list)) ?? [];
  allocation.hits.clear(counters, hits);
  return done();
}

/** What is on now. */
function debugAnswer({ debug }: Router): ExecAnswer {
  return debug.active ? done(...debug.describe()) : done('All possible debugging has been turned off');
}

/** Carries one exec line out. @param now Unix ms */
export function runExec(line: string, router: Router, means: ExecMeans, now: number): ExecAnswer {
  const command = parseExec(line);
  if ('error' in command) return refused(command.error);
  switch (command.kind) {
    case 'debug packet-trace':
    case 'undebug packet-trace':
    case 'export keys wireshark':
    case 'monitor capture':
    case 'monitor capture stop':
    case 'no monitor capture':
    case 'write':
    case 'configure replace':
    case 'configure confirm':
    case 'configure revert':
    case 'reload check':
      return refused(`% ${command.kind} is not carried out here`);
    case 'enable':
    case 'disable':
    case 'logout':
    case 'configure terminal':
    case 'show history':
    case 'terminal width':
      return refused(`% ${command.kind} belongs to a shell`);
    case 'packet-tracer':
    case 'ping':
    case 'ping dialogue':
    case 'traceroute':
    case 'mtu path':
    case 'show':
      return refused(`% ${command.kind} lines are rendered by the groupwire command`);
    case 'terminal length':
      return done();
    case 'crypto key generate rsa':
      return generateKey(command, router.config, means);
    case 'crypto pki':
      return runPki(command, router.trustpoints);
    case 'crypto gdoi ks rekey': {
      const groups = chooseGroups(command.group, router.gdoi.serverGroups(), 'the key server');
      if (typeof groups === 'string') return refused(groups);
      for (const group of groups) router.perform(router.gdoi.rekey(group, now, command.immediately), now);
      return done();
    }
    case 'clear crypto gdoi ks members': {
      const groups = chooseGroups(command.group, router.gdoi.serverGroups(), 'the key server');
      if (typeof groups === 'string') return refused(groups);
      for (const group of groups) router.perform(router.gdoi.removeMembers(group, now, command.immediately), now);
      return done(...groups.map((group) => `Sending GM-Removal message to group ${group}...`));
    }
    case 'clear crypto gdoi': {
      const groups = chooseGroups(command.group, router.gdoi.memberGroups(), 'a member');
      if (typeof groups === 'string') return refused(groups);
      for (const group of groups) router.perform(router.gdoi.clearGroup(group, now), now);
      return done();
    }
    case 'clear crypto sa':
      router.perform(router.ipsec.clear(command.peer, now), now);
      return done();
    case 'clear crypto isakmp':
      return clearIsakmp(command.connectionId, router, now);
    case 'clear crypto session':
      router.perform([...router.ipsec.clear(command.peer, now), ...router.ipsec.disconnect(command.peer, now)], now);
      return done();
    case 'crypto gdoi gm ipsec direction': {
      const groups = chooseGroups(command.group, router.gdoi.memberGroups(), 'a member');
      if (typeof groups === 'string') return refused(groups);
      for (const group of groups) router.setDirection(group, command.direction, now);
      return done();
    }
    case 'clear access-list counters':
      return clearAccessLists(command.name, router, means.aceHits);
    case 'clear ip nat translation':
      return means.clearNat(...natPattern(command.filter)) ? done() : refused(NoDataplane);
    case 'clear logging':
      means.logBuffer.clear();
      return done();
    case 'debug':
      if (command.selection) router.debug.set(command.selection, command.on);
      else router.debug.clear();
      return debugAnswer(router);
    case 'debug crypto':
      router.debug.crypto.set(command.topic, command.on);
      return debugAnswer(router);
    case 'debug ip nat':
      if (command.list !== null && !router.config.accessLists.has(command.list))
        return refused(`% there is no access list ${command.list}`);
      router.debug.nat = command.level;
      router.debug.natList = command.list;
      return debugAnswer(router);
    case 'clear counters':
      return means.clearCounters() ? done() : refused(NoDataplane);
  }
}
