// Metrics of service-policies: one sample for each class where it is used.

import type { Metric } from './metric.js';
import type { Snapshot } from './snapshot.js';
import type { ClassAtWork, PolicyAtWork } from './snapshot-qos-interface.js';

interface Used {
  labels: Record<string, string>;
  item: ClassAtWork;
}

function below(policy: PolicyAtWork, labels: Record<string, string>, parent: string): Used[] {
  return policy.classes.flatMap((item) => {
    const own = { ...labels, policy: policy.name, parent, class: item.name };
    return [{ labels: own, item }, ...(item.policy ? below(item.policy, labels, item.name) : [])];
  });
}

function usedIn({ policyInterfaces = [] }: Snapshot): Used[] {
  return policyInterfaces.flatMap(({ interface: name, direction, policy }) => below(policy, { interface: name, direction }, ''));
}

const ofClass = (name: string, help: string, value: (item: ClassAtWork) => number): Metric => ({
  name: `qos_${name}`,
  help,
  samples: (snapshot) => usedIn(snapshot).map(({ labels, item }) => [labels, value(item)]),
});

const ofWait = (name: string, share: string, microseconds: (wait: ClassAtWork['wait']) => number | null): Metric => ({
  name: `qos_wait_${name}_seconds`,
  help: `Time in the queue that ${share} of a class’s packets do not exceed`,
  samples: (snapshot) =>
    usedIn(snapshot).flatMap(({ labels, item: { wait } }): [Record<string, string>, number][] => {
      const time = microseconds(wait);
      return time === null ? [] : [[labels, time / 1e6]];
    }),
});

const drops: [keyof ClassAtWork['drops'], string, string][] = [
  ['police', 'police', 'by a policer'],
  ['tail', 'tail', 'because the queue was full'],
  ['random', 'random', 'by random early detection'],
  ['overRate', 'over_rate', 'of a priority class above its rate'],
  ['noBuffer', 'no_buffer', 'because queues held as many packets as they may'],
];
const colours: ['conformed' | 'exceeded' | 'violated', string][] = [
  ['conformed', 'conform'],
  ['exceeded', 'exceed'],
  ['violated', 'violate'],
];

export const qosMetrics: Metric[] = [
  ...(['packets', 'bytes'] as const).flatMap((unit) => {
    const what = unit === 'packets' ? 'Packets' : 'Bytes of packets';
    return [
      ofClass(`offered_${unit}_total`, `${what} that came to a class of a service-policy`, ({ offered }) => offered[unit]),
      ofClass(`sent_${unit}_total`, `${what} that left a class of a service-policy`, ({ sent }) => sent[unit]),
      ofClass(`queued_${unit}`, `${what} that wait in the queue of a class`, ({ queued }) => queued[unit]),
      {
        name: `qos_dropped_${unit}_total`,
        help: `${what} that a class of a service-policy dropped, by reason`,
        samples: (snapshot: Snapshot) =>
          usedIn(snapshot).flatMap(({ labels, item }) =>
            drops.map(([key, reason]): [Record<string, string>, number] => [{ ...labels, reason }, item.drops[key][unit]]),
          ),
      },
      {
        name: `qos_police_${unit}_total`,
        help: `${what} that a policer coloured`,
        samples: (snapshot: Snapshot) =>
          usedIn(snapshot).flatMap(({ labels, item: { police } }) =>
            colours.flatMap(([key, colour]): [Record<string, string>, number][] => {
              const policed = police?.[key];
              return policed ? [[{ ...labels, colour }, policed.counted[unit]]] : [];
            }),
          ),
      },
    ];
  }),
  ofClass('marked_packets_total', 'Packets that set marked', ({ marked }) => marked),
  ofClass('ecn_marked_packets_total', 'Packets in which random-detect marked congestion', ({ ecnMarked }) => ecnMarked),
  {
    name: 'qos_wait_seconds',
    help: 'Packets by their time in the queue, those that waited less than le; what they waited together is not counted',
    isHistogram: true,
    samples: (snapshot) =>
      usedIn(snapshot).flatMap(({ labels, item: { sent, wait, queue } }) =>
        queue === null
          ? []
          : [
              ...wait.buckets.map(({ belowUs, packets }): [Record<string, string>, number] => [
                { ...labels, le: String(belowUs / 1e6) },
                packets,
              ]),
              [{ ...labels, le: '+Inf' }, sent.packets],
            ],
      ),
  },
  ofWait('median', 'half', ({ p50Us }) => p50Us),
  ofWait('p99', '99 of 100', ({ p99Us }) => p99Us),
];
