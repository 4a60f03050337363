// Beginnings and ends of NAT sessions: syslog lines as IOS's, JSON lines with the names of IPFIX, debug; what is too much is counted.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../../control/config/parse.js';
import { NatLog, natDebugFilter } from '../../../control/nat-log.js';
import { NatLogEvent, NatLogRow, NatRow } from '../../../dataplane/tables/layout.js';
import { until } from '../../support/netns.js';

function rowsOf(...events: Partial<Record<number, number>>[]): Int32Array {
  const rows = new Int32Array(events.length * NatRow.Words);
  for (const [i, event] of events.entries()) {
    const all = {
      [NatRow.InsideAddress]: 0x0a00010a,
      [NatRow.GlobalAddress]: 0xcb007132 | 0,
      [NatRow.OutsideAddress]: 0xc6336407 | 0,
      [NatRow.OutsideLocal]: 0xc6336407 | 0,
      [NatRow.InsidePorts]: (5000 << 16) | 80,
      [NatRow.OutsidePorts]: (6000 << 16) | 80,
      [NatRow.Protocol]: 6,
      [NatLogRow.Event]: NatLogEvent.Created,
      [NatLogRow.At]: 250,
      [NatRow.PacketsOut]: 3,
      ...event,
    };
    for (const [word, value] of Object.entries(all)) rows[i * NatRow.Words + Number(word)] = value as number;
  }
  return rows;
}

function make() {
  const lines: string[] = [];
  const log = new NatLog({
    write: (facility, severity, mnemonic, text) => void lines.push(`%${facility}-${severity}-${mnemonic}: ${text}`),
  });
  return { log, lines };
}

t.test('syslog', (t) => {
  const { log, lines } = make();
  t.notOk(log.wants('off'));
  log.configure({ syslog: true, file: null });
  t.ok(log.wants('off'));
  const icmp = {
    [NatRow.Protocol]: 1,
    [NatRow.InsidePorts]: 7 << 16,
    [NatRow.OutsidePorts]: 9 << 16,
    [NatLogRow.Event]: NatLogEvent.Ended,
  };
  log.take(rowsOf({}, icmp), 'off', 1_000_000);
  t.strictSame(lines, [
    '%IPNAT-6-CREATED: tcp 10.0.1.10:5000 203.0.113.50:6000 198.51.100.7:80 198.51.100.7:80',
    '%IPNAT-6-DELETED: icmp 10.0.1.10:7 203.0.113.50:9 198.51.100.7:7 198.51.100.7:9',
  ]);
  lines.length = 0;
  log.take(rowsOf(...Array.from({ length: 300 }, () => ({}))), 'off', 1_000_000);
  t.equal(lines.length, 201);
  t.equal(lines[200], '%IPNAT-4-LOG_LOST: 100 beginnings and ends of translations were not logged: too many at once');
  t.equal(log.lost, 100);
  t.end();
});

t.test('debug ip nat', (t) => {
  const { log, lines } = make();
  log.take(rowsOf({}, { [NatRow.OutsideLocal]: 0xc0a80905 | 0 }), 'on', 0);
  log.take(rowsOf({ [NatLogRow.Event]: NatLogEvent.Ended, [NatRow.Rule]: 0x11001 }), 'detailed', 0);
  t.strictSame(lines, [
    '%IPNAT-7-DEBUG: NAT: s=10.0.1.10->203.0.113.50, d=198.51.100.7 created',
    '%IPNAT-7-DEBUG: NAT: s=10.0.1.10->203.0.113.50, d=192.168.9.5->198.51.100.7 created',
    '%IPNAT-7-DEBUG: NAT: s=10.0.1.10->203.0.113.50, d=198.51.100.7 deleted: tcp 10.0.1.10:5000 203.0.113.50:6000 198.51.100.7:80 198.51.100.7:80, mapping 4098, 3 packets out, 0 in',
  ]);
  log.take(rowsOf(...Array.from({ length: 300 }, () => ({}))), 'on', 0);
  t.equal(lines.length, 3 + 20, 'not more at once');
  t.end();
});

t.test('debug ip nat LIST: what the list permits, first match decides', (t) => {
  const { config } = parseConfig(`access-list 7 deny 10.0.1.11
access-list 7 permit 10.0.1.0 0.0.0.255
object-group network WEB
 host 198.51.100.7
ip access-list extended L
 deny tcp any any eq 81
 deny tcp any any established
 permit tcp any range 4999 5000 object-group WEB gt 79
 permit udp any neq 5000 any lt 54
 permit icmp any any echo
`);
  const flow = (more: object = {}) => rowsOf(more);
  const udp = (from: number, to: number) => ({ [NatRow.Protocol]: 17, [NatRow.InsidePorts]: (from << 16) | to });
  const cases: [string, object, boolean][] = [
    ['7', {}, true],
    ['7', { [NatRow.InsideAddress]: 0x0a00010b }, false],
    ['7', { [NatRow.InsideAddress]: 0x0a00020b }, false],
    ['L', {}, true],
    ['L', { [NatRow.InsidePorts]: (5000 << 16) | 81 }, false],
    ['L', { [NatRow.InsidePorts]: (5001 << 16) | 80 }, false],
    ['L', { [NatRow.OutsideLocal]: 0xc0a80905 | 0 }, false],
    ['L', udp(5001, 53), true],
    ['L', udp(5000, 53), false],
    ['L', udp(5001, 54), false],
    ['L', { [NatRow.Protocol]: 1 }, true],
    ['L', { [NatRow.Protocol]: 47 }, false],
    ['GONE', {}, false],
  ];
  for (const [list, more, isShown] of cases) {
    const { log, lines } = make();
    log.take(flow(more), 'on', 0, natDebugFilter(config, list));
    t.equal(lines.length, Number(isShown), `${list} ${JSON.stringify(more)}`);
  }
  const { log, lines } = make();
  const others = Array.from({ length: 30 }, () => ({ [NatRow.InsideAddress]: 0x0a00010b }));
  log.take(rowsOf(...others, {}), 'on', 0, natDebugFilter(config, '7'));
  t.equal(lines.length, 1, 'what is not shown takes nobody’s place');
  t.end();
});

t.test('JSON lines', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-nat-log-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { log, lines } = make();
  const file = join(folder, 'nat.json');
  log.configure({ syslog: false, file });
  log.take(rowsOf({}, { [NatLogRow.Event]: NatLogEvent.Ended }), 'off', 1_000_000);
  log.configure({ syslog: false, file: join(folder, 'no', 'such') });
  await until('the lines', () => existsSync(file) && readFileSync(file, 'utf8').split('\n').length === 3);
  const [first, second] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.strictSame(first, {
    observationTimeMilliseconds: 999_750,
    natEvent: 4,
    protocolIdentifier: 6,
    sourceIPv4Address: '10.0.1.10',
    postNATSourceIPv4Address: '203.0.113.50',
    destinationIPv4Address: '198.51.100.7',
    postNATDestinationIPv4Address: '198.51.100.7',
    sourceTransportPort: 5000,
    postNAPTSourceTransportPort: 6000,
    destinationTransportPort: 80,
    postNAPTDestinationTransportPort: 80,
    packetsOut: 3,
    packetsIn: 0,
  });
  t.equal(second.natEvent, 5);
  await until('the error to be told', () => lines.some((line) => /^%IPNAT-3-LOG_FILE: .*ENOENT/.test(line)));
  log.close();
});
