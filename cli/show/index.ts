// Every show command: how it looks, and which slice of the snapshot its `| json` form is. To add a command, add its topic to the tree and a case here.

import type { InterfaceState, Snapshot } from '../../control/api/snapshot.js';
import type { NatTranslations } from '../../control/api/snapshot-nat.js';
import type { Pipe, ShowTopic } from '../../control/config/exec.js';
import { renderAccessList, renderInterfaceLists, renderIpInterface, renderObjectGroup } from './access-lists.js';
import { joinBlocks } from './columns.js';
import { printView } from './filter.js';
import { renderAllGroups, renderMember, renderMemberAcl, renderMemberGroup } from './gdoi-member.js';
import { renderDataplaneCounters, renderGroupSas } from './gdoi-policy.js';
import {
  featureState,
  renderFeature,
  renderMemberIdentifiers,
  renderMemberRekey,
  renderPublicKeyGroups,
  renderRekeySas,
  renderServerIdentifiers,
} from './gdoi-rekey.js';
import { renderReplay } from './gdoi-replay.js';
import { selectGroup, selectServerMembers } from './gdoi-select.js';
import {
  renderServerAcl,
  renderServerGroup,
  renderServerMemberSummary,
  renderServerMembers,
  renderServerPolicy,
  renderServers,
} from './gdoi-server.js';
import { renderInterface, renderInterfaceBrief } from './interfaces.js';
import { renderCryptoMaps, renderFailCloses, viewOfDynamicMaps, viewOfIpsecSas } from './ipsec.js';
import { renderIsakmpPolicies } from './isakmp.js';
import {
  admissionStatistics,
  countIsakmpSas,
  renderAdmission,
  renderIsakmpSaCount,
  renderIsakmpSaDetails,
  renderIsakmpSas,
} from './isakmp-sas.js';
import { chooseTranslations, natStatistics, renderNatStatistics, renderNatTranslations } from './nat.js';
import { viewOfPathMtus } from './path-mtu.js';
import { renderCertificates, renderCrls, renderTrustpoints } from './pki.js';
import { chooseClass, renderPolicyInterfaces } from './policy-interface.js';
import { viewOfQos } from './qos.js';
import { renderPolicies, renderRouteMaps } from './route-map.js';
import { renderRoutes } from './routing.js';
import { renderSessions, sessionsOf } from './session.js';
import { renderPublicKeys } from './system.js';
import { viewOfSystem } from './system-views.js';
import { viewOfTraffic } from './traffic.js';
import { select, type View } from './view.js';

export { ShowError } from './view.js';

/**
 * The output of a show command, ending in a newline unless empty. @param translations what `ip nat` topics show besides the snapshot
 * @throws ShowError, FilterError
 */
export function renderShow(topic: ShowTopic, pipe: Pipe | null, snapshot: Snapshot, translations: NatTranslations | null = null): string {
  return printView(viewOf(topic, snapshot, translations), pipe);
}

