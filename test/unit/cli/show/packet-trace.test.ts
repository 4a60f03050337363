// `show platform packet-trace`: the summary, one packet, JSON of the same.

import t from 'tap';
import { renderShow } from '../../../../cli/show/index.js';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import type { PacketTraceState } from '../../../../control/api/snapshot-packet-trace.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { emptySnapshot } from './sample.js';

const packet = {
  source: '10.0.1.10',
  destination: '198.51.100.7',
  protocol: 'udp',
  sourcePort: 1000,
  destinationPort: 53,
  tos: 0,
  ttl: 63,
  bytes: 61,
  dontFragment: false,
};
const micros = Date.UTC(2026, 10, 27, 1, 2, 3) * 1000;
const input = { type: 'INPUT', subtype: '', interface: 'FastEthernet0/1', packet, information: [] };
const translated = { ...packet, source: '172.16.1.2' };
const packetTrace: PacketTraceState = {
  active: true,
  wanted: 3,
  accessList: 'WEB',
  packets: [
    {
      input: 'FastEthernet0/1',
      output: 'FastEthernet0/0',
      state: 'FWD',
      reason: null,
      begin: micros + 4005,
      end: micros + 4006,
      steps: [
        input,
        {
          type: 'NAT',
          subtype: '',
          interface: 'FastEthernet0/0',
          packet: translated,
          information: ['source 10.0.1.10/1000 became 172.16.1.2/1000'],
        },
        { type: 'OUTPUT', subtype: '', interface: 'FastEthernet0/0', packet: translated, information: [] },
      ],
    },
    {
      input: 'FastEthernet0/1',
      output: null,
      state: 'DROP',
      reason: { name: 'acl_in', text: 'denied' },
      begin: micros,
      end: micros,
      steps: [input],
    },
  ],
};

function render(words: string, change: Partial<Snapshot> = { packetTrace }): string {
  const { pipe, ...topic } = parseExec(`show platform packet-trace ${words}`) as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, { ...emptySnapshot(), ...change });
}

t.test('text', (t) => {
  t.equal(
    render('summary'),
    `Pkt   Input                     Output                    State  Reason
0     FastEthernet0/1           FastEthernet0/0           FWD
1     FastEthernet0/1           -                         DROP   (acl_in)
Packet tracing is on: 2 of 3 packets, access list WEB
`,
  );
  t.equal(render('summary', {}).split('\n')[1], 'Packet tracing is off');
  t.equal(
    render('packet 0'),
    `Packet: 0
Summary
  Input     : FastEthernet0/1
  Output    : FastEthernet0/0
  State     : FWD
  Timestamp
    Start   : 2026-11-27T01:02:03.004005Z
    Stop    : 2026-11-27T01:02:03.004006Z
Path Trace
  INPUT: FastEthernet0/1
    udp 10.0.1.10/1000 -> 198.51.100.7/53, tos 0, ttl 63, 61 bytes
  NAT: FastEthernet0/0
    udp 172.16.1.2/1000 -> 198.51.100.7/53, tos 0, ttl 63, 61 bytes
    source 10.0.1.10/1000 became 172.16.1.2/1000
  OUTPUT: FastEthernet0/0
    udp 172.16.1.2/1000 -> 198.51.100.7/53, tos 0, ttl 63, 61 bytes
`,
  );
  t.match(render('packet 1'), /\n {2}State {5}: DROP \(acl_in\) denied\n/);
  t.match(render('packet all'), /^Packet: 0\n[\s\S]*\n\nPacket: 1\n/);
  t.throws(() => render('packet 2'), { message: '% Packet 2 was not traced' });
  t.strictSame(JSON.parse(render('summary | json')), { packetTrace });
  t.strictSame(JSON.parse(render('packet 1 | json')), { packets: [{ number: 1, ...packetTrace.packets[1] }] });
  t.end();
});
