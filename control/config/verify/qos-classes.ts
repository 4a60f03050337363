// class-maps: that what they name is there, that they end, that something can match.

import { describeMatch } from '../commands/class-map.js';
import { type ClassMap, type ClassMatch, type Config, DefaultClass } from '../model.js';
import { containsItself } from './containment.js';
import type { Findings } from './findings.js';

function verifyMatch(config: Config, item: ClassMap, match: ClassMatch, findings: Findings): void {
  const field = describeMatch(match);
  if (match.kind === 'access-group' && !config.accessLists.has(match.list))
    findings.error(item, field, `there is no access list ${match.list}`);
  if (match.kind === 'class-map' && !config.classMaps.has(match.name)) findings.error(item, field, `there is no class-map ${match.name}`);
}

function classMapsIn(config: Config, name: string): string[] {
  return (config.classMaps.get(name)?.matches ?? []).flatMap((match) => (match.kind === 'class-map' ? [match.name] : []));
}

/** A packet has one DSCP: two lines of a match-all class that share none match nothing. */
function warnContradiction(item: ClassMap, findings: Findings): void {
  if (item.match !== 'all') return;
  for (const kind of ['dscp', 'precedence'] as const) {
    const lists = item.matches.flatMap((match) => (match.kind === kind && !match.not ? [match.values] : []));
    if (lists.length < 2 || lists[0].some((value) => lists.every((list) => list.includes(value)))) continue;
    findings.warning(
      item,
      '',
      `class-map ${item.name} matches nothing: no packet has all of its ${kind} values`,
      `match-any, or one match ${kind}`,
    );
  }
}

/** @returns class-maps that other ones contain */
export function verifyClassMaps(config: Config, findings: Findings): Set<string> {
  const contained = new Set<string>();
  for (const item of config.classMaps.values()) {
    for (const match of item.matches) {
      verifyMatch(config, item, match, findings);
      if (match.kind === 'class-map') contained.add(match.name);
    }
    if (containsItself(item.name, (name) => classMapsIn(config, name))) findings.error(item, '', `class-map ${item.name} contains itself`);
    if (item.matches.length === 0)
      findings.warning(item, '', `class-map ${item.name} matches nothing: it has no match`, 'match access-group name A');
    warnContradiction(item, findings);
  }
  return contained;
}

/** @param used names of class-maps that something uses */
export function warnUnusedClasses(config: Config, used: ReadonlySet<string>, findings: Findings): void {
  for (const item of config.classMaps.values())
    if (!used.has(item.name) && item.name !== DefaultClass)
      findings.warning(item, '', `class-map ${item.name} is used by nothing`, 'policy-map P, class NAME');
}
