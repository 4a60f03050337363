// What a show command gives, and how it picks what a name on its line means.

/** Something named on the line does not exist; the message is IOS's `% ...`. */
export class ShowError extends Error {
  override name = 'ShowError';
}

export interface View {
  lines: string[];
  json: unknown;
}

/** The elements of a list that bear a name, all for null. @throws ShowError when none does */
export function select<T>(list: readonly T[], name: string | null, nameOf: (item: T) => string, what: string): T[] {
  const found = name === null ? [...list] : list.filter((item) => nameOf(item) === name);
  if (name !== null && found.length === 0) throw new ShowError(`% ${what} ${name} does not exist`);
  return found;
}
