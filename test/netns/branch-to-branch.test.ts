// Acceptance 2: every branch reaches every branch; the WAN sees nothing but ESP with the hosts' own addresses and ToS.
//
//   h1 10.0.1.10 -- r1 --\
//   h2 10.0.2.10 -- r2 --- core [capture, what comes in] -- r4 key server
//   h3 10.0.3.10 -- r3 --/            \-- inet: no way to the branches
//
//   every host :: ping, with several ToS   :: 0 % loss
//   every host :: iperf3                   :: bytes arrive
//   core       :: 10.0/16 <-> 10.0/16      :: only ESP; outer ToS of what h1 sent = inner ToS
//   r1         :: show crypto ipsec sa     :: packets both ways, no errors

import t from 'tap';
import { Lab } from '../support/lab.js';
import { readCapture, splitBranchPackets } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { capture } from '../support/tshark.js';

const hosts = ['h1', 'h2', 'h3'] as const;
const pairs = hosts.flatMap((from) => hosts.filter((to) => to !== from).map((to) => ({ from, to })));
const addressOf = (host: string) => `10.0.${host.slice(1)}.10`;
const tosValues = [0x00, 0x28, 0x48, 0xb8, 0xc0];

for (const config of ['lab', 'seed']) {
  t.test(`configuration ${config}`, async (t) => {
    const lab = await Lab.up({ config });
    t.teardown(() => lab.down());
    const tap = await capture(lab, 'core', 'any', '-Q in ip');

    for (const { from, to } of pairs) {
      const output = await lab.run(from, ['ping', ...pings(3), addressOf(to)]);
      t.match(output.stdout, / 0% packet loss/, `ping ${from} to ${to}`);
    }
    for (const tos of tosValues) {
      const output = await lab.run('h1', ['ping', ...pings(2), '-Q', String(tos), addressOf('h2')]);
      t.match(output.stdout, / 0% packet loss/, `ping with ToS ${tos}`);
    }
    await Promise.all(
      hosts.map(async (host) => {
        const server = lab.spawn(host, ['iperf3', '-s', '--forceflush']);
        t.teardown(() => server.stop('SIGKILL'));
        await server.says(/listening/);
      }),
    );
    for (const { from, to } of pairs) {
      const output = await lab.run(from, ['iperf3', '-c', addressOf(to), '-n', '2M', '-J'], 15_000);
      const received = JSON.parse(output.stdout || '{}').end?.sum_received?.bytes ?? output.stderr;
      // It ends when 2 MiB are handed to the sender's socket; what was read by then counts.
      t.ok(received > 100_000, `iperf3 ${from} to ${to} moves bytes: ${received}`);
    }
    await tap.stop();

    const { esp, clear } = splitBranchPackets(readCapture(tap.file));
    t.equal(clear.length, 0, 'packets between branches in the clear');
    const seen = new Set(esp.map(({ source, destination }) => `${source} ${destination}`));
    const expected = pairs.map(({ from, to }) => `${addressOf(from)} ${addressOf(to)}`);
    t.same([...seen].sort(), expected.sort(), 'outer addresses are those of the branch hosts');
    const tosSeen = new Set(esp.filter(({ source }) => source === addressOf('h1')).map(({ tos }) => tos));
    for (const tos of tosValues) t.ok(tosSeen.has(tos), `outer ToS ${tos} seen (all: ${[...tosSeen].join(' ')})`);

    const { ipsec } = (await lab.show('r1', 'crypto ipsec sa')) as { ipsec: { flows: Record<string, number | string>[] }[] };
    const flows = ipsec.flatMap((entry) => entry.flows).filter((flow) => flow.action === 'permit');
    const sum = (key: string) => flows.reduce((total, flow) => total + Number(flow[key]), 0);
    t.ok(sum('encapsulated') > 0 && sum('decapsulated') > 0, `r1 counts what it sealed and opened: ${JSON.stringify(flows)}`);
    t.equal(sum('sendErrors') + sum('receiveErrors'), 0, 'errors that r1 counts');
  });
}
