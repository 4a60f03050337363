// What Prometheus' own tool says of files and of a scrape, and what a scrape holds.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Output, run } from './netns.js';

/** A series with its labels as they are written -> value; counters and buckets only. */
export type Counters = Map<string, number>;

/** @param text of a scrape that promtool is content with */
export function countersIn(text: string): Counters {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  const samples = [...text.matchAll(/^([a-z_][a-z0-9_]*)(\{.*\})? (\S+)$/gm)];
  const rises = (name: string) => types.get(name) === 'counter' || types.get(name.replace(/_(bucket|count)$/, '')) === 'histogram';
  return new Map(samples.filter(([, name]) => rises(name)).map(([, name, labels = '', value]) => [name + labels, Number(value)]));
}

/** Names of metrics that a file asks for. */
export function metricsNamedIn(text: string): string[] {
  return [...new Set(text.match(/\bgroupwire_[a-z0-9_]+/g))].toSorted();
}

/** Names of metrics that a scrape has samples of. */
export function metricsSampledIn(text: string): Set<string> {
  return new Set([...text.matchAll(/^([a-z_][a-z0-9_]*)[{ ]/gm)].map(([, name]) => name));
}

/** `promtool WORDS... FILE` over a file with that text. */
export async function promtool(words: readonly string[], text: string): Promise<Output> {
  const directory = mkdtempSync(join(tmpdir(), 'groupwire-promtool-'));
  try {
    const file = join(directory, 'input');
    writeFileSync(file, text);
    return await run(['sh', '-c', `exec promtool ${words.join(' ')} ${words.join(' ') === 'check metrics' ? '<' : ''} ${file}`]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
