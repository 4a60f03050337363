import type { Config, Problem } from './model.js';
export function verifyConfig(_config: Config): Problem[] {
  return [];
}
