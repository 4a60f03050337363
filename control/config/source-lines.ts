// Which line of the text each setting came from. Kept beside the model and not in it, so that the model stays what a configuration
// means: two texts that mean the same compare as equal.

export interface Source {
  line: number;
  /** Secrets masked. */
  text: string;
}

const sources = new WeakMap<object, Map<string, Source>>();

export function recordSource(target: object, field: string, source: Source): void {
  let fields = sources.get(target);
  if (!fields) {
    fields = new Map();
    sources.set(target, fields);
  }
  fields.set(field, source);
}

/** Where `field` was set, else where its object begins, else line 0 (a configuration that no text made). */
export function sourceOf(target: object, field: string): Source {
  const fields = sources.get(target);
  const known = fields?.get(field) ?? fields?.get('');
  if (known) return known;
  return { line: 'line' in target && typeof target.line === 'number' ? target.line : 0, text: '' };
}
