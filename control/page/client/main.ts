// The status page in the browser: events in, drawings and tables out. Silence is news too: who stops telling is shown as stopped.

import type { PageState } from '../state.js';
import { byId, html, setText } from './dom.js';
import { formatDuration } from './format.js';
import { Plots } from './plots.js';
import { History } from './series.js';
import { dropRows, saRows, Table } from './tables.js';
import { Topology } from './topology.js';

/** Events come once a second. */
const SilentMs = 3500;

const history = new History();
const plots = new Plots(() => draw());
const topologies = new Map<string, Topology>();
const sas = new Table(byId('sas'), ['SA', 'with', 'SPI', 'transform', 'expires in', 'life'], 'There are none.');
const drops = new Table(byId('drops'), ['reason', 'packets', ''], 'None.');
const chooser = byId('interface') as HTMLSelectElement;

let state: PageState | null = null;
let heardAt = performance.now();
let isLost = false;

function listen(): void {
  const events = new EventSource('/events');
  events.addEventListener('message', ({ data }: MessageEvent<string>) => {
    state = JSON.parse(data) as PageState;
    heardAt = performance.now();
    isLost = false;
    history.add(state);
    draw();
  });
  events.addEventListener('error', () => {
    isLost = true;
    draw();
    // It asks again by itself, but not when the answer was a refusal.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
}

function draw(): void {
  drawLink();
  if (!state) return;
  setText(byId('name'), state.hostname);
  document.title = `${state.hostname}: groupwire`;
  const dataplane = state.dataplaneUp ? 'up' : 'down';
  const { instance, version, uptimeSeconds, natSessions } = state;
  const nat = natSessions > 0 ? `, ${natSessions} NAT sessions` : '';
  setText(byId('about'), `${instance}, groupwire ${version}, up ${formatDuration(uptimeSeconds)}, dataplane ${dataplane}${nat}`);
  drawGroups(state);
  drawChooser(state);
  plots.draw(state, chooser.value, history);
  sas.show(saRows(state));
  drops.show(dropRows(state));
}

function drawLink(): void {
  const link = byId('link');
  const silence = (performance.now() - heardAt) / 1000;
  if (!isLost && !state) return;
  link.dataset.health = isLost ? 'bad' : state?.dataplaneUp ? 'good' : 'bad';
  setText(link, isLost ? `no answer for ${formatDuration(silence)}` : state?.dataplaneUp ? 'live' : 'dataplane down');
}

function drawGroups({ groups }: PageState): void {
  const place = byId('groups');
  const wanted = groups.map((group) => `${group.role} ${group.name}`);
  for (const [key, topology] of topologies) {
    if (wanted.includes(key)) continue;
    topology.element.remove();
    topologies.delete(key);
  }
  groups.forEach((group, index) => {
    const topology = topologies.get(wanted[index]) ?? new Topology();
    topologies.set(wanted[index], topology);
    if (place.children[index] !== topology.element) place.insertBefore(topology.element, place.children[index] ?? null);
    topology.draw(group, isLost);
  });
}

function drawChooser({ interfaces }: PageState): void {
  const names = interfaces.map(({ name }) => name);
  if (names.join('\n') === [...chooser.options].map(({ value }) => value).join('\n')) return;
  const chosen = chooser.value;
  chooser.replaceChildren(...interfaces.map(({ name }) => html('option', { value: name }, name)));
  if (names.includes(chosen)) chooser.value = chosen;
}

chooser.addEventListener('change', () => draw());
addEventListener('resize', () => draw());
setInterval(() => {
  if (performance.now() - heardAt < SilentMs) return;
  isLost = true;
  draw();
}, 500);
listen();
