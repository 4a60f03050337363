// `show monitor capture`: an active one, one that has ended, JSON, and none.

import t from 'tap';
import { renderShow } from '../../../../cli/show/index.js';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { emptySnapshot } from './sample.js';

const captures: Snapshot['captures'] = [
  {
    name: 'DONE',
    target: 'GigabitEthernet0/0',
    accessList: 'WEB',
    file: '/tmp/done.pcapng',
    limits: { packets: 100, bytes: 50_000, seconds: 30 },
    active: false,
    ended: 'as many packets as it may have',
    startedAt: 1000,
    endedAt: 4500,
    packets: 100,
    bytes: 12_345,
    dropped: 7,
    lost: 0,
  },
  {
    name: 'NOW',
    target: 'both',
    accessList: null,
    file: '/tmp/now.pcapng',
    limits: { packets: 100_000, bytes: 100_000_000, seconds: 600 },
    active: true,
    ended: null,
    startedAt: emptySnapshot().takenAt - 61_000,
    endedAt: null,
    packets: 5,
    bytes: 900,
    dropped: 0,
    lost: 2,
  },
];

function render(words: string, change: Partial<Snapshot>): string {
  const { pipe, ...topic } = parseExec(`show ${words}`) as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, { ...emptySnapshot(), ...change });
}

t.test('text', (t) => {
  t.equal(
    render('monitor capture', { captures }),
    `Status Information for Capture DONE
  Target Type:
  Interface: GigabitEthernet0/0, Direction: BOTH
   Status : Inactive (as many packets as it may have)
  Filter Details:
   Access-list: WEB
  File Details:
   Associated file name: /tmp/done.pcapng
  Limit Details:
   Number of Packets to capture: 100
   Packet Capture duration: 30
   Size of the file: 50000
  Captured:
   100 packets in 3 seconds, 12345 bytes, 7 of them dropped by this router
   0 packets were not recorded for want of room

Status Information for Capture NOW
  Target Type:
  Interface: both, Direction: BOTH
   Status : Active
  Filter Details:
   Capture all packets
  File Details:
   Associated file name: /tmp/now.pcapng
  Limit Details:
   Number of Packets to capture: 100000
   Packet Capture duration: 600
   Size of the file: 100000000
  Captured:
   5 packets in 61 seconds, 900 bytes, 0 of them dropped by this router
   2 packets were not recorded for want of room
`,
  );
  t.equal(render('monitor capture', {}), 'No captures\n');
  t.end();
});

t.test('one by name, and JSON of the same numbers', (t) => {
  t.match(render('monitor capture NOW', { captures }), /^Status Information for Capture NOW\n/);
  t.throws(() => render('monitor capture OTHER', { captures }), { message: '% Capture OTHER does not exist' });
  t.strictSame(JSON.parse(render('monitor capture | json', { captures })), { captures });
  t.end();
});
