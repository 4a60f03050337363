// Names that IOS gives to ICMP messages and to values of the ToS octet. On printing, a number that has a name is shown by it.

/** Type, and code where the name means one. */
export const icmpMessages = new Map<string, [type: number, code: number | null]>([
  ['administratively-prohibited', [3, 13]],
  ['alternate-address', [6, null]],
  ['conversion-error', [31, null]],
  ['dod-host-prohibited', [3, 10]],
  ['dod-net-prohibited', [3, 9]],
  ['echo', [8, null]],
  ['echo-reply', [0, null]],
  ['general-parameter-problem', [12, 0]],
  ['host-isolated', [3, 8]],
  ['host-precedence-unreachable', [3, 14]],
  ['host-redirect', [5, 1]],
  ['host-tos-redirect', [5, 3]],
  ['host-tos-unreachable', [3, 12]],
  ['host-unknown', [3, 7]],
  ['host-unreachable', [3, 1]],
  ['information-reply', [16, null]],
  ['information-request', [15, null]],
  ['mask-reply', [18, null]],
  ['mask-request', [17, null]],
  ['mobile-redirect', [32, null]],
  ['net-redirect', [5, 0]],
  ['net-tos-redirect', [5, 2]],
  ['net-tos-unreachable', [3, 11]],
  ['net-unreachable', [3, 0]],
  ['network-unknown', [3, 6]],
  ['no-room-for-option', [12, 2]],
  ['option-missing', [12, 1]],
  ['packet-too-big', [3, 4]],
  ['parameter-problem', [12, null]],
  ['port-unreachable', [3, 3]],
  ['precedence-unreachable', [3, 15]],
  ['protocol-unreachable', [3, 2]],
  ['reassembly-timeout', [11, 1]],
  ['redirect', [5, null]],
  ['router-advertisement', [9, null]],
  ['router-solicitation', [10, null]],
  ['source-quench', [4, null]],
  ['source-route-failed', [3, 5]],
  ['time-exceeded', [11, null]],
  ['timestamp-reply', [14, null]],
  ['timestamp-request', [13, null]],
  ['traceroute', [30, null]],
  ['ttl-exceeded', [11, 0]],
  ['unreachable', [3, null]],
]);

const assured = [1, 2, 3, 4].flatMap((level) => [1, 2, 3].map((drop): [string, number] => [`af${level}${drop}`, level * 8 + drop * 2]));
const selectors = [1, 2, 3, 4, 5, 6, 7].map((level): [string, number] => [`cs${level}`, level * 8]);
/** RFC 2474, 2597, 3246. */
export const dscpNames = new Map<string, number>([...assured, ...selectors, ['default', 0], ['ef', 46]]);

/** RFC 791 §3.1. */
export const precedenceNames = new Map([
  ['critical', 5],
  ['flash', 3],
  ['flash-override', 4],
  ['immediate', 2],
  ['internet', 6],
  ['network', 7],
  ['priority', 1],
  ['routine', 0],
]);

/** RFC 1349 §4. */
export const tosNames = new Map([
  ['max-reliability', 2],
  ['max-throughput', 4],
  ['min-delay', 8],
  ['min-monetary-cost', 1],
  ['normal', 0],
]);

/** The name of a value, or the number. */
export function describeValue(names: Map<string, number>, value: number): string {
  for (const [name, number] of names) if (number === value) return name;
  return String(value);
}

/** As an entry has it behind its destination: a name, a type, or a type and a code. */
export function describeIcmp(type: number, code: number | null): string {
  for (const [name, message] of icmpMessages) if (message[0] === type && message[1] === code) return name;
  return code === null ? String(type) : `${type} ${code}`;
}
