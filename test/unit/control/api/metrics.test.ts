// /metrics read back with a small parser of the exposition format: valid names, one HELP and TYPE each, labels that survive any name.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { renderMetrics } from '../../../../control/api/metric-text.js';
import { type MetricsOptions, startMetrics } from '../../../../control/api/metrics.js';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import { emptySnapshot, getvpn1, isakmpSa, memberTek, serverGroup, serverMember } from '../../cli/show/sample.js';

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Strict: throws on anything that Prometheus' text format 0.0.4 does not allow. */
function parseExposition(text: string): { samples: Sample[]; types: Map<string, string> } {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const type = /^# TYPE ([a-z0-9_]+) (counter|gauge|histogram)$/.exec(line);
    if (type) {
      if (types.has(type[1])) throw new Error(`two types: ${line}`);
      types.set(type[1], type[2]);
      continue;
    }
    if (/^# HELP [a-z0-9_]+ [^\n]+$/.test(line)) continue;
    const sample = /^([a-z_][a-z0-9_]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (-?[0-9.e+-]+)$/.exec(line);
    if (!sample) throw new Error(`not a sample: ${line}`);
    const labels: Record<string, string> = {};
    for (const [, name, value] of sample[2].matchAll(/([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"/g)) {
      labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    }
    samples.push({ name: sample[1], labels, value: Number(sample[3]) });
  }
  return { samples, types };
}

const ethernet: Snapshot['interfaces'][number] = {
  name: 'GigabitEthernet0/0',
  device: 'eth0',
  description: null,
  hardware: 'tun port on eth0',
  addresses: ['172.16.1.2/30'],
  adminUp: true,
  up: false,
  mtu: 1500,
  ipMtu: 1500,
  mac: '02:00:00:00:00:01',
  cryptoMap: 'M',
  driver: 'raw',
  wantedDriver: 'xdp',
  offloads: true,
  moderationUs: 200,
  counters: { receivedPackets: 1, receivedBytes: 2, sentPackets: 3, sentBytes: 4, receiveDrops: 5, sendDrops: 6 },
  rates: null,
};

function fullSnapshot(): Snapshot {
  const counters = { ...getvpn1().teks[0].counters, sealedPackets: 11, openedBytes: 12 };
  return {
    ...emptySnapshot(),
    interfaces: [ethernet],
    isakmpSas: [
      isakmpSa({}),
      isakmpSa({ state: 'MM_NO_STATE', ageSeconds: null, remainingSeconds: null }),
      isakmpSa({ state: 'GDOI_REKEY' }),
    ],
    gdoiMembers: [
      {
        ...getvpn1(),
        keyServers: [{ address: '1.1.1.1', answers: true, heardSecondsAgo: 1, reason: null }],
        teks: [{ ...memberTek(0x1234, 20), counters }],
        counters: { sealedPackets: 7, sealedBytes: 8, openedPackets: 9, openedBytes: 10, timeSent: 0, timeAccepted: 0, timeRefused: 0 },
      },
      {
        ...getvpn1(),
        group: 'down',
        keyServers: [{ address: '1.1.1.1', answers: false, heardSecondsAgo: null, reason: 'no answer' }],
        registered: false,
        succeededRegistrations: 0,
        teks: [],
        kek: null,
      },
    ],
    gdoiServers: [
      {
        ...serverGroup('ks', '777', '172.16.4.2'),
        rekeysSent: 5,
        counterMode: true,
        senderIdBits: 8,
        senderIdsUsed: 250,
        registrations: 3,
        members: [{ ...serverMember('172.16.1.2'), rekeyAcksReceived: 4, rekeyAcksMissed: 1 }],
        teks: [{ ...memberTek(0xff00, 10), aclName: 'A', rekeyInSeconds: 1 }],
      },
    ],
    counters: {
      drops: [
        { name: 'no_route', help: 'no route', value: 3 },
        { name: 'esp_replay', help: 'replay', value: 0 },
      ],
      path: [{ name: 'received_packets', help: 'read', value: 100 }],
      nat: [
        { name: 'sessions', help: 'there are', value: 12 },
        { name: 'sessions_created', help: 'made', value: 34 },
      ],
      control: [{ name: 'gdoi_rekeys_rejected', help: 'rekeys that were refused', value: 2 }],
    },
    processes: [
      { name: 'control', pid: 1, rssBytes: 1000, restarts: 0 },
      { name: 'dataplane', pid: null, rssBytes: 0, restarts: 2 },
    ],
  };
}

t.test('samples of every kind, with the instance on each', async (t) => {
  const { samples, types } = parseExposition(await renderMetrics(fullSnapshot()));
  const find = (name: string, labels: Record<string, string> = {}) =>
    samples.find(
      (sample) => sample.name === `groupwire_${name}` && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )?.value;
  for (const { labels, name } of samples) t.equal(labels.instance, 'r1', name);
  for (const [name, type] of types) t.equal(type === 'counter', name.endsWith('_total'), `${name} is a ${type}`);
  for (const [name, labels, value] of [
    ['interface_receive_packets_total', { interface: 'GigabitEthernet0/0' }, 1],
    ['interface_transmit_bytes_total', { interface: 'GigabitEthernet0/0' }, 4],
    ['interface_up', { interface: 'GigabitEthernet0/0' }, 0],
    ['interface_driver_info', { interface: 'GigabitEthernet0/0', driver: 'raw', offloads: 'on' }, 1],
    ['interface_interrupt_moderation_seconds', { interface: 'GigabitEthernet0/0' }, 0.0002],
    ['sa_sealed_packets_total', { group: 'getvpn1', spi: '0x00001234' }, 11],
    ['sa_opened_bytes_total', { spi: '0x00001234' }, 12],
    ['sa_replay_drops_total', { spi: '0x00001234' }, 0],
    ['sa_age_seconds', { spi: '0x00001234' }, 580],
    ['sa_remaining_seconds', { spi: '0x00001234' }, 20],
    ['group_sealed_packets_total', { group: 'getvpn1' }, 7],
    ['group_registered', { group: 'getvpn1' }, 1],
    ['group_registered', { group: 'down' }, 0],
    ['group_server_unreachable', { group: 'getvpn1', server: '1.1.1.1' }, 0],
    ['group_server_unreachable', { group: 'down', server: '1.1.1.1' }, 1],
    ['group_teks', { group: 'down' }, 0],
    ['group_registrations_total', { group: 'down' }, 0],
    ['group_rekeys_received_total', { group: 'getvpn1' }, 25],
    ['group_rekey_acks_sent_total', { group: 'getvpn1' }, 25],
    ['group_encrypting', { group: 'getvpn1' }, 1],
    ['group_encrypting', { group: 'down' }, 0],
    ['ike_sas', {}, 1],
    ['ike_sas_negotiating', {}, 1],
    ['ipsec_sas', {}, 0],
    ['ike_admission_rate', {}, 100],
    ['server_receive_only', { group: 'ks' }, 0],
    ['server_sender_ids_used', { group: 'ks' }, 250],
    ['server_sender_ids_remaining', { group: 'ks' }, 6],
    ['server_rekeys_sent_total', { group: 'ks' }, 5],
    ['server_rekey_acks_received', { group: 'ks' }, 4],
    ['server_registrations_total', { group: 'ks' }, 3],
    ['server_members', { group: 'ks' }, 1],
    ['server_tek_remaining_seconds', { group: 'ks', spi: '0x0000FF00' }, 10],
    ['drops_total', { reason: 'no_route' }, 3],
    ['drops_total', { reason: 'esp_replay' }, 0],
    ['path_received_packets_total', {}, 100],
    ['nat_sessions', {}, 12],
    ['nat_sessions_created_total', {}, 34],
    ['gdoi_rekeys_rejected_total', {}, 2],
    ['process_resident_memory_bytes', { process: 'control' }, 1000],
    ['process_restarts_total', { process: 'dataplane' }, 2],
    ['process_up', { process: 'dataplane' }, 0],
    ['dataplane_connected', {}, 1],
    ['aes_info', { library: 'ipsec-mb' }, 1],
  ] as const) {
    t.equal(find(name, labels), value, `${name} ${JSON.stringify(labels)}`);
  }
});

t.test('labels come back whatever a group, interface or hostname is called', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom('"', '\\', '\n', '"}\nfake 1\n', '\\n', '__proto__'),
      async (name, nasty) => {
        const group = (nasty + name).replace(/\r/g, '');
        const snapshot = {
          ...emptySnapshot(),
          hostname: group,
          gdoiMembers: [{ ...getvpn1(), group }],
          interfaces: [{ ...ethernet, name: group }],
        };
        const { samples } = parseExposition(await renderMetrics(snapshot));
        const seen = samples.find((sample) => sample.name === 'groupwire_group_registered')?.labels.group;
        if (seen !== group) throw new Error(`${JSON.stringify(seen)} is not ${JSON.stringify(group)}`);
        const faked = samples.filter((sample) => !sample.name.startsWith('groupwire_'));
        if (faked.length > 0) throw new Error(`injected: ${JSON.stringify(faked)}`);
      },
    ),
    { numRuns: 100 },
  );
});

const noPage = { names: () => [], counters: { add: () => undefined }, looked: () => undefined } satisfies Partial<MetricsOptions>;

t.test('the listener: resources, methods, a snapshot that fails', async (t) => {
  const logged: string[] = [];
  let fails = false;
  const server = await startMetrics({
    ...noPage,
    address: '127.0.0.1',
    port: 0,
    instance: 'named',
    snapshot: async () => {
      if (fails) throw new Error('no dataplane');
      return fullSnapshot();
    },
    log: { write: (facility, severity, mnemonic, text) => void logged.push(`%${facility}-${severity}-${mnemonic}: ${text}`) },
  });
  t.teardown(() => server?.close());
  const url = `http://127.0.0.1:${server?.port}`;
  const metrics = await fetch(`${url}/metrics`);
  t.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.match(await metrics.text(), /groupwire_group_registered\{group="getvpn1",instance="named"\} 1\n/);
  t.equal((await fetch(`${url}/other`)).status, 404);
  t.equal((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status, 405);
  fails = true;
  t.equal((await fetch(`${url}/metrics`)).status, 500);
  t.strictSame(logged, ['%API-4-METRICS: no dataplane']);
});

t.test('a taken port is logged and the router goes on', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const logged: string[] = [];
  const log = { write: (...[, , , text]: [string, number, string, string]) => void logged.push(text) };
  t.equal(await startMetrics({ ...noPage, address: '127.0.0.1', port, instance: 'r1', snapshot: async () => emptySnapshot(), log }), null);
  t.strictSame(logged, [`no metrics on 127.0.0.1:${port}: the port is taken (--metrics ADDR:PORT chooses another)`]);
});
