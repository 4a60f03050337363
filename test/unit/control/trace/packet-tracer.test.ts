// packet-tracer outside the dataplane: the line, the datagram it stands for, the answer as text.

import t from 'tap';
import { renderTrace } from '../../../../cli/packet-tracer.js';
import type { PacketTrace } from '../../../../control/api/packet-trace.js';
import { parseExec, type TraceCommand } from '../../../../control/config/exec.js';
import { buildDatagram, toHex } from '../../../../control/trace/datagram.js';
import { withPseudo } from '../../../path/nat/flows.js';
import { sumOf } from '../../../path/packets.js';

function parse(line: string): TraceCommand {
  const command = parseExec(line);
  if ('error' in command || command.kind !== 'packet-tracer') throw new Error(`${line}: ${JSON.stringify(command)}`);
  return command;
}

t.test('lines', (t) => {
  t.match(parse('packet-tracer input gi0/0 tcp 10.0.0.1 5000 10.0.0.2 www'), {
    interface: 'GigabitEthernet0/0',
    flow: { protocol: 6, source: 0x0a000001, destination: 0x0a000002, ports: { source: 5000, destination: 80 }, icmp: null, size: null },
    decrypted: false,
    detailed: false,
    json: false,
  });
  t.match(parse('packet in eth0 udp 10.0.0.1 domain 10.0.0.2 53 size 900 df-bit tos 184 detailed json decrypted'), {
    flow: { protocol: 17, ports: { source: 53, destination: 53 }, size: 900, dontFragment: true, tos: 184 },
    decrypted: true,
    detailed: true,
    json: true,
  });
  t.match(parse('packet-tracer input eth0 icmp 10.0.0.1 echo 0 10.0.0.2').flow, { protocol: 1, icmp: { type: 8, code: 0 }, ports: null });
  t.match(parse('packet-tracer input eth0 esp 10.0.0.1 0xABCDEF01 10.0.0.2').flow, { protocol: 50, spi: 0xabcdef01 });
  t.match(parse('packet-tracer input eth0 gre 10.0.0.1 10.0.0.2').flow, { protocol: 47 });
  t.match(parse('packet-tracer input eth0 201 10.0.0.1 10.0.0.2').flow, { protocol: 201 });
  for (const line of [
    'packet-tracer input eth0',
    'packet-tracer input eth0 tcp 10.0.0.1 5000 10.0.0.2',
    'packet-tracer input eth0 tcp 10.0.0.1 70000 10.0.0.2 80',
    'packet-tracer input eth0 esp 10.0.0.1 255 10.0.0.2',
    'packet-tracer input eth0 esp 10.0.0.1 0x100000000 10.0.0.2',
    'packet-tracer input eth0 icmp 10.0.0.1 8 10.0.0.2',
    'packet-tracer input eth0 gre 10.0.0.1 10.0.0.2 size 27',
    'packet-tracer input eth0 gre 10.0.0.1 10.0.0.2 size 2000',
    'packet-tracer input eth0 gre 10.0.0.1 10.0.0.2 json json',
    'packet-tracer input eth0 300 10.0.0.1 10.0.0.2',
  ])
    t.ok('error' in parseExec(line), line);
  t.end();
});

t.test('the datagram: lengths and checksums by an independent sum', (t) => {
  for (const line of [
    'tcp 10.0.0.1 5000 10.0.0.2 80',
    'tcp 10.0.0.1 5000 10.0.0.2 80 established',
    'udp 10.0.0.1 5000 10.0.0.2 53',
    'icmp 10.0.0.1 8 0 10.0.0.2',
  ])
    for (const size of ['', ' size 28', ' size 901'])
      for (const options of ['', ' tos 185 df-bit']) {
        const { flow } = parse(`packet-tracer input eth0 ${line}${size}${options}`);
        const bytes = buildDatagram(flow);
        const view = new DataView(bytes.buffer);
        t.equal(sumOf(bytes.subarray(0, 20)), 0, `${line}${size}: header`);
        t.equal(view.getUint16(2), bytes.length);
        if (size === ' size 901') t.equal(bytes.length, 901);
        t.equal(sumOf(bytes[9] === 1 ? bytes.subarray(20) : withPseudo(bytes)), 0, `${line}${size}: transport`);
        t.strictSame([bytes[1], view.getUint16(6)], options === '' ? [0, 0] : [185, 0x4000]);
        t.equal(toHex(bytes).length, bytes.length * 2);
      }
  const segment = buildDatagram(parse('packet-tracer input eth0 tcp 10.0.0.1 5000 10.0.0.2 80 established').flow);
  t.equal(segment[33], 0x10);
  t.end();
});

t.test('as ASA prints it', (t) => {
  const packet = {
    source: '10.0.0.1',
    destination: '10.0.0.2',
    protocol: 'udp',
    sourcePort: 5000,
    destinationPort: 53,
    tos: 0,
    ttl: 64,
    bytes: 28,
    dontFragment: true,
  };
  const trace: PacketTrace = {
    phases: [
      {
        number: 1,
        type: 'ROUTE-LOOKUP',
        subtype: 'Resolve Egress Interface',
        result: 'ALLOW',
        config: [{ line: 7, text: 'ip route 0.0.0.0 0.0.0.0 10.0.0.9' }],
        information: ['Found next-hop 10.0.0.9 using egress interface eth1'],
        stage: '40-route',
        before: packet,
        after: packet,
        rows: { accessList: [], nat: [3], policy: [] },
      },
      {
        number: 2,
        type: 'CRYPTO-MAP',
        subtype: '',
        result: 'DROP',
        config: [{ line: 0, text: 'policy of group G, entry 1: permit ip any any' }],
        information: [],
        stage: '55-crypto-map',
        before: packet,
        after: packet,
        rows: { accessList: [], nat: [], policy: [] },
      },
    ],
    result: {
      input: { interface: 'eth0', status: 'up' },
      output: null,
      action: 'drop',
      dropReason: { name: 'no_sa', text: 'group policy wants encryption but no SA is usable' },
      sent: [],
    },
    generation: 3,
    worker: 0,
  };
  t.equal(
    renderTrace(trace, false).join('\n'),
    `Phase: 1
Type: ROUTE-LOOKUP
Subtype: Resolve Egress Interface
Result: ALLOW
Config:
ip route 0.0.0.0 0.0.0.0 10.0.0.9 (line 7)
Additional Information:
 Found next-hop 10.0.0.9 using egress interface eth1

Phase: 2
Type: CRYPTO-MAP
Subtype:
Result: DROP
Config:
policy of group G, entry 1: permit ip any any
Additional Information:

Result:
input-interface: eth0
input-status: up
input-line-status: up
Action: drop
Drop-reason: (no_sa) group policy wants encryption but no SA is usable`,
  );
  const detailed = renderTrace(trace, true).join('\n');
  t.match(detailed, '\n Stage 40-route\n  in:  udp 10.0.0.1/5000 -> 10.0.0.2/53, tos 0, ttl 64, 28 bytes, DF\n');
  t.match(detailed, '\n  rows of nat: 3\n');
  t.match(detailed, /\nTables: generation 3, worker 0$/);
  t.end();
});
