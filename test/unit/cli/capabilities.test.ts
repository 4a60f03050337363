import t from 'tap';
import { isInSet } from '../../../cli/capabilities.js';
import { hasNetAdmin } from '../../../dataplane/port/capabilities.js';

const status = (effective: string, bounding: string) =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapEff:\t${effective}\nCapBnd:\t${bounding}\n`;

t.test('bits of /proc/PID/status', (t) => {
  const service = status('0000008000007400', '0000008000007400'); // what groupwire-dataplane@ and net_bind_service come to
  for (const name of ['net_admin', 'net_raw', 'net_bind_service', 'ipc_lock', 'bpf'] as const) t.ok(isInSet(service, 'CapEff', name), name);
  t.notOk(isInSet(service, 'CapEff', 'setpcap'));
  t.ok(hasNetAdmin(service));
  const container = status('0000000000001000', '0000000000001000');
  t.ok(isInSet(container, 'CapBnd', 'net_admin') && hasNetAdmin(container));
  t.notOk(isInSet(container, 'CapBnd', 'bpf'));
  t.notOk(hasNetAdmin(status('0000000000000000', '000001ffffffffff')), 'the bounding set is no right');
  t.notOk(hasNetAdmin('Name:\tnode\n') || isInSet('', 'CapEff', 'bpf'), 'a kernel without capabilities');
  t.end();
});
