// Sessions of probes over a link that is made here: what is opened, told and closed; and the stream to the cli and its ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CounterSet } from '../../../control/api/counters.js';
import { runProbe } from '../../../control/api/probe-client.js';
import type { ProbeEvent } from '../../../control/api/probe-events.js';
import { type ApiOptions, startApi } from '../../../control/api/server.js';
import { checkConfig } from '../../../control/config/check.js';
import { type ProbeLink, Prober, probeCounters } from '../../../control/probe/prober.js';
import type { Router } from '../../../control/router.js';
import type { ProbeSocket } from '../../../dataplane/tables/probe.js';
import { answerOf } from '../../exchange/control/probe/network.js';
import { emptySnapshot } from '../cli/show/sample.js';

const configuration = 'interface eth0\n ip address 172.16.1.2 255.255.255.0\ninterface Tunnel0\n';

/** A dataplane in front of a wide path. `silent`: nothing comes back. */
function makeLink(change: { error?: string; silent?: boolean } = {}) {
  const opened: ProbeSocket[] = [];
  const closed: number[] = [];
  const link: ProbeLink = {
    onProbe: null,
    openProbe: async (_session, socket) => {
      opened.push(socket);
      return change.error ?? '';
    },
    sendProbe: (message, bytes) => {
      if (message.type === 'probe-close') closed.push(message.session);
      if (message.type !== 'probe-send' || !bytes) return;
      const { session, number, ttl } = message;
      const at = Number(process.hrtime.bigint()) / 1e6;
      queueMicrotask(() => {
        link.onProbe?.({ type: 'probe-sent', session, number, errno: 0, at }, new Uint8Array(0));
        const answer = change.silent ? null : answerOf([], 1, ttl, bytes);
        if (answer) link.onProbe?.({ type: 'probe-answer', session, at: at + 3 }, answer);
      });
    },
  };
  const counters = new CounterSet(probeCounters);
  const router = { config: checkConfig(configuration).config } as unknown as Router;
  return { link, opened, closed, counters, prober: new Prober(link, router, counters) };
}

const never = new AbortController().signal;

t.test('a ping from its beginning to its end', async (t) => {
  const { prober, opened, closed, counters } = makeLink();
  const events: ProbeEvent[] = [];
  await prober.run('ping 10.0.3.1 repeat 3 df-bit tos 184 source eth0', never, (event) => events.push(event));
  t.strictSame(opened, [{ protocol: 1, source: 0xac100102, tos: 184, dontFragment: true }]);
  t.match(events, [
    { kind: 'begin', target: '10.0.3.1', source: '172.16.1.2' },
    ...Array.from({ length: 3 }, () => ({ kind: 'echo', mark: '!', ms: 3 })),
  ]);
  t.equal(closed.length, 1);
  t.strictSame(
    counters.values().map(({ value }) => value),
    [3, 3, 0],
  );
});

t.test('what cannot begin', async (t) => {
  const { prober, opened } = makeLink();
  for (const [line, message] of [
    ['ping 10.0.3.1 source 10.9.9.9', /^% Invalid source address- .*10\.9\.9\.9$/],
    ['ping 10.0.3.1 source Tunnel0', /^% Invalid source interface- .*Tunnel0$/],
    ['ping 10.0.3.1 size 1', /^% Invalid input/],
    ['show version', /^% neither ping/],
  ] as const) {
    await t.rejects(
      prober.run(line, never, () => t.fail('nothing is told')),
      { message },
    );
  }
  t.equal(opened.length, 0);
  await t.rejects(
    makeLink({ error: 'run as root' }).prober.run('ping 10.0.3.1', never, () => undefined),
    { message: '% run as root' },
  );
});

t.test('ended by the operator, or with the dataplane', async (t) => {
  const stop = new AbortController();
  const one = makeLink({ silent: true });
  const running = one.prober.run('ping 10.0.3.1 timeout 3600', stop.signal, () => stop.abort());
  await running;
  t.equal(one.closed.length, 1);
  const two = makeLink({ silent: true });
  const events: ProbeEvent[] = [];
  const other = two.prober.run('traceroute 10.0.3.1', never, (event) => {
    events.push(event);
    if (event.kind === 'begin') setImmediate(() => two.link.onProbe?.(null, new Uint8Array(0)));
  });
  await other;
  t.match(events, [{ kind: 'begin' }, { kind: 'failed', text: '% The dataplane does not answer' }]);
  t.match(two.opened, [{ protocol: 17 }]);
});

t.test('the stream to the cli', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'groupwire-probe-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  let aborted: (() => void) | null = null;
  const gone = new Promise<void>((resolve) => {
    aborted = resolve;
  });
  const begin: ProbeEvent = { kind: 'begin', target: '10.0.3.1', source: null };
  const probe: ApiOptions['probe'] = async (line, signal, tell) => {
    if (line === 'refused') throw new Error('% no');
    tell(begin);
    if (line === 'short') return;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    aborted?.();
  };
  const socketPath = join(directory, 'control.sock');
  const unused = async (): Promise<never> => {
    throw new Error('not asked here');
  };
  const api = await startApi({
    ...{ socketPath, probe, packetTrace: unused, natTranslations: async () => null, exec: unused, execWithFile: unused },
    edit: () => {
      throw new Error('not asked here');
    },
    snapshot: async () => emptySnapshot(),
    ready: () => ({ ready: true, missing: [] }),
  });
  t.teardown(() => api.close());
  const events: ProbeEvent[] = [];
  await runProbe(socketPath, 'short', never, (event) => events.push(event));
  t.strictSame(events, [begin]);
  await t.rejects(
    runProbe(socketPath, 'refused', never, () => t.fail('nothing is told')),
    { message: '% no' },
  );
  const stop = new AbortController();
  await runProbe(socketPath, 'long', stop.signal, () => stop.abort());
  await gone;
  t.pass('the probe ends with the connection');
});