/** @throws ShowError for a name that does not exist */
export function viewOf(topic: ShowTopic, snapshot: Snapshot, translations: NatTranslations | null = null): View {
  switch (topic.topic) {
    case 'access-lists': {
      const accessLists = select(snapshot.accessLists, topic.name, ({ name }) => name, 'Access list');
      return { lines: accessLists.flatMap((list) => renderAccessList(list)), json: { accessLists } };
    }
    case 'ip access-lists interface': {
      const [state] = select(snapshot.interfaces, topic.interface, ({ name }) => name, 'Interface');
      const { name, accessGroupIn, accessGroupOut } = state;
      const accessLists = snapshot.accessLists.filter((list) => list.name === accessGroupIn || list.name === accessGroupOut);
      return { lines: renderInterfaceLists(snapshot, state), json: { interface: name, accessGroupIn, accessGroupOut, accessLists } };
    }
    case 'ip interface': {
      const interfaces = select(snapshot.interfaces, topic.interface, ({ name }) => name, 'Interface');
      return { lines: interfaces.flatMap((state) => renderIpInterface(state, snapshot)), json: { interfaces } };
    }
    case 'ip traffic':
    case 'ip virtual-reassembly':
      return viewOfTraffic(topic.topic, snapshot);
    case 'object-group': {
      const objectGroups = select(snapshot.objectGroups ?? [], topic.name, ({ name }) => name, 'Object group');
      return { lines: joinBlocks(objectGroups.map(renderObjectGroup)), json: { objectGroups } };
    }
    case 'crypto gdoi':
    case 'crypto gdoi gm':
    case 'crypto gdoi gm replay':
    case 'crypto gdoi gm acl':
    case 'crypto gdoi gm acl local':
    case 'crypto gdoi gm pubkey':
    case 'crypto gdoi gm dataplan counter':
    case 'crypto gdoi ipsec sa':
    case 'crypto gdoi ks acl':
    case 'crypto gdoi ks members summary':
    case 'crypto gdoi ks policy':
      return viewOfGdoi(topic.topic, topic.group, snapshot);
    case 'crypto gdoi feature':
    case 'crypto gdoi gm identifier':
    case 'crypto gdoi gm rekey':
    case 'crypto gdoi ks':
    case 'crypto gdoi ks identifier':
    case 'crypto gdoi ks members':
    case 'crypto gdoi rekey sa':
      return viewOfGdoiDetail(topic, snapshot);
    case 'crypto ipsec sa':
      return viewOfIpsecSas(snapshot, topic);
    case 'crypto ipsec path-mtu':
      return viewOfPathMtus(snapshot);
    case 'crypto isakmp policy':
      return { lines: renderIsakmpPolicies(snapshot), json: { isakmpPolicies: snapshot.isakmpPolicies } };
    case 'crypto isakmp sa':
      return { lines: (topic.detail ? renderIsakmpSaDetails : renderIsakmpSas)(snapshot), json: { isakmpSas: snapshot.isakmpSas } };
    case 'crypto isakmp sa count':
      return { lines: renderIsakmpSaCount(snapshot), json: countIsakmpSas(snapshot) };
    case 'crypto session':
      return { lines: renderSessions(snapshot, topic.detail), json: { sessions: sessionsOf(snapshot) } };
    case 'crypto call admission statistics':
      return { lines: renderAdmission(snapshot), json: admissionStatistics(snapshot) };
    case 'crypto key mypubkey rsa':
      return { lines: renderPublicKeys(snapshot), json: { publicKeys: snapshot.publicKeys } };
    case 'crypto map':
      return { lines: renderCryptoMaps(snapshot), json: { cryptoMaps: snapshot.cryptoMaps, failClose: snapshot.failClose } };
    case 'crypto dynamic-map':
      return viewOfDynamicMaps(snapshot, topic.name);
    case 'crypto map gdoi fail-close':
      return { lines: renderFailCloses(snapshot), json: { failClose: snapshot.failClose } };
    case 'crypto pki certificates':
    case 'crypto pki crls':
    case 'crypto pki trustpoints': {
      const trustpoints = select(snapshot.trustpoints ?? [], topic.trustpoint, ({ name }) => name, 'Trustpoint');
      if (topic.topic === 'crypto pki certificates') return { lines: renderCertificates(snapshot, trustpoints), json: { trustpoints } };
      return { lines: topic.topic === 'crypto pki crls' ? renderCrls(trustpoints) : renderTrustpoints(trustpoints), json: { trustpoints } };
    }
    case 'interfaces': {
      const interfaces: InterfaceState[] = select(snapshot.interfaces, topic.interface, ({ name }) => name, 'Interface');
      return { lines: interfaces.flatMap((state) => renderInterface(state, snapshot)), json: { interfaces } };
    }
    case 'ip interface brief':
      return { lines: renderInterfaceBrief(snapshot), json: { interfaces: snapshot.interfaces } };
    case 'ip nat statistics':
      return { lines: renderNatStatistics(snapshot, translations), json: natStatistics(snapshot, translations) };
    case 'ip nat translations': {
      const fetched = translations ?? { takenAt: snapshot.takenAt, total: 0, translations: [] };
      const chosen = chooseTranslations(fetched, topic.selection);
      if (!topic.selection.total) return { lines: renderNatTranslations(chosen, topic.verbose), json: chosen };
      return { lines: [`Total number of translations: ${chosen.total}`], json: { total: chosen.total } };
    }
    case 'ip policy':
      return { lines: renderPolicies(snapshot.policies ?? []), json: { policies: snapshot.policies ?? [] } };
    case 'ip route':
      return { lines: renderRoutes(snapshot), json: { routes: snapshot.routes } };
    case 'class-map':
    case 'policy-map':
      return viewOfQos(topic, snapshot.qos);
    case 'policy-map interface': {
      const all = select(snapshot.policyInterfaces ?? [], topic.interface, (state) => state.interface, 'Service-policy on interface');
      const states = chooseClass(
        all.filter(({ direction }) => topic.direction === null || direction === topic.direction),
        topic.class,
      );
      return { lines: renderPolicyInterfaces(states), json: { policyInterfaces: states } };
    }
    case 'route-map': {
      const routeMaps = select(snapshot.routeMaps, topic.name, ({ name }) => name, 'Route-map');
      return { lines: renderRouteMaps(routeMaps, topic.all), json: { routeMaps } };
    }
    default:
      return viewOfSystem(topic, snapshot, (command) => viewOf(command, snapshot).lines);
  }
}

/** Topics that say more than a group. */
type DetailTopic = Extract<
  ShowTopic,
  {
    topic:
      | 'crypto gdoi feature'
      | 'crypto gdoi gm identifier'
      | 'crypto gdoi gm rekey'
      | 'crypto gdoi ks'
      | 'crypto gdoi ks identifier'
      | 'crypto gdoi ks members'
      | 'crypto gdoi rekey sa';
  }
