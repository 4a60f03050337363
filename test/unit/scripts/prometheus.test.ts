// Alert rules and dashboard, judged by promtool: well-formed, each alert tried where it fires and where it does not, every expression of the dashboard one that
// Prometheus can read. Whether the metrics they name exist is seen on a live router (netns/metrics.test.ts).

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { run } from '../../support/netns.js';
import { metricsNamedIn, promtool } from '../../support/prometheus.js';

const packaging = resolve(import.meta.dirname, '../../../../scripts/packaging');
const prometheus = join(packaging, 'prometheus');
const rules = readFileSync(join(prometheus, 'groupwire.rules.yml'), 'utf8');
const tests = readFileSync(join(prometheus, 'groupwire.rules.test.yml'), 'utf8');
const dashboard = readFileSync(join(packaging, 'grafana/groupwire.json'), 'utf8');

interface Panel {
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string }[];
}

t.test('promtool is content with the rules, and their tests pass', async (t) => {
  t.match(await promtool(['check', 'rules'], rules), { status: 0 });
  t.match(await run(['promtool', 'test', 'rules', join(prometheus, 'groupwire.rules.test.yml')]), { status: 0 });
});

t.test('each alert is tried: seen to fire, and not to fire', async (t) => {
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  t.ok(alerts.length > 10);
  for (const name of alerts) {
    const tried = [...tests.matchAll(new RegExp(`alertname: ${name}(,?)\\s+exp_alerts:(.*)`, 'g'))].map(([, , list]) => list.trim());
    t.ok(tried.includes(''), `${name} fires`);
    t.ok(
      tried.some((list) => list.startsWith('[]')),
      `${name} does not fire`,
    );
  }
});

t.test('every expression of the dashboard can be read, no panel lies over another', async (t) => {
  const { panels } = JSON.parse(dashboard) as { panels: Panel[] };
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  t.ok(expressions.length >= panels.length);
  const recorded = expressions.map((expr, index) => {
    const concrete = expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
    return `      - { record: 'x:${index}', expr: ${JSON.stringify(concrete)} }`;
  });
  t.match(await promtool(['check', 'rules'], `groups:\n  - name: dashboard\n    rules:\n${recorded.join('\n')}\n`), { status: 0 });
  for (const { gridPos: a, title } of panels)
    for (const { gridPos: b, title: other } of panels)
      t.notOk(title < other && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h, `${title} over ${other}`);
  t.ok(metricsNamedIn(dashboard).length > 15);
});
