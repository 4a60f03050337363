// ip nat translation port-timeout: how long flows that ask a port may be quiet. Does not: change those that are there.

import { Cap } from '../../../dataplane/tables/layout.js';
import { integer } from '../arguments.js';
import { LongestNatTimeout, type NatPortTimeout } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node } from '../tree.js';

type GlobalEdit = Edit<'config'>;

/** As many as the packet path has room for. */
const MostPorts = Cap.NatPortTimeouts;

function isSame(a: NatPortTimeout, args: Args): boolean {
  return a.protocol === args.text('protocol') && a.port === args.number('port');
}

function set(args: Args, { target }: GlobalEdit): void {
  const { portTimeouts } = target.nat;
  const wanted: NatPortTimeout = {
    protocol: args.text('protocol') as NatPortTimeout['protocol'],
    port: args.number('port'),
    seconds: args.has('never') ? 'never' : args.number('seconds'),
  };
  const at = portTimeouts.findIndex((item) => isSame(item, args));
  if (at < 0 && portTimeouts.length === MostPorts)
    throw new ConfigError(`at most ${MostPorts} ports have timeouts of their own`, 'ip nat translation tcp-timeout, udp-timeout');
  if (at < 0) portTimeouts.push(wanted);
  else portTimeouts[at] = wanted;
}

function remove(args: Args, { session, target }: GlobalEdit): void {
  const kept = target.nat.portTimeouts.filter((item) => !isSame(item, args));
  if (kept.length === target.nat.portTimeouts.length)
    session.warnAbsent(`ip nat translation port-timeout ${args.text('protocol')} ${args.number('port')}`);
  target.nat.portTimeouts = kept;
}

/** Below `ip nat translation`. */
export const natPortTimeoutNode: Node<GlobalEdit> = keyword('port-timeout', 'Timeout of flows to a port', {
  next: (['tcp', 'udp'] as const).map((protocol) =>
    keyword<GlobalEdit>(protocol, `${protocol.toUpperCase()} port`, {
      set: ['protocol', protocol],
      next: [
        argument('port', integer(1, 65535), 'Port of whoever is asked', {
          no: remove,
          next: [
            keyword('never', 'Never timeout', { set: ['never', 1], run: set, no: remove }),
            argument('seconds', integer(1, LongestNatTimeout), 'Timeout in seconds', { run: set, no: remove }),
          ],
        }),
      ],
    }),
  ),
});

export function describePortTimeout({ protocol, port, seconds }: NatPortTimeout): string {
  return `ip nat translation port-timeout ${protocol} ${port} ${seconds}`;
}
