import type { Results } from './results.js';

export function markdown(results: Results, name: string): string {
  return `${name} ${results.rounds.length}\n`;
}
