// Interface names: IOS types and their abbreviations -> the full name; anything that can be a Linux netdev's name stays as it is.
// `eth0` is the netdev and `Ethernet0/0`, `e0/0`, `Eth0/0` the IOS name: a netdev's name cannot contain a slash. `tun0` is the netdev, `tu0` Tunnel0.

const types = ['GigabitEthernet', 'FastEthernet', 'Ethernet', 'TenGigabitEthernet', 'Loopback', 'Tunnel'];

/** Types that IOS has and we do not carry (yet). */
const otherTypes = [
  'Serial',
  'Vlan',
  'Port-channel',
  'Dialer',
  'BVI',
  'BDI',
  'Null',
  'Multilink',
  'Virtual-Template',
  'ATM',
  'POS',
  'Cellular',
  'TwoGigabitEthernet',
  'FiveGigabitEthernet',
  'TwentyFiveGigE',
  'FortyGigabitEthernet',
  'HundredGigE',
];

/** Abbreviations of IOS types that are how netdevs are called as well: `eth0`, `tun0`, `tunl0` are these. */
const netdevLetters = ['eth', 'tun', 'tunl'];

/** Longest name of a Linux netdev: IFNAMSIZ - 1. */
const NetdevNameMax = 15;

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** `0`, `0/1`, `0/0/3`: decimal numbers without leading zeros, at most four. */
function isUnit(text: string): boolean {
  const parts = text.split('/');
  return (
    parts.length <= 4 &&
    parts.every(
      (part) =>
        part.length > 0 && part.length <= 4 && (part === '0' || part[0] !== '0') && [...part].every((c) => isDigit(c.charCodeAt(0))),
    )
  );
}

function lettersOf(text: string): string {
  let end = 0;
  while (end < text.length && (isLetter(text.charCodeAt(end)) || text[end] === '-')) end++;
  return text.slice(0, end);
}

function isNetdevName(text: string): boolean {
  if (text.length === 0 || text.length > NetdevNameMax || !isLetter(text.charCodeAt(0))) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isLetter(code) && !isDigit(code) && code !== 0x2d && code !== 0x2e && code !== 0x5f) return false;
  }
  return true;
}

/** Types that begin with `prefix`, without regard to case. */
function typesFor(prefix: string, from: string[]): string[] {
  return from.filter((type) => type.toLowerCase().startsWith(prefix.toLowerCase()));
}

/**
 * @param apart the unit is a word of its own (`tun 0`): then an abbreviation is no netdev's name and counts too
 * @returns the IOS type that this router does not have, when `text` names one: for a clear error
 */
export function unsupportedInterfaceType(text: string, apart = false): string | null {
  const letters = lettersOf(text).toLowerCase();
  const named = otherTypes.find((type) => type.toLowerCase() === letters) ?? null;
  return named ?? (apart && letters.length >= 2 ? (typesFor(letters, otherTypes)[0] ?? null) : null);
}

/**
 * @param text `gi0/0`, `GigabitEthernet0/0`, `lo0`, `eth0`, or only the type when `unit` is given
 * @returns the full name, or null when it is neither an IOS name nor a possible netdev
 */
export function parseInterfaceName(text: string, unit?: string): string | null {
  const letters = lettersOf(text);
  if (letters.length === 0) return null;
  const number = unit ?? text.slice(letters.length);
  if (unit !== undefined && letters !== text) return null;
  if (unsupportedInterfaceType(text) !== null) return null;
  const isNetdev = unit === undefined && netdevLetters.includes(letters) && !number.includes('/');
  if (!isNetdev && isUnit(number)) {
    const exact = types.find((type) => type.toLowerCase() === letters.toLowerCase());
    const candidates = exact ? [exact] : typesFor(letters, [...types, 'Serial']);
    const isTunnelUnit = candidates[0] !== 'Tunnel' || !number.includes('/');
    if (candidates.length === 1 && types.includes(candidates[0]) && isTunnelUnit) return `${candidates[0]}${number}`;
  }
  return unit === undefined && isNetdevName(text) ? text : null;
}

/** True for the names that are not a netdev's and so need `linux-device`. */
export function isIosInterfaceName(name: string): boolean {
  const letters = lettersOf(name);
  return types.includes(letters) && isUnit(name.slice(letters.length)) && !isLoopback(name) && !isTunnel(name);
}

export function isLoopback(name: string): boolean {
  return name.startsWith('Loopback') && isUnit(name.slice('Loopback'.length));
}

/** A tunnel interface: its netdev has its name and is ours. */
export function isTunnel(name: string): boolean {
  return name.startsWith('Tunnel') && isUnit(name.slice('Tunnel'.length));
}
