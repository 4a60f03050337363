// Global settings of phase 1: crypto isakmp identity, keepalive, nat keepalive, invalid-spi-recovery; crypto ipsec nat-transparency.

import { integer } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { defaultIsakmp } from '../empty.js';
import type { Config, IsakmpSettings } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path } from '../tree.js';

type ConfigEdit = Edit<'config'>;

/** One setting: read from the arguments, the default for `no`. */
function setting<K extends keyof IsakmpSettings>(field: K, read: (args: Args) => IsakmpSettings[K]) {
  return {
    run(args: Args, { session, target }: ConfigEdit): void {
      target.isakmp[field] = read(args);
      session.mark(target.isakmp, field);
    },
    no(_: Args, { session, target }: ConfigEdit): void {
      target.isakmp[field] = defaultIsakmp()[field];
      session.mark(target.isakmp, field);
    },
  };
}

const identity = setting('identity', (args) => args.text('identity') as IsakmpSettings['identity']);
/** IOS: 2 seconds between retries, on demand. */
const DefaultRetrySeconds = 2;
const keepalive = setting('keepalive', (args) => ({
  seconds: args.number('seconds'),
  retrySeconds: args.optionalNumber('retry') ?? DefaultRetrySeconds,
  mode: args.optionalText('mode') === 'periodic' ? 'periodic' : 'on-demand',
}));
const natKeepalive = setting('natKeepaliveSeconds', (args) => args.number('seconds'));
const transparency = {
  run: (_: Args, { target }: ConfigEdit): void => {
    target.isakmp.natTraversal = true;
  },
  no: (_: Args, { target }: ConfigEdit): void => {
    target.isakmp.natTraversal = false;
  },
};

const recovery = setting('invalidSpiRecovery', () => true);

const keepaliveModes = choice<ConfigEdit>(
  'mode',
  {
    'on-demand': ['on-demand', 'Keepalives are sent on demand'],
    periodic: ['periodic', 'Keepalives are sent at the given period'],
  },
  { run: keepalive.run },
);

export const isakmpSettingCommands: Node<ConfigEdit>[] = [
  path(
    [
      ['crypto', 'Encryption module'],
      ['isakmp', 'Configure ISAKMP policy'],
    ],
    [
      keyword('identity', 'Set the identity which ISAKMP will use', {
        commit: true,
        no: identity.no,
        next: choice(
          'identity',
          {
            address: ['address', 'Use the IP address of the interface for the identity'],
            dn: ['dn', "Use the distinguished name of the router's certificate for the identity"],
            hostname: ['hostname', 'Use the hostname of the router for the identity'],
          },
          { run: identity.run },
        ),
      }),
      keyword('keepalive', 'Set a keepalive interval for use with IOS peers', {
        commit: true,
        no: keepalive.no,
        next: [
          argument('seconds', integer(10, 3600), 'Number of seconds between keep alives', {
            run: keepalive.run,
            next: [
              argument('retry', integer(2, 60), 'Number of seconds between retries if keepalive fails', {
                run: keepalive.run,
                next: keepaliveModes,
              }),
              ...keepaliveModes,
            ],
          }),
        ],
      }),
      keyword('invalid-spi-recovery', 'Initiate IKE and send Invalid SPI Notify', { commit: true, run: recovery.run, no: recovery.no }),
      keyword('nat', 'Set a nat keepalive interval', {
        commit: true,
        no: natKeepalive.no,
        next: [
          keyword('keepalive', 'Set a nat keepalive interval for use with IOS peers', {
            next: [argument('seconds', integer(5, 3600), 'Number of seconds between keep alives', { run: natKeepalive.run })],
          }),
        ],
      }),
    ],
  ),
  path(
    [
      ['crypto', 'Encryption module'],
      ['ipsec', 'Configure IPSEC policy'],
    ],
    [
      keyword('nat-transparency', 'IPsec NAT transparency model', {
        commit: true,
        next: [keyword('udp-encapsulation', 'UDP encapsulation of IPsec protocols', { run: transparency.run, no: transparency.no })],
      }),
    ],
  ),
];

export function printIsakmpSettings({ isakmp }: Config): Block[] {
  const { identity: own, keepalive: dpd, natKeepaliveSeconds, natTraversal, invalidSpiRecovery } = isakmp;
  return [
    ...(own === 'address' ? [] : [block(`crypto isakmp identity ${own}`)]),
    ...(dpd === null
      ? []
      : [
          block(
            `crypto isakmp keepalive ${dpd.seconds}${dpd.retrySeconds === DefaultRetrySeconds ? '' : ` ${dpd.retrySeconds}`}${dpd.mode === 'periodic' ? ' periodic' : ''}`,
          ),
        ]),
    ...(invalidSpiRecovery ? [block('crypto isakmp invalid-spi-recovery')] : []),
    ...(natKeepaliveSeconds === null ? [] : [block(`crypto isakmp nat keepalive ${natKeepaliveSeconds}`)]),
    ...(natTraversal ? [] : [block('no crypto ipsec nat-transparency udp-encapsulation')]),
  ];
}
