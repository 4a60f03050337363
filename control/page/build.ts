// Snapshot -> what the status page is told. Field by field, so that nothing comes along that the page does not show; lists are bounded, because
// a key server may have thousands of members, and what needs a look comes first.

import { counterValue } from '../api/counter-value.js';
import { formatSpi } from '../api/metric-text.js';
import type { MemberGroupState, ServerGroupState, Snapshot } from '../api/snapshot.js';
import type { PolicyAtWork } from '../api/snapshot-qos-interface.js';
import type { Health, PageGroup, PageInterface, PageNode, PageQueue, PageSa, PageState } from './state.js';

const MostNodes = 48;
const MostSas = 64;
const MostQueues = 8;
const MostInterfaces = 32;

const order: Record<Health, number> = { bad: 0, warn: 1, unknown: 2, good: 3 };

function memberNode(snapshot: Snapshot, group: MemberGroupState): PageNode {
  const [health, state]: [Health, string] = !snapshot.dataplaneConnected
    ? ['bad', 'no dataplane']
    : group.registered
      ? ['good', 'registered']
      : ['bad', 'not registered'];
  return { name: snapshot.hostname, address: group.localAddress, health, state, isSelf: true };
}

function memberGroup(snapshot: Snapshot, group: MemberGroupState): PageGroup {
  const servers = (group.keyServers ?? []).map(({ address, answers, reason }): PageNode => {
    const isUsed = group.registered && address === group.remoteAddress;
    const [health, state]: [Health, string] =
      answers === null ? ['unknown', 'not heard yet'] : answers ? ['good', isUsed ? 'answers, in use' : 'answers'] : ['bad', reason ?? ''];
    return { name: 'key server', address, health, state, isSelf: false };
  });
  const members = [memberNode(snapshot, group)];
  return { name: group.group, identity: group.identity, role: 'member', servers, members, memberCount: members.length };
}

function serverGroup(snapshot: Snapshot, group: ServerGroupState): PageGroup {
  const members = group.members.map(({ address, rekeyAcksMissed, rekeyAcksReceived }): PageNode => {
    const health: Health = rekeyAcksMissed > 0 && rekeyAcksReceived === 0 ? 'bad' : rekeyAcksMissed > 0 ? 'warn' : 'good';
    const state = rekeyAcksMissed > 0 ? `${rekeyAcksMissed} missed` : 'registered';
    return { name: 'member', address, health, state, isSelf: false };
  });
  members.sort((a, b) => order[a.health] - order[b.health] || a.address.localeCompare(b.address, 'en', { numeric: true }));
  const health: Health = group.serving ? (group.policyPending ? 'warn' : 'good') : 'bad';
  const state = group.serving ? (group.policyPending ? 'policy pending' : 'serving') : 'not serving';
  const servers = [{ name: snapshot.hostname, address: group.address, health, state, isSelf: true }];
  const { length: memberCount } = members;
  return { name: group.group, identity: group.identity, role: 'key server', servers, members: members.slice(0, MostNodes), memberCount };
}

function associations(snapshot: Snapshot): PageSa[] {
  const groups = [...snapshot.gdoiMembers, ...snapshot.gdoiServers].flatMap(({ group, teks, kek }): PageSa[] => [
    ...teks.map(({ spi, transform, remainingSeconds, lifetimeSeconds }): PageSa => {
      return { kind: 'TEK', with: group, spi: formatSpi(spi), transform, remainingSeconds, lifetimeSeconds };
    }),
    ...(kek
      ? [
          {
            kind: 'KEK' as const,
            with: group,
            spi: kek.spi,
            transform: `${kek.cipher} rsa-${kek.signatureHash}`,
            remainingSeconds: kek.remainingSeconds,
            lifetimeSeconds: kek.lifetimeSeconds,
          },
        ]
      : []),
  ]);
  const ike = snapshot.isakmpSas.flatMap(({ state, remote, suite, ageSeconds, remainingSeconds }): PageSa[] => {
    if (ageSeconds === null || remainingSeconds === null || state === 'GDOI_REKEY') return [];
    const transform = suite ? `${suite.encryption} ${suite.hash} group ${suite.group}` : '';
    return [{ kind: 'IKE', with: remote, spi: '', transform, remainingSeconds, lifetimeSeconds: ageSeconds + remainingSeconds }];
  });
  const gateways = snapshot.ipsec.flatMap(({ flows }) =>
    flows
      .filter(({ peer }) => peer !== '0.0.0.0')
      .flatMap(({ peer, inbound, outbound }) =>
        [inbound, outbound].flatMap((sas, direction) =>
          sas.map(({ spi, transform, remainingSeconds }): PageSa => {
            const kind = direction === 0 ? 'ESP in' : 'ESP out';
            return { kind, with: peer, spi: formatSpi(spi), transform, remainingSeconds, lifetimeSeconds: null };
          }),
        ),
      ),
  );
  return [...groups, ...ike, ...gateways];
}

/** Leaves of a policy that have a queue, by the path of their names. */
function queuesOf(policy: PolicyAtWork, prefix: string): PageQueue[] {
  return policy.classes.flatMap((item) => {
    const name = `${prefix} ${item.name}`;
    if (item.policy) return queuesOf(item.policy, name);
    return item.queue || item.priority ? [{ name, packets: item.queued.packets, tailDrops: item.drops.tail.packets }] : [];
  });
}

function pageInterface({ name, up, cryptoMap, counters }: Snapshot['interfaces'][number]): PageInterface {
  const { receivedPackets, receivedBytes, sentPackets, sentBytes } = counters;
  return { name, up, isProtected: cryptoMap !== null, receivedPackets, receivedBytes, sentPackets, sentBytes };
}

export function buildPageState(snapshot: Snapshot): PageState {
  const { counters, gdoiMembers } = snapshot;
  const sas = associations(snapshot);
  const interfaces = snapshot.interfaces.filter(({ driver, tunnel }) => driver !== null || tunnel !== undefined).map(pageInterface);
  interfaces.sort((a, b) => Number(b.isProtected) - Number(a.isProtected));
  const drops = counters.drops.filter(({ value }) => value > 0).map(({ name, help, value }) => ({ reason: name, help, packets: value }));
  const queues = (snapshot.policyInterfaces ?? [])
    .filter(({ direction }) => direction === 'output')
    .flatMap(({ interface: name, policy }) => queuesOf(policy, name));
  return {
    takenAt: snapshot.takenAt,
    hostname: snapshot.hostname,
    instance: snapshot.instance,
    version: snapshot.version,
    uptimeSeconds: snapshot.uptimeSeconds,
    dataplaneUp: snapshot.dataplaneConnected,
    groups: [
      ...snapshot.gdoiServers.map((group) => serverGroup(snapshot, group)),
      ...gdoiMembers.map((group) => memberGroup(snapshot, group)),
    ],
    sas: sas.toSorted((a, b) => a.remainingSeconds - b.remainingSeconds).slice(0, MostSas),
    saCount: sas.length,
    interfaces: interfaces.slice(0, MostInterfaces),
    sealedPackets: gdoiMembers.reduce((sum, group) => sum + group.counters.sealedPackets, 0),
    openedPackets: gdoiMembers.reduce((sum, group) => sum + group.counters.openedPackets, 0),
    drops: drops.sort((a, b) => b.packets - a.packets),
    droppedPackets: counterValue(counters.path, 'dropped_packets'),
    queuedPackets: counterValue(counters.path, 'queued_packets'),
    queues: queues.slice(0, MostQueues),
    natSessions: counterValue(counters.nat, 'sessions'),
  };
}
