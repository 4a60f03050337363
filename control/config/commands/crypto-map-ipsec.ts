// Entries of `crypto map NAME SEQ ipsec-isakmp`: the peers, how traffic with them is protected, for how long; and `crypto map NAME local-address`.
// `reverse-route` is in reverse-route.ts. Does not: ip access-group inside of a map, peers by name.

import { formatIpv4 } from '../addresses.js';
import { integer, interfaceName, ipv4, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { type Config, type CryptoMapEntry, type DhGroup, dhGroups, type SiteToSite } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path, refused } from '../tree.js';

type MapEdit = Edit<'config-crypto-map'>;

/** IOS: 120 to 2592000 s, 2560 to 4294967295 KB. Shorter times are for tests; verify warns about them. */
const [shortestSeconds, longestSeconds] = [20, 2_592_000];
const [leastKilobytes, mostKilobytes] = [2560, 4_294_967_295];
/** Arguments of lifetimes. */
export const seconds = integer(shortestSeconds, longestSeconds);
export const kilobytes = integer(leastKilobytes, mostKilobytes);
/** What IOS takes; it tries them in order. */
const MostPeers = 10;

export function emptySiteToSite(): SiteToSite {
  return { peers: [], transformSets: [], pfs: null, lifetimeSeconds: null, lifetimeKilobytes: null };
}

/** @throws ConfigError in an entry of GDOI */
function ipsecOf({ name, sequence, ipsec }: CryptoMapEntry): SiteToSite {
  if (ipsec) return ipsec;
  throw new ConfigError(`crypto map ${name} ${sequence} is a gdoi entry: its key server says this`, 'crypto map M N ipsec-isakmp');
}

/** @throws ConfigError in an entry of GDOI */
export function changePeers(field: keyof SiteToSite, edit: MapEdit, apply: (ipsec: SiteToSite) => void): void {
  apply(ipsecOf(edit.target));
  edit.session.mark(edit.target, field);
}

function addPeer(args: Args, edit: MapEdit): void {
  const address = args.number('peer');
  changePeers('peers', edit, ({ peers }) => {
    if (peers.includes(address)) return;
    if (peers.length >= MostPeers) throw new ConfigError(`more than ${MostPeers} peers`);
    peers.push(address);
  });
}

function removePeer(args: Args, edit: MapEdit): void {
  const ipsec = ipsecOf(edit.target);
  const at = ipsec.peers.indexOf(args.number('peer'));
  if (at < 0) edit.session.warnAbsent(`set peer ${formatIpv4(args.number('peer'))}`);
  else ipsec.peers.splice(at, 1);
}

function setTransformSets(args: Args, edit: MapEdit): void {
  const names = [1, 2, 3, 4, 5, 6].map((n) => args.optionalText(`set${n}`)).filter((name) => name !== null);
  changePeers('transformSets', edit, (ipsec) => {
    ipsec.transformSets = names;
  });
}

/** Up to six names in order of preference, as on IOS. */
function setNames(n: number): Node<MapEdit>[] {
  return n > 6 ? [] : [argument(`set${n}`, word(), 'Proposal tag', { run: setTransformSets, next: setNames(n + 1) })];
}

function setPfs(group: DhGroup | null, edit: MapEdit): void {
  changePeers('pfs', edit, (ipsec) => {
    ipsec.pfs = group;
  });
}

/** Of `set pfs`. */
export const groupChoices = Object.fromEntries(
  dhGroups.map((group): [string, [number, string]] => [`group${group}`, [group, `D-H Group${group}`]]),
);

function lifetime(field: 'lifetimeSeconds', value: number | null): (edit: MapEdit) => void;
function lifetime(field: 'lifetimeKilobytes', value: SiteToSite['lifetimeKilobytes']): (edit: MapEdit) => void;
function lifetime(field: 'lifetimeSeconds' | 'lifetimeKilobytes', value: SiteToSite['lifetimeKilobytes']): (edit: MapEdit) => void {
  return (edit) => changePeers(field, edit, (ipsec) => Object.assign(ipsec, { [field]: value }));
}

const lifetimeNodes: Node<MapEdit>[] = [
  keyword('kilobytes', 'Volume-based key duration', {
    no: (_, edit) => lifetime('lifetimeKilobytes', null)(edit),
    next: [
      argument('kilobytes', kilobytes, 'Security association duration in kilobytes', {
        run: (args, edit) => lifetime('lifetimeKilobytes', args.number('kilobytes'))(edit),
      }),
      keyword('disable', 'Disable volume-based rekey', { run: (_, edit) => lifetime('lifetimeKilobytes', 'disable')(edit) }),
    ],
  }),
  keyword('seconds', 'Time-based key duration', {
    no: (_, edit) => lifetime('lifetimeSeconds', null)(edit),
    next: [
      argument('seconds', seconds, 'Security association duration in seconds', {
        run: (args, edit) => lifetime('lifetimeSeconds', args.number('seconds'))(edit),
      }),
    ],
  }),
];

