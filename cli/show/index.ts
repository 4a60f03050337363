// Every show command by its full words: how it looks and which slice of the snapshot its `| json` form is. The grammar (abbreviations,
// arguments) is the command tree's business; to add a command, add it there and a line here.

import type { Snapshot } from '../../control/api/snapshot.js';
import { renderAllGroups, renderMember, renderMemberAcl, renderMemberGroup } from './gdoi-member.js';
import {
  renderServerAcl,
  renderServerGroup,
  renderServerMemberSummary,
  renderServerMembers,
  renderServerPolicy,
  renderServers,
} from './gdoi-server.js';
import { renderInterface, renderInterfaceBrief, renderInterfaces } from './interfaces.js';
import { renderCryptoMaps, renderIpsecSas } from './ipsec.js';
import { renderIsakmpPolicies, renderIsakmpSas } from './isakmp.js';
import { renderAccessList, renderRoutes } from './routing.js';
import { renderClock, renderPublicKeys, renderRunningConfig, renderVersion } from './system.js';

/** Something named on the line does not exist; the message is IOS's `% ...`. */
export class ShowError extends Error {
  override name = 'ShowError';
}

interface View {
  text: (snapshot: Snapshot) => string[];
  json: (snapshot: Snapshot) => unknown;
}

/** Picks keys of the snapshot. */
function pick<Key extends keyof Snapshot>(...keys: Key[]): (snapshot: Snapshot) => Pick<Snapshot, Key> {
  return (snapshot) => Object.fromEntries(keys.map((key) => [key, snapshot[key]])) as Pick<Snapshot, Key>;
}

/** The elements of a list that bear a name, all without one. */
function select<T>(list: readonly T[], argument: string | null, nameOf: (item: T) => string, what: string): T[] {
  if (argument === null) return [...list];
  const found = list.filter((item) => nameOf(item) === argument);
  if (found.length === 0) throw new ShowError(`% ${what} ${argument} does not exist`);
  return found;
}

const byGroup = (argument: string | null) => (snapshot: Snapshot) => {
  const members = snapshot.gdoiMembers.filter((state) => argument === null || state.group === argument);
  const servers = snapshot.gdoiServers.filter((state) => argument === null || state.group === argument);
  if (argument !== null && members.length + servers.length === 0) throw new ShowError(`% Group ${argument} does not exist`);
  return { gdoiMembers: members, gdoiServers: servers };
};

const joined = (blocks: string[][]) => blocks.flatMap((lines, index) => (index > 0 ? ['', ...lines] : lines));

/** Commands without an argument. */
const plain: Record<string, View> = {
  'access-lists': listView(null),
  clock: { text: renderClock, json: pick('takenAt') },
  'crypto gdoi': { text: renderAllGroups, json: byGroup(null) },
  'crypto gdoi detail': { text: renderAllGroups, json: byGroup(null) },
  'crypto gdoi gm': { text: (s) => joined(s.gdoiMembers.map(renderMember)), json: pick('gdoiMembers') },
  'crypto gdoi gm acl': {
    text: (s) => s.gdoiMembers.flatMap((state) => renderMemberAcl(state, false)),
    json: (s) => ({ gdoiMembers: s.gdoiMembers.map(({ group, acl, localAclName, localAcl }) => ({ group, acl, localAclName, localAcl })) }),
  },
  'crypto gdoi gm acl local': {
    text: (s) => s.gdoiMembers.flatMap((state) => renderMemberAcl(state, true)),
    json: (s) => ({ gdoiMembers: s.gdoiMembers.map(({ group, localAclName, localAcl }) => ({ group, localAclName, localAcl })) }),
  },
  'crypto gdoi ks': { text: renderServers, json: pick('gdoiServers') },
  'crypto gdoi ks acl': {
    text: (s) => s.gdoiServers.flatMap(renderServerAcl),
    json: (s) => ({ gdoiServers: s.gdoiServers.map(({ group, sas }) => ({ group, sas })) }),
  },
  'crypto gdoi ks members': serverMembersView(null),
  'crypto gdoi ks members summary': { text: renderServerMemberSummary, json: serverMembersView(null).json },
  'crypto gdoi ks policy': {
    text: (s) => joined(s.gdoiServers.map(renderServerPolicy)),
    json: (s) => ({ gdoiServers: s.gdoiServers.map(({ group, sequence, kek, teks }) => ({ group, sequence, kek, teks })) }),
  },
  'crypto ipsec sa': { text: renderIpsecSas, json: pick('ipsec') },
  'crypto isakmp policy': { text: renderIsakmpPolicies, json: pick('isakmpPolicies') },
  'crypto isakmp sa': { text: renderIsakmpSas, json: pick('isakmpSas') },
  'crypto key mypubkey rsa': { text: renderPublicKeys, json: pick('publicKeys') },
  'crypto map': { text: renderCryptoMaps, json: pick('cryptoMaps') },
  interfaces: { text: renderInterfaces, json: pick('interfaces') },
  'ip access-lists': listView(null),
  'ip interface brief': { text: renderInterfaceBrief, json: pick('interfaces') },
  'ip route': { text: renderRoutes, json: pick('routes') },
  'running-config': { text: renderRunningConfig, json: pick('runningConfig') },
  version: { text: renderVersion, json: pick('hostname', 'instance', 'version', 'uptimeSeconds', 'dataplaneConnected', 'processes') },
};

/** Commands with one. */
const withArgument: Record<string, (argument: string) => View> = {
  'access-lists': listView,
  'ip access-lists': listView,
  'crypto gdoi group': groupView,
  'crypto gdoi ks members': serverMembersView,
  interfaces: (argument) => {
    const find = (s: Snapshot) => select(s.interfaces, argument, ({ name }) => name, 'Interface');
    return { text: (s) => find(s).flatMap(renderInterface), json: (s) => ({ interfaces: find(s) }) };
  },
};

function listView(argument: string | null): View {
  const find = (s: Snapshot) => select(s.accessLists, argument, ({ name }) => name, 'Access list');
  return { text: (s) => find(s).flatMap(renderAccessList), json: (s) => ({ accessLists: find(s) }) };
}

function groupView(argument: string): View {
  const find = byGroup(argument);
  return {
    text: (s) => {
      const { gdoiMembers, gdoiServers } = find(s);
      return joined([...gdoiMembers.map(renderMemberGroup), ...gdoiServers.map(renderServerGroup)]);
    },
    json: find,
  };
}

function serverMembersView(argument: string | null): View {
  return {
    text: (s) => ['', ...s.gdoiServers.flatMap((state) => renderServerMembers(state, argument))],
    json: (s) => ({
      gdoiServers: s.gdoiServers.map(({ group, members }) => ({
        group,
        members: members.filter((member) => argument === null || member.address === argument),
      })),
    }),
  };
}

/** @param words of the command behind `show`, in full. @throws ShowError for a command that nobody renders */
export function findView(words: string, argument: string | null): View {
  const view =
    argument === null
      ? Object.hasOwn(plain, words)
        ? plain[words]
        : null
      : Object.hasOwn(withArgument, words)
        ? withArgument[words](argument)
        : null;
  if (!view) throw new ShowError(`% show ${words}: not available`);
  return view;
}

/** Names of all commands, for tests that compare them with the grammar. */
export const showCommands: readonly string[] = [...new Set([...Object.keys(plain), ...Object.keys(withArgument)])].sort();
