// version, hostname, ip domain name, exit, end.

import { word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { DefaultHostname } from '../empty.js';
import type { Config } from '../model.js';
import { ConfigError, type Edit, type ModeName } from '../session.js';
import { argument, keyword, type Node, type NodeSpec, path } from '../tree.js';

function isHostname(text: string): boolean {
  if (text.length > 63 || text.startsWith('-') || text.endsWith('-')) return false;
  return [...text].every((c) => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c === '-' || c === '_');
}

function domainNodes(): Node<Edit<'config'>>[] {
  return [
    argument('domain', word(253), 'Default domain name', {
      run: (args, { target }) => {
        target.domainName = args.text('domain');
      },
    }),
  ];
}

const domainSpec: NodeSpec<Edit<'config'>> = {
  commit: true,
  no: (_, { target }) => {
    target.domainName = null;
  },
  next: domainNodes(),
};

export const generalCommands: Node<Edit<'config'>>[] = [
  keyword('version', 'Version of the software that wrote the configuration', {
    commit: true,
    next: [
      argument('version', word(), 'Version', {
        run: (args, { target }) => {
          target.version = args.text('version');
        },
      }),
    ],
  }),
  keyword('hostname', "Set system's network name", {
    commit: true,
    no: (_, { target }) => {
      target.hostname = DefaultHostname;
    },
    next: [
      argument('name', word(), "This system's network name", {
        run: (args, { target }) => {
          const name = args.text('name');
          if (!isHostname(name)) throw new ConfigError(`"${name}" is not a host name`, 'letters, digits, - and _, at most 63');
          target.hostname = name;
        },
      }),
    ],
  }),
  path(
    [['ip', 'Global IP configuration subcommands']],
    [
      path([['domain', 'IP DNS resolver']], [keyword('name', 'Define the default domain name', domainSpec)]),
      keyword('domain-name', 'Define the default domain name', domainSpec),
    ],
  ),
];

/** Commands of every mode. */
export function modeExits<M extends ModeName>(): Node<Edit<M>>[] {
  return [
    keyword('exit', 'Exit from the current mode', { commit: true, run: (_, { session }) => session.leave() }),
    keyword('end', 'Return to global configuration', { commit: true, run: (_, { session }) => session.leaveAll() }),
  ];
}

export function printGeneral(config: Config): Block[] {
  const blocks: Block[] = [];
  if (config.version !== undefined) blocks.push(block(`version ${config.version}`));
  blocks.push(block(`hostname ${config.hostname}`));
  return blocks;
}

export function printDomain(config: Config): Block[] {
  return config.domainName === null ? [] : [block(`ip domain name ${config.domainName}`)];
}
