// X.500 names as configuration and command line write them: `CN=r1.example.net,O=Lab,C=DE` (RFC 4514's form with IOS's attribute names, most
// significant attribute where the operator puts it). Does: escapes with `\`, values in double quotes. Does not: several attributes in one RDN, hex.

/** Attribute types by the spellings that are read; the first of each is the one printed. */
const spellings = {
  CN: ['CN', 'COMMONNAME'],
  C: ['C'],
  DC: ['DC'],
  E: ['E', 'EMAIL', 'EMAILADDRESS'],
  L: ['L'],
  O: ['O'],
  OU: ['OU'],
  SERIALNUMBER: ['SERIALNUMBER', 'SN'],
  ST: ['ST', 'S'],
} as const;

export type NameType = keyof typeof spellings;

export interface NameAttribute {
  type: NameType;
  value: string;
}

/** What is wrong with a name, in words for the operator. */
export class NameError extends Error {}

/** RFC 5280 App. A: ub-common-name and most others. */
const LongestValue = 64;
const MaxAttributes = 16;
const types = new Map<string, NameType>(
  Object.entries(spellings).flatMap(([type, words]) => words.map((word): [string, NameType] => [word, type as NameType])),
);

function readType(text: string): NameType {
  const type = types.get(text.trim().toUpperCase());
  if (!type) throw new NameError(`"${text.trim().slice(0, 20)}" is not an attribute of a name: ${Object.keys(spellings).join(', ')}`);
  return type;
}

function checkValue(type: NameType, value: string): string {
  if (value.length === 0) throw new NameError(`${type} is empty`);
  if (value.length > LongestValue) throw new NameError(`${type} has ${value.length} characters: at most ${LongestValue}`);
  for (const character of value) if (character < ' ' || character === '\x7f') throw new NameError(`${type} has a control character`);
  const ascii = [...value].every((character) => character <= '~');
  if ((type === 'C' || type === 'DC' || type === 'E' || type === 'SERIALNUMBER') && !ascii) throw new NameError(`${type} must be ASCII`);
  if (type === 'C' && !(value.length === 2 && [...value.toUpperCase()].every((letter) => letter >= 'A' && letter <= 'Z')))
    throw new NameError('C is a country of two letters');
  return value;
}

/** Reads one value from `at`. @returns it, and where the next attribute begins */
function readValue(text: string, at: number): { value: string; next: number } {
  let value = '';
  /** Characters of `value` that trimming must leave. */
  let kept = 0;
  let quoted = false;
  let i = at;
  while (i < text.length && text[i] === ' ') i++;
  for (; i < text.length && (quoted || text[i] !== ','); i++) {
    if (text[i] === '\\') {
      if (++i >= text.length) throw new NameError('the name ends in a backslash');
      value += text[i];
      kept = value.length;
    } else if (text[i] === '"') {
      quoted = !quoted;
      kept = value.length;
    } else value += text[i];
  }
  if (quoted) throw new NameError('a double quote is not closed');
  let end = value.length;
  while (end > kept && value[end - 1] === ' ') end--;
  return { value: value.slice(0, end), next: i + 1 };
}

/** @returns at least one attribute, in the order of the text @throws NameError */
export function parseDistinguishedName(text: string): NameAttribute[] {
  const attributes: NameAttribute[] = [];
  for (let at = 0; at < text.length || attributes.length === 0; ) {
    const equals = text.indexOf('=', at);
    if (equals < 0) throw new NameError(`"${text.slice(at, at + 20)}" is no TYPE=VALUE`);
    const type = readType(text.slice(at, equals));
    const { value, next } = readValue(text, equals + 1);
    attributes.push({ type, value: checkValue(type, value) });
    if (attributes.length > MaxAttributes) throw new NameError(`a name of more than ${MaxAttributes} attributes`);
    if (next === text.length) throw new NameError('the name ends in a comma');
    at = next;
  }
  return attributes;
}

/** @returns a text that parseDistinguishedName() reads as the same attributes */
export function formatDistinguishedName(attributes: readonly NameAttribute[]): string {
  return attributes
    .map(({ type, value }) => {
      if (value === value.trim() && ![',', '"', '\\'].some((c) => value.includes(c))) return `${type}=${value}`;
      // Quotes, so that a space at the end of a line is not lost.
      return `${type}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    })
    .join(',');
}
