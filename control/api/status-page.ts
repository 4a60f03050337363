// The status page: one static HTML table per thing an operator looks at first, from the same snapshot as /metrics. No script, no style
// sheet, nothing fetched.

import type { Snapshot } from './snapshot.js';

/** Names come from configuration files: none of them may become markup. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function renderTable(title: string, heads: string[], rows: (string | number)[][]): string {
  if (rows.length === 0) return '';
  const line = (cells: (string | number)[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(String(cell))}</${tag}>`).join('')}</tr>`;
  return `<h2>${escapeHtml(title)}</h2>\n<table border="1" cellpadding="4">\n${[line(heads, 'th'), ...rows.map((row) => line(row, 'td'))].join('\n')}\n</table>\n`;
}

export function renderStatusPage(snapshot: Snapshot): string {
  const title = escapeHtml(`${snapshot.hostname} (${snapshot.instance})`);
  return [
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>${title}</title></head><body>\n`,
    `<h1>${title}</h1>\n<p>groupwire ${escapeHtml(snapshot.version)}, up ${Math.floor(snapshot.uptimeSeconds)} s, dataplane ${snapshot.dataplaneConnected ? 'up' : 'down'}. <a href="/metrics">metrics</a></p>\n`,
    renderTable(
      'Groups',
      ['group', 'key server', 'registered', 'TEKs', 'rekeys', 'encrypted', 'decrypted'],
      snapshot.gdoiMembers.map((g) => [
        g.group,
        g.remoteAddress,
        g.registered ? 'yes' : 'no',
        g.teks.length,
        g.rekeysReceived,
        g.counters.sealedPackets,
        g.counters.openedPackets,
      ]),
    ),
    renderTable(
      'Key server',
      ['group', 'serving', 'members', 'TEKs', 'rekeys sent'],
      snapshot.gdoiServers.map((g) => [
        g.group,
        g.serving ? 'yes' : 'no',
        g.members.map((m) => m.address).join(' '),
        g.teks.length,
        g.rekeysSent,
      ]),
    ),
    renderTable(
      'Interfaces',
      ['interface', 'device', 'addresses', 'state', 'received', 'sent'],
      snapshot.interfaces.map((i) => [
        i.name,
        i.device ?? '',
        i.addresses.join(' '),
        i.up ? 'up' : 'down',
        i.counters.receivedPackets,
        i.counters.sentPackets,
      ]),
    ),
    renderTable(
      'Drops',
      ['reason', 'packets'],
      snapshot.counters.drops.filter((d) => d.value > 0).map((d) => [d.name, d.value]),
    ),
    '</body></html>\n',
  ].join('');
}
