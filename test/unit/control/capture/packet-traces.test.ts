// `debug platform packet-trace` without a dataplane: what it asks for, how many it takes, how it ends.

import t from 'tap';
import { PacketTraces } from '../../../../control/capture/packet-traces.js';
import { Recordings } from '../../../../control/capture/recordings.js';
import type { CaptureRecord } from '../../../../control/capture/records.js';
import { Allocation } from '../../../../control/compile/allocation.js';
import { parseExec } from '../../../../control/config/exec.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { CaptureDirection, CapturePlace, type ToCapture } from '../../../../dataplane/tables/capture.js';
import { ipv4 } from '../../../path/packets.js';

const { config } = parseConfig(
  'interface eth0\n ip address 10.0.0.1 255.255.255.0\ninterface eth1\n ip address 10.0.1.1 255.255.255.0\naccess-list 7 permit 10.0.0.5\n',
);
const head = { type: 'captured', session: 0, wallMs: 1000, lost: 0, last: false } as const;

function start() {
  const sent: ToCapture[] = [];
  const allocation = new Allocation();
  for (const name of config.interfaces.keys()) allocation.ports.take(name);
  const recordings = new Recordings((message) => sent.push(message) > 0, 0);
  const traces = new PacketTraces({ router: { config, allocation }, recordings });
  t.teardown(() => traces.close());
  const run = (line: string) => traces.run(parseExec(line));
  return { sent, recordings, traces, run };
}

function record(packet: number, direction: CaptureDirection, port: number): CaptureRecord {
  return {
    place: CapturePlace.Wire,
    port,
    direction,
    reason: -1,
    micros: packet,
    packet,
    bytes: ipv4({ src: '10.0.0.5', dst: '10.0.1.7' }),
  };
}

t.test('so many packets, each with its way, in the order in which they came', (t) => {
  const { sent, traces, run, recordings } = start();
  t.match(run('debug platform packet-trace packet 2 access-list 7'), {
    output: 'The next 2 packets that access list 7 permits are traced',
    error: null,
  });
  t.match(sent, [{ type: 'capture-start', wire: 3, inner: true, follow: true }]);
  t.match(run('debug platform packet-trace packet 5'), { error: '% debug platform packet-trace is active: stop it first' });
  traces.take(head, [record(8, CaptureDirection.In, 0), record(9, CaptureDirection.In, 1), record(10, CaptureDirection.In, 0)]);
  traces.take(head, [record(8, CaptureDirection.Out, 1), record(10, CaptureDirection.Out, 1)]);
  t.match(traces.state(), {
    active: true,
    packets: [
      { input: 'eth0', output: 'eth1', state: 'FWD', begin: 1_000_008 },
      { input: 'eth1', output: null, state: 'HELD' },
    ],
  });
  t.equal(traces.state().packets.length, 2, 'the third is one too many');
  t.match(run('undebug platform packet-trace'), { output: 'Packet tracing is off' });
  t.match([traces.state().active, traces.state().packets.length, recordings.busy], [false, 2, null], 'what was found stays');
  t.match(sent.at(-1), { type: 'capture-stop' });
  t.end();
});

t.test('undebug all ends it, and others hear it too; a list that is not there', (t) => {
  const { traces, run } = start();
  t.match(run('debug platform packet-trace packet 1 access-list NONE'), { error: '% access list NONE does not exist, or is empty' });
  run('debug platform packet-trace packet 1');
  t.equal(run('undebug all'), null);
  t.equal(traces.state().active, false);
  t.ok('error' in parseExec('debug platform packet-trace packet 0'));
  t.ok('error' in parseExec('debug platform packet-trace packet 5000'));
  t.end();
});