/** Behind `set`. */
export const siteToSiteNodes: Node<MapEdit>[] = [
  keyword('peer', 'Allowed Encryption/Decryption peer.', {
    next: [argument('peer', ipv4, 'IP address of peer', { run: addPeer, no: removePeer })],
  }),
  keyword('pfs', 'Specify pfs settings', {
    run: (_, edit) => setPfs(1, edit),
    no: (_, edit) => setPfs(null, edit),
    next: choice('group', groupChoices, { run: (args, edit) => setPfs(args.number('group') as DhGroup, edit) }),
  }),
  path(
    [['security-association', 'Security association parameters']],
    [
      keyword('lifetime', 'Security association lifetime', { next: lifetimeNodes }),
      refused('level', 'set security-association level is not supported', 'an access list entry for each host'),
      refused('idle-time', 'set security-association idle-time is not supported yet'),
      refused('replay', 'set security-association replay is not supported yet'),
    ],
  ),
  keyword('transform-set', 'Specify list of transform sets in priority order', {
    no: (_, edit) =>
      changePeers('transformSets', edit, (ipsec) => {
        ipsec.transformSets = [];
      }),
    next: setNames(1),
  }),
  keyword('isakmp-profile', 'Specify isakmp Profile', {
    no: (_, edit) =>
      changePeers('isakmpProfile', edit, (ipsec) => {
        delete ipsec.isakmpProfile;
      }),
    next: [
      argument('profile', word(80), 'Specify isakmp profile name', {
        run: (args, edit) =>
          changePeers('isakmpProfile', edit, (ipsec) => {
            ipsec.isakmpProfile = args.text('profile');
          }),
      }),
    ],
  }),
  refused('identity', 'set identity is not supported yet'),
  refused('ip', 'set ip access-group is not supported yet', 'ip access-group on the interface inside'),
];

/** Behind `crypto map NAME`. */
export const localAddressNode: Node<Edit<'config'>> = keyword('local-address', 'Interface to use for local address for this crypto map', {
  no: (args, { session, target }) => {
    if (!target.localAddresses.delete(args.text('name'))) session.warnAbsent(`crypto map ${args.text('name')} local-address`);
  },
  next: [
    argument('interface', interfaceName, 'Interface', {
      run: (args, { session, target }) => {
        target.localAddresses.set(args.text('name'), args.text('interface'));
        session.mark(target.localAddresses, args.text('name'));
      },
    }),
  ],
});

/** Behind `crypto map NAME` too. */
export const mapProfileNode: Node<Edit<'config'>> = keyword('isakmp-profile', 'Specify isakmp profile to use', {
  no: (args, { session, target }) => {
    if (!target.mapProfiles.delete(args.text('name'))) session.warnAbsent(`crypto map ${args.text('name')} isakmp-profile`);
  },
  next: [
    argument('profile', word(80), 'Isakmp profile name', {
      run: (args, { session, target }) => {
        target.mapProfiles.set(args.text('name'), args.text('profile'));
        session.mark(target.mapProfiles, args.text('name'));
      },
    }),
  ],
});

/** What is said of whole maps. */
export function printMapSettings({ localAddresses, mapProfiles }: Config): Block[] {
  return [
    ...[...localAddresses].map(([map, name]) => block(`crypto map ${map} local-address ${name}`)),
    ...[...mapProfiles].map(([map, name]) => block(`crypto map ${map} isakmp-profile ${name}`)),
  ];
}

/** In IOS's order. */
export function printSiteToSite(ipsec: SiteToSite): (Block | false)[] {
  const { peers, transformSets, pfs, lifetimeSeconds, lifetimeKilobytes, isakmpProfile } = ipsec;
  const life = 'set security-association lifetime';
  return [
    ...peers.map((peer) => block(`set peer ${formatIpv4(peer)}`)),
    lifetimeKilobytes !== null && block(`${life} kilobytes ${lifetimeKilobytes}`),
    lifetimeSeconds !== null && block(`${life} seconds ${lifetimeSeconds}`),
    transformSets.length > 0 && block(`set transform-set ${transformSets.join(' ')}`),
    pfs !== null && block(`set pfs group${pfs}`),
    isakmpProfile !== undefined && block(`set isakmp-profile ${isakmpProfile}`),
  ];
}
