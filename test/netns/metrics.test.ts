// /metrics on live routers: Prometheus' own tool is content with them, they have what the alert rules and the dashboard ask for, and no counter ever goes back: not over a
// rekey, a reload, nor when control is killed and another one takes over.
//
//   h1 -- r1 [curl-like, 5 a second] --- core --- r2 -- h2        200 datagrams a second each way
//         r4 [the same]
//
//   r1, r4 :: promtool check metrics :: no complaint
//   r1, r4 :: rekey, SIGHUP with the same and with another file, kill -9 of control, rekey :: counters only rise, none but those of ended SAs is gone

import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Lab, type Router, repoRoot, substitute } from '../support/lab.js';
import { type Background, until } from '../support/netns.js';
import { type Counters, countersIn, metricsNamedIn, metricsSampledIn, promtool } from '../support/prometheus.js';
import { Flow } from '../support/traffic.js';

const policy = `policy-map OUT
 class class-default
  fair-queue
interface FastEthernet0/0
 service-policy output OUT
end`;

/** One scrape after the other, each behind a zero byte; none while nobody listens. */
const scraper = `
import sys, time, urllib.request
while True:
    try: sys.stdout.write(urllib.request.urlopen('http://127.0.0.1:9848/metrics', timeout=5).read().decode() + '\\0'); sys.stdout.flush()
    except OSError: pass
    time.sleep(0.2)
`;

function scrapesOf(source: Background): string[] {
  return source.stdout.split('\0').slice(0, -1);
}

/** Counters of an SA end with it. */
function endsWithSa(series: string): boolean {
  return series.startsWith('groupwire_sa_');
}

function checkMonotonic(t: Test, router: Router, scrapes: readonly Counters[]): void {
  const wrong: string[] = [];
  scrapes.slice(1).forEach((after, index) => {
    for (const [series, before] of scrapes[index]) {
      const value = after.get(series);
      if (value === undefined ? !endsWithSa(series) : value < before)
        wrong.push(`${series}: ${before}, then ${value}, in scrape ${index + 1}`);
    }
  });
  t.strictSame(wrong, [], `counters of ${router} that went back, in ${scrapes.length} scrapes`);
}

async function killControl(lab: Lab, router: Router): Promise<void> {
  const killed = lab.pidOf(router, 'control');
  process.kill(killed, 'SIGKILL');
  await until(`another control process of ${router}`, () => {
    try {
      return lab.pidOf(router, 'control') !== killed;
    } catch {
      return false; // between the two there is none
    }
  });
  await lab.ready(router);
}

t.test('metrics of live routers', async (t) => {
  const lab = await Lab.up({
    start: ['r1', 'r2', 'r4'],
    edit: (router, text) => (router === 'r1' ? substitute(text, /end\s*$/, policy) : text),
  });
  t.teardown(() => lab.down());
  const watched = ['r1', 'r4'] as const;
  const sources = watched.map((router) => lab.spawn(router, ['/usr/bin/python3', '-c', scraper]));
  const flows = [await Flow.start(lab, 'h1', 'h2', 200, 6001), await Flow.start(lab, 'h2', 'h1', 200, 6002)];
  const rekey = async () => {
    const received = /groupwire_gdoi_rekeys_received_total\{[^}]*\} (\d+)/;
    const before = Number(received.exec(scrapesOf(sources[0]).at(-1) ?? '')?.[1] ?? 0);
    await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
    await until('r1 to count a rekey', () => Number(received.exec(scrapesOf(sources[0]).at(-1) ?? '')?.[1]) > before);
  };
  await until('a first scrape', () => sources.every((source) => scrapesOf(source).length > 0));

  await rekey();
  for (const router of watched) {
    const from = lab.log(router).length;
    lab.reload(router);
    await lab.logs(router, /SYS-5-RELOAD/, 10_000, from);
  }
  const from = lab.log('r1').length;
  lab.configure('r1', (text) =>
    substitute(text, /permit ip 10\.0\.1\.0 0\.0\.0\.255 any/, 'deny udp any any eq 9\n permit ip 10.0.1.0 0.0.0.255 any'),
  );
  lab.reload('r1');
  await lab.logs('r1', /SYS-5-RELOAD: applied/, 10_000, from);
  for (const router of watched) await killControl(lab, router);
  await rekey();
  const ended = sources.map((source) => scrapesOf(source).length);
  await until('one more scrape of each', () => sources.every((source, index) => scrapesOf(source).length > ended[index]));
  const sealed = 'groupwire_group_sealed_packets_total{group="GDOI-GROUP",instance="r1"}';
  await until('enough traffic to mean something', () => (countersIn(scrapesOf(sources[0]).at(-1) ?? '').get(sealed) ?? 0) > 500);
  for (const flow of flows) await flow.stop();
  for (const source of sources) await source.stop('SIGKILL');

  for (const [index, router] of watched.entries()) {
    const scrapes = scrapesOf(sources[index]);
    const uptimes = scrapes.map((text) => Number(/^groupwire_uptime_seconds\S* (\S+)/m.exec(text)?.[1]));
    t.ok(
      uptimes.some((uptime, at) => uptime < uptimes[at - 1]),
      `${router}: two processes of control were asked`,
    );
    checkMonotonic(t, router, scrapes.map(countersIn));
    t.match(
      await promtool(['check', 'metrics'], scrapes[scrapes.length - 1]),
      { status: 0, stdout: '', stderr: '' },
      `promtool and ${router}`,
    );
  }
  const last = sources.map((source) => countersIn(scrapesOf(source).at(-1) ?? ''));
  t.ok(last[0].get(sealed)! > 500, 'there was traffic');
  t.equal(last[0].get('groupwire_gdoi_rekeys_received_total{instance="r1"}'), 2, 'rekeys that r1 received, over two processes');
  const sent = lab.log('r4').match(/KS_SEND_UNICAST_REKEY/g)?.length ?? 0;
  t.ok(sent >= 2);
  t.equal(last[1].get('groupwire_gdoi_rekeys_sent_total{instance="r4"}'), sent, 'rekeys that r4 sent and logged, over two processes');

  const there = new Set(sources.flatMap((source) => [...metricsSampledIn(scrapesOf(source).at(-1) ?? '')]));
  for (const file of ['prometheus/groupwire.rules.yml', 'prometheus/groupwire.rules.test.yml', 'grafana/groupwire.json']) {
    const named = metricsNamedIn(readFileSync(`${repoRoot}/scripts/packaging/${file}`, 'utf8'));
    t.strictSame(
      named.filter((name) => !there.has(name)),
      [],
      `metrics that ${file} names and no router has`,
    );
  }
});
