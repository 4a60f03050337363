// What `ip -j` prints, and what it says when a command fails: rows that make sense, or an Error with a text; nothing else is thrown, and no number is
// out of its range. ip is the machine's own; its versions differ, and names of netdevs are anybody's.

import { parseLinux } from '../../dataplane/port/linux-state.js';
import { parseNeighbours } from '../../dataplane/port/neighbours.js';
import { readBatchErrors } from '../../dataplane/port/run-command.js';

function tryRead(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Error) || error.constructor !== Error || error.message === '') throw error;
  }
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new RangeError(what);
}

const isWord = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffffffff;

function check(value: unknown): void {
  tryRead(() => {
    const { links, addresses, routes, rules } = parseLinux(value, value, value, value);
    for (const { index, mtu } of links.values()) expect(isWord(index) && isWord(mtu), `index ${index}, MTU ${mtu}`);
    for (const { address, prefixLength } of addresses) expect(isWord(address) && prefixLength <= 32, `${address}/${prefixLength}`);
    for (const { prefix, gateway, source, metric, table, type } of routes)
      expect([prefix.address, gateway, source, metric, table, type].every(isWord) && prefix.prefixLength <= 32, 'a route');
    for (const { from, to } of rules)
      for (const end of [from, to]) expect(end === null || (isWord(end.address) && end.prefixLength <= 32), 'a selector');
  });
  tryRead(() => {
    for (const { address, mac } of parseNeighbours(value)) {
      expect(address < 0xe0000000 && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac), `${address} at ${mac}`);
    }
  });
}

/** @param bytes JSON, each kind of dump at once; and what a batch wrote to stderr */
export function fuzz(bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes);
  const commands = ['route add a', 'route add b'];
  for (const { command, reason } of readBatchErrors(commands, text))
    expect((command === '' || commands.includes(command)) && reason !== '' && !reason.includes('\n'), `${command}: ${reason}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  check(value);
}

export const seeds: readonly Uint8Array[] = [
  '[{"ifindex":2,"ifname":"eth0","flags":["UP","LOWER_UP"],"mtu":1500,"link_type":"ether","address":"02:00:00:00:00:01"},{}]',
  '[{"ifindex":2,"ifname":"eth0","mtu":1,"addr_info":[{"family":"inet","local":"10.0.0.1","prefixlen":24,"secondary":true}]}]',
  '[{"dst":"default","gateway":"10.0.0.254","dev":"eth0","protocol":"3","prefsrc":"10.0.0.1","metric":5,"flags":["dead"]}]',
  '[{"type":"1","dst":"10.0.0.0/8","table":"254","scope":"253","nexthops":[{"gateway":"1.1.1.1","dev":"a","flags":[]},{"dev":"b"}]}]',
  '[{"priority":90,"src":"10.0.0.0","srclen":8,"dst":"all","iif":"eth0","ipproto":"17","sport_start":1,"sport_end":9,"table":"5"}]',
  '[{"priority":60,"fwmark":"0x67770000","dport":848,"goto":9,"protocol":"84"},{"priority":0,"action":"6"}]',
  '[{"dst":"10.0.0.9","dev":"eth0","lladdr":"02:00:00:00:00:09","state":["STALE"]},{"dst":"224.0.0.1","lladdr":"01:00:5e:00:00:01","state":["NOARP"]}]',
  'RTNETLINK answers: File exists\nCommand failed -:1\nError: Nexthop has invalid gateway.\nCommand failed -:2\nCommand failed -:3\n',
].map((text) => new TextEncoder().encode(text));
