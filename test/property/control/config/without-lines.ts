// What print and parse must carry: all but line numbers.

/** The same configuration without line numbers, as plain comparable data. */
export function withoutLines(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, item]) => [key, withoutLines(item)]);
  if (Array.isArray(value)) return value.map(withoutLines);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .filter(([key]) => key !== 'line')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, withoutLines(item)]);
}
