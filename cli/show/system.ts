// `show version`, `show clock`, `show running-config`, `show crypto key mypubkey rsa`.

import { counterValue } from '../../control/api/counter-value.js';
import type { PublicKeyState, Snapshot } from '../../control/api/snapshot.js';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number) => String(value).padStart(2, '0');

/** `23:15:02.123 UTC Mon Nov 23 2026`. */
export function renderClock(snapshot: Snapshot): string[] {
  return [formatMoment(new Date(snapshot.takenAt))];
}

/** `19:29:32.081 UTC Wed Feb 12 2014` */
export function formatMoment(time: Date): string {
  const clock = `${formatTime(time)}.${String(time.getUTCMilliseconds()).padStart(3, '0')}`;
  return `${clock} UTC ${days[time.getUTCDay()]} ${formatDate(time)}`;
}

const formatTime = (time: Date) => `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}`;
const formatDate = (time: Date) => `${months[time.getUTCMonth()]} ${time.getUTCDate()} ${time.getUTCFullYear()}`;

/** `1 week, 2 days, 3 hours, 4 minutes`: the units that are there, minutes always. */
function formatUptime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const units: [count: number, name: string][] = [
    [Math.floor(minutes / 10_080), 'week'],
    [Math.floor(minutes / 1440) % 7, 'day'],
    [Math.floor(minutes / 60) % 24, 'hour'],
    [minutes % 60, 'minute'],
  ];
  return units
    .filter(([count, name]) => count > 0 || name === 'minute')
    .map(([count, name]) => `${count} ${name}${count === 1 ? '' : 's'}`)
    .join(', ');
}

/** Only where there are several: one has nobody to hand packets over to. */
function renderWorkers({ workers, counters }: Snapshot): string[] {
  if (workers < 2) return [];
  const counted = (name: string) => counterValue(counters.path, name);
  const handed = `${counted('handed_over_packets')} packets handed over, ${counted('taken_over_packets')} taken over`;
  return [`${workers} forwarding workers, ${handed}`];
}

export function renderVersion(snapshot: Snapshot): string[] {
  const rss = snapshot.processes.reduce((sum, item) => sum + item.rssBytes, 0);
  return [
    `groupwire, Version ${snapshot.version}`,
    '',
    `${snapshot.hostname} uptime is ${formatUptime(snapshot.uptimeSeconds)}`,
    `Instance is ${snapshot.instance}, the dataplane is ${snapshot.dataplaneConnected ? 'up' : 'down'}`,
    ...(snapshot.aes === null ? [] : [`AES by ${snapshot.aes}`]),
    ...renderWorkers(snapshot),
    `${snapshot.interfaces.length} interfaces, ${Math.round(rss / 1024)}K bytes of memory in ${snapshot.processes.length} processes`,
    ...snapshot.processes.map(
      ({ name, pid, rssBytes, restarts }) =>
        `  ${name.padEnd(11)} ${pid === null ? 'not running' : `pid ${pid}`}, ${Math.round(rssBytes / 1024)}K bytes, ${restarts} restarts`,
    ),
  ];
}

export function renderRunningConfig(snapshot: Snapshot): string[] {
  const lines = snapshot.runningConfig.replace(/\n+$/, '').split('\n');
  return ['Building configuration...', '', `Current configuration : ${Buffer.byteLength(snapshot.runningConfig)} bytes`, ...lines];
}

/** The public half, as DER in groups of eight digits. */
export function renderPublicKeys(snapshot: Snapshot): string[] {
  return snapshot.publicKeys.flatMap((key, index) => [...(index > 0 ? [''] : []), ...renderPublicKey(key)]);
}

function renderPublicKey(key: PublicKeyState): string[] {
  const time = new Date(key.generatedAt);
  const groups = key.publicKeyHex.toUpperCase().match(/.{1,8}/g) ?? [];
  const rows: string[] = [];
  for (let i = 0; i < groups.length; i += 9) rows.push(`  ${groups.slice(i, i + 9).join(' ')}`);
  return [
    `% Key pair was generated at: ${formatTime(time)} UTC ${formatDate(time)}`,
    `Key name: ${key.name}`,
    'Key type: RSA KEYS',
    ' Storage Device: sealed state',
    ' Usage: General Purpose Key',
    ` Key is ${key.exportable ? '' : 'not '}exportable.`,
    ' Key Data:',
    ...rows,
  ];
}
