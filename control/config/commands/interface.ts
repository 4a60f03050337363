// interface and what stands in it. Our own commands: linux-device (which netdev), port-driver (how packets are read), offload.
// Tunnels: interface-tunnel.ts. Does not: subinterfaces.

import { formatIpv4, maskToPrefixLength, prefixRange } from '../addresses.js';
import { integer, interfaceName, ipv4, restOfLine, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { isTunnel, unsupportedInterfaceType } from '../interface-names.js';
import { type Config, type InterfaceConfig, type PortDriver, portDrivers } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { accessGroupNodes, printAccessGroups } from './access-group.js';
import { mtuInterfaceNodes, printInterfaceMss } from './interface-mtu.js';
import { newTunnel, printTunnel, tunnelCommands } from './interface-tunnel.js';
import { ipsecFragmentationInterfaceNodes, printIpsecFragmentation } from './ipsec-fragmentation.js';
import { multicastInterfaceNodes, printStaticGroups } from './multicast.js';
import { natInterfaceNodes, printInterfaceNat } from './nat.js';
import { policyInterfaceNodes, printInterfacePolicy } from './policy.js';
import { printInterfaceQos, qosInterfaceCommands } from './policy-map.js';
import { printVirtualReassembly, virtualReassemblyNodes } from './virtual-reassembly.js';

type InterfaceEdit = Edit<'config-if'>;

/** Sets one field, remembering the line. */
function set<K extends keyof InterfaceConfig>(
  field: K,
  read: (args: Args) => InterfaceConfig[K],
): (args: Args, edit: InterfaceEdit) => void {
  return (args, { session, target }) => {
    target[field] = read(args);
    session.mark(target, field);
  };
}

/** An address with its mask that a host can have. Shared by nothing else: routes take networks. */
function readAddress(args: Args): { address: number; mask: number } {
  const address = args.number('address');
  const mask = args.number('mask');
  const length = maskToPrefixLength(mask);
  if (length === null || length === 0)
    throw new ConfigError(`Bad mask ${formatIpv4(mask)} for address ${formatIpv4(address)}`, 'for example 255.255.255.0');
  const { first, last } = prefixRange(address, mask);
  if (length <= 30 && (address === first || address === last)) {
    throw new ConfigError(
      `Bad mask /${length} for address ${formatIpv4(address)}`,
      'it is the address of the network itself or its broadcast address',
    );
  }
  const top = address >>> 24;
  if (top === 0 || top === 127 || top >= 224) throw new ConfigError(`${formatIpv4(address)} is not the address of an interface`);
  return { address, mask };
}

function setAddress(secondary: boolean): (args: Args, edit: InterfaceEdit) => void {
  return (args, { session, target }) => {
    const entry = { ...readAddress(args), secondary };
    if (secondary && target.addresses.length === 0) throw new ConfigError('a secondary address needs a primary one first');
    const same = target.addresses.findIndex((other) => other.address === entry.address);
    const primary = target.addresses.findIndex((other) => !other.secondary);
    if (secondary && same >= 0 && same === primary) throw new ConfigError(`${formatIpv4(entry.address)} is the primary address already`);
    if (!secondary && same >= 0 && same !== primary) target.addresses.splice(same, 1);
    session.mark(entry, '');
    if (!secondary && primary >= 0) target.addresses[primary] = entry;
    else if (secondary && same >= 0) target.addresses[same] = entry;
    else target.addresses.push(entry);
  };
}

function removeAddress(args: Args, { session, target }: InterfaceEdit): void {
  const address = args.optionalNumber('address');
  if (address === null) {
    if (target.addresses.length > 0) target.addresses = [];
    return;
  }
  const at = target.addresses.findIndex((other) => other.address === address);
  if (at < 0) {
    session.warnAbsent(`ip address ${formatIpv4(address)}`);
    return;
  }
  if (!target.addresses[at].secondary && target.addresses.length > 1) {
    throw new ConfigError('Must delete secondary before deleting primary');
  }
  target.addresses.splice(at, 1);
}

/** Settings of a physical layer that Linux keeps elsewhere (ethtool): kept as they stand, with a warning. */
function meaningless(words: string, help: string): Node<InterfaceEdit> {
  const keep = (_: Args, { session }: InterfaceEdit): void => {
    session.warn('has no meaning on Linux: kept, but without effect', 'ethtool sets the link of a netdev');
    session.keepLine(session.frame.path);
  };
  return keyword(words, help, {
    commit: true,
    run: keep,
    no: keep,
    next: [argument('rest', restOfLine(), 'Setting', { run: keep, no: keep })],
  });
}

const driverHelp: Record<PortDriver, string> = {
  packet: 'Packet sockets: an Ethernet device, for clear traffic',
  raw: 'Raw sockets: ESP on any device',
  tun: 'TUN device and policy rules: any device (default without a crypto map)',
  xdp: 'AF_XDP sockets: ESP on an Ethernet device (default with a crypto map)',
};
const driverHint = `one of ${portDrivers.join(', ')}`;

function refuseDriver(args: Args): void {
  throw new ConfigError(`there is no port-driver ${args.text('driver')}`, driverHint);
}

export const interfaceCommands: Node<InterfaceEdit>[] = [
  keyword('bandwidth', 'Set bandwidth informational parameter', {
    commit: true,
    no: (_, { target }) => {
      delete target.bandwidthKbps;
    },
    next: [argument('kbps', integer(1, 10_000_000), 'Bandwidth in kilobits', { run: set('bandwidthKbps', (args) => args.number('kbps')) })],
  }),
  path(
    [['crypto', 'Encryption/Decryption commands']],
    [
      keyword('map', 'Assign a Crypto Map', {
        commit: true,
        no: set('cryptoMap', () => null),
        next: [argument('map', word(), 'Crypto Map tag', { run: set('cryptoMap', (args) => args.text('map')) })],
      }),
      path([['ipsec', 'Set IPSec parameters']], ipsecFragmentationInterfaceNodes),
    ],
  ),
  keyword('description', 'Interface specific description', {
    commit: true,
    no: set('description', () => null),
    next: [
      argument('text', restOfLine(), 'Up to 240 characters describing this interface', {
        run: set('description', (args) => args.text('text')),
      }),
    ],
  }),
  meaningless('duplex', 'Configure duplex operation (no meaning on Linux)'),
  path(
    [['ip', 'Interface Internet Protocol config commands']],
    [
      keyword('address', 'Set the IP address of an interface', {
        commit: true,
        no: removeAddress,
        next: [
          argument('address', ipv4, 'IP address', {
            next: [
              argument('mask', ipv4, 'IP subnet mask', {
                run: setAddress(false),
                next: [keyword('secondary', 'Make this IP address a secondary address', { run: setAddress(true) })],
              }),
            ],
          }),
          refused('dhcp', 'ip address dhcp is not supported yet', 'write the address that the netdev has'),
          refused('negotiated', 'ip address negotiated is not supported'),
        ],
      }),
      ...accessGroupNodes,
      ...mtuInterfaceNodes,
      ...multicastInterfaceNodes,
      ...natInterfaceNodes,
      ...policyInterfaceNodes,
      ...virtualReassemblyNodes,
      keyword('mtu', 'Set IP Maximum Transmission Unit', {
        commit: true,
        no: set('ipMtu', () => null),
        next: [argument('mtu', integer(68, 65535), 'MTU (bytes)', { run: set('ipMtu', (args) => args.number('mtu')) })],
      }),
    ],
  ),
  keyword('linux-device', 'The Linux network device of this interface (groupwire)', {
    commit: true,
    no: set('linuxDevice', () => null),
    next: [
      argument('device', word(15), 'Name of the device, as ip link shows it', {
        run: (args, edit) => {
          const device = args.text('device');
          if (device.includes('/') || device === '.' || device === '..')
            throw new ConfigError(`"${device}" cannot be the name of a Linux network device`);
          set('linuxDevice', () => device)(args, edit);
        },
      }),
    ],
  }),
  meaningless('negotiation', 'Select autonegotiation mode (no meaning on Linux)'),
  keyword('offload', 'Let devices cut superpackets and fill in checksums (groupwire)', {
    commit: true,
    run: set('offload', () => true),
    no: set('offload', () => false),
  }),
  keyword('port-driver', 'How packets are read and written (groupwire)', {
    commit: true,
    no: set('portDriver', () => null),
    next: [
      ...portDrivers.map((driver) => keyword<InterfaceEdit>(driver, driverHelp[driver], { run: set('portDriver', () => driver) })),
      refused<InterfaceEdit>('udp', 'port-driver udp is not supported yet', driverHint),
      { ...argument<InterfaceEdit>('driver', word(), '', { run: refuseDriver }), hidden: true },
    ],
  }),
  keyword('shutdown', 'Shutdown the selected interface', {
    commit: true,
    run: set('shutdown', () => true),
    no: set('shutdown', () => false),
  }),
  meaningless('speed', 'Configure speed operation (no meaning on Linux)'),
  ...qosInterfaceCommands,
  ...tunnelCommands,
];

function enterInterface(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  let item = target.interfaces.get(name);
  if (!item) {
    item = {
      line: session.line,
      name,
      description: null,
      linuxDevice: null,
      portDriver: null,
      offload: true,
      addresses: [],
      ipMtu: null,
      staticGroups: [],
      shutdown: false,
      cryptoMap: null,
      ...(isTunnel(name) ? { tunnel: newTunnel() } : {}),
    };
    session.mark(item, '');
    target.interfaces.set(name, item);
  }
  session.enter('config-if', item, `interface ${name}`);
}

function refuseInterface(args: Args): void {
  const words = [args.optionalText('name'), args.text('other')]
    .filter((text) => text !== null)
    .join(' ')
    .split(' ');
  const type = unsupportedInterfaceType(words[0], words.length > 1);
  throw new ConfigError(
    type === null
      ? `"${words.join(' ')}" is neither an interface type nor the name of a Linux network device`
      : `${type} interfaces are not supported yet`,
    'GigabitEthernet, FastEthernet, Ethernet, TenGigabitEthernet, Loopback and Tunnel are, and names of netdevs such as eth0',
  );
}

const otherInterface: Node<Edit<'config'>> = {
  ...argument('other', restOfLine(), '', { run: refuseInterface, no: refuseInterface }),
  hidden: true,
};

export const interfaceGlobalCommands: Node<Edit<'config'>>[] = [
  keyword('interface', 'Select an interface to configure', {
    commit: true,
    next: [
      argument('name', interfaceName, 'Interface name', {
        run: enterInterface,
        no: (args, { session, target }) => {
          if (!target.interfaces.delete(args.text('name'))) return session.warnAbsent(`interface ${args.text('name')}`);
          session.forgetLinesIn([`interface ${args.text('name')}`]);
        },
        next: [otherInterface],
      }),
      otherInterface,
    ],
  }),
];

function printInterface(item: InterfaceConfig): Block {
  return block(
    `interface ${item.name}`,
    item.description !== null && `description ${item.description}`,
    item.bandwidthKbps !== undefined && `bandwidth ${item.bandwidthKbps}`,
    item.linuxDevice !== null && `linux-device ${item.linuxDevice}`,
    item.addresses.map(({ address, mask, secondary }) =>
      block(`ip address ${formatIpv4(address)} ${formatIpv4(mask)}${secondary ? ' secondary' : ''}`),
    ),
    item.ipMtu !== null && `ip mtu ${item.ipMtu}`,
    printInterfaceMss(item),
    ...printAccessGroups(item),
    printStaticGroups(item),
    printInterfaceNat(item),
    printVirtualReassembly(item),
    printInterfacePolicy(item),
    item.portDriver !== null && `port-driver ${item.portDriver}`,
    !item.offload && 'no offload',
    item.shutdown && 'shutdown',
    printTunnel(item),
    printInterfaceQos(item),
    ...printIpsecFragmentation(item),
    item.cryptoMap !== null && `crypto map ${item.cryptoMap}`,
  );
}

export function printInterfaces(config: Config): Block[] {
  return [...config.interfaces.values()].map(printInterface);
}