>;
type GdoiTopic = Exclude<Extract<ShowTopic, { topic: `crypto gdoi${string}` }>['topic'], DetailTopic['topic']>;

function viewOfGdoiDetail(topic: DetailTopic, snapshot: Snapshot): View {
  const { members, servers } = selectGroup(snapshot, topic.group);
  switch (topic.topic) {
    case 'crypto gdoi feature':
      return { lines: renderFeature(topic.feature, members, servers), json: featureState(topic.feature, members, servers) };
    case 'crypto gdoi gm rekey':
      return { lines: joinBlocks(members.map((state) => renderMemberRekey(state, topic.detail))), json: { gdoiMembers: members } };
    case 'crypto gdoi ks':
      return { lines: renderServers(servers, topic.detail), json: { gdoiServers: servers } };
    case 'crypto gdoi gm identifier': {
      const json = members.map(({ group, senderIds, senderIdBits }) => ({ group, senderIds, senderIdBits }));
      return { lines: joinBlocks(members.map((state) => renderMemberIdentifiers(state, topic.detail))), json: { gdoiMembers: json } };
    }
    case 'crypto gdoi ks identifier': {
      const json = servers.map(({ group, counterMode, senderIdBits, senderIdsUsed }) => ({
        group,
        counterMode,
        senderIdBits,
        senderIdsUsed,
      }));
      return { lines: joinBlocks(servers.map((state) => renderServerIdentifiers(state, topic.detail))), json: { gdoiServers: json } };
    }
    case 'crypto gdoi ks members': {
      const chosen = selectServerMembers(servers, topic.member);
      return {
        lines: ['', ...chosen.flatMap(renderServerMembers)],
        json: { gdoiServers: chosen.map(({ group, members: registered }) => ({ group, members: registered })) },
      };
    }
    case 'crypto gdoi rekey sa':
      return { lines: renderRekeySas(members, topic.detail), json: { gdoiMembers: members.map(({ group, kek }) => ({ group, kek })) } };
  }
}

function viewOfGdoi(topic: GdoiTopic, group: string | null, snapshot: Snapshot): View {
  const { members, servers } = selectGroup(snapshot, group);
  switch (topic) {
    case 'crypto gdoi': {
      // `group G` has no heading: that is how the two commands differ on IOS.
      const lines =
        group === null ? renderAllGroups(snapshot) : joinBlocks([...members.map(renderMemberGroup), ...servers.map(renderServerGroup)]);
      return { lines, json: { gdoiMembers: members, gdoiServers: servers } };
    }
    case 'crypto gdoi gm':
      return { lines: joinBlocks(members.map(renderMember)), json: { gdoiMembers: members } };
    case 'crypto gdoi gm replay':
      return {
        lines: members.flatMap(renderReplay),
        json: { gdoiMembers: members.map(({ group, replay, counters }) => ({ group, replay, counters })) },
      };
    case 'crypto gdoi gm acl':
    case 'crypto gdoi gm acl local': {
      const onlyLocal = topic.endsWith('local');
      const json = members.map(({ group, acl, localAclName, localAcl }) => ({
        group,
        ...(onlyLocal ? {} : { acl }),
        localAclName,
        localAcl,
      }));
      return { lines: members.flatMap((state) => renderMemberAcl(state, onlyLocal)), json: { gdoiMembers: json } };
    }
    case 'crypto gdoi gm dataplan counter': {
      const lines = joinBlocks(members.map((state) => renderDataplaneCounters(state, snapshot.counters.drops)));
      return { lines: ['', ...lines], json: { gdoiMembers: members.map(({ group, counters, teks }) => ({ group, counters, teks })) } };
    }
    case 'crypto gdoi gm pubkey':
      return { lines: renderPublicKeyGroups(members), json: { gdoiMembers: members.map(({ group }) => ({ group })) } };
    case 'crypto gdoi ipsec sa':
      return { lines: joinBlocks(members.map(renderGroupSas)), json: { gdoiMembers: members.map(({ group, acl }) => ({ group, acl })) } };
    case 'crypto gdoi ks acl':
      return { lines: servers.flatMap(renderServerAcl), json: { gdoiServers: servers.map(({ group, sas }) => ({ group, sas })) } };
    case 'crypto gdoi ks members summary':
      return {
        lines: renderServerMemberSummary(servers),
        json: { gdoiServers: servers.map(({ group, members: registered }) => ({ group, members: registered })) },
      };
    case 'crypto gdoi ks policy': {
      const json = servers.map(({ group, sequence, kek, teks }) => ({ group, sequence, kek, teks }));
      return { lines: joinBlocks(servers.map(renderServerPolicy)), json: { gdoiServers: json } };
    }
  }
}
