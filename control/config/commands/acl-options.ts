// What an entry of an extended list may say behind its destination, in any order: TCP flags, ToS, fragments, log. ICMP types stand here too; they
// come first. Does not: time-range, reflect, ttl, option: an error where it is written, for an entry that matches more than its line says is a hole.

import { integer } from '../arguments.js';
import { type AclEntry, type IcmpMatch, type TcpFlag, type TcpFlagMatch, tcpFlags } from '../model.js';
import { ConfigError } from '../session.js';
import { type Action, type Args, argument, keyword, type Node, refused } from '../tree.js';
import { describeIcmp, describeValue, dscpNames, icmpMessages, precedenceNames, tosNames } from './packet-names.js';

export type EntryOptions = Pick<AclEntry, 'icmp' | 'established' | 'flags' | 'dscp' | 'precedence' | 'tos' | 'fragments' | 'log'>;

const flagHelp: Record<TcpFlag, string> = {
  ack: 'Match on the ACK bit',
  fin: 'Match on the FIN bit',
  psh: 'Match on the PSH bit',
  rst: 'Match on the RST bit',
  syn: 'Match on the SYN bit',
  urg: 'Match on the URG bit',
};
const Icmp = 1;
const Tcp = 6;
const hint = 'remove it, or leave the entry out: without it the entry would match more than it says';

function refusedOptions<C>(): Node<C>[] {
  return ['option', 'reflect', 'time-range', 'ttl'].map((word) =>
    refused<C>(word, `"${word}" in an access list entry is not supported`, hint),
  );
}

/** A value by number or name, which becomes `args` of the option's own name. */
function valueNode<C>(name: string, help: string, most: number, names: Map<string, number>, spec: OptionSpec<C>): Node<C> {
  return keyword(name, help, {
    once: true,
    next: [
      argument(name, integer(0, most), help, spec),
      ...[...names].map(([word, value]) => keyword<C>(word, `Match ${name} ${value}`, { ...spec, set: [name, value] })),
    ],
  });
}

interface OptionSpec<C> {
  run: Action<C>;
  next: () => Node<C>[];
}

function logNodes<C>(spec: OptionSpec<C>, kinds: readonly NonNullable<AclEntry['log']>[]): Node<C>[] {
  const help = { log: 'Log matches against this entry', 'log-input': 'Log matches against this entry, including input interface' };
  return kinds.map((kind) => keyword<C>(kind, help[kind], { ...spec, once: true, set: ['log', kind] }));
}

function flagNodes<C>(spec: OptionSpec<C>): Node<C>[] {
  let below: Node<C>[] | null = null;
  const next = (): Node<C>[] => {
    below ??= [...signed, ...spec.next()];
    return below;
  };
  const signed: Node<C>[] = tcpFlags.flatMap((flag) =>
    (['+', '-'] as const).map((sign) =>
      keyword<C>(`${sign}${flag}`, `${flagHelp[flag]} ${sign === '+' ? 'set' : 'clear'}`, {
        run: spec.run,
        once: true,
        set: [`${sign}${flag}`, 1],
        next,
      }),
    ),
  );
  return [
    keyword('established', 'Match established connections', { ...spec, once: true, set: ['established', 1] }),
    ...tcpFlags.map((flag) => keyword<C>(flag, flagHelp[flag], { ...spec, once: true, set: [`bare ${flag}`, 1] })),
    keyword('match-all', 'Match if all specified flags are present', { once: true, set: ['match', 'all'], next: signed }),
    keyword('match-any', 'Match if any specified flag is present', { once: true, set: ['match', 'any'], next: signed }),
  ];
}

/** Options behind the destination of an extended entry. @param isTcp with those of TCP */
export function optionNodes<C>(run: Action<C>, isTcp: boolean): Node<C>[] {
  const options: Node<C>[] = [];
  const spec = { run, next: () => options };
  options.push(
    ...(isTcp ? flagNodes(spec) : []),
    valueNode('dscp', 'Match packets with given dscp value', 63, dscpNames, spec),
    keyword('fragments', 'Check non-initial fragments', { ...spec, once: true, set: ['fragments', 1] }),
    ...logNodes(spec, ['log', 'log-input']),
    valueNode('precedence', 'Match packets with given precedence value', 7, precedenceNames, spec),
    valueNode('tos', 'Match packets with given TOS value', 15, tosNames, spec),
    ...refusedOptions<C>(),
  );
  return options;
}

/** The same for a standard entry. */
export function standardOptionNodes<C>(run: Action<C>): Node<C>[] {
  return [
    ...logNodes<C>({ run, next: () => [] }, ['log']),
    ...['dscp', 'fragments', 'log-input', 'precedence', 'tos'].map((word) =>
      refused<C>(word, `"${word}" is for entries of an extended access list`, 'ip access-list extended NAME'),
    ),
    ...refusedOptions<C>(),
  ];
}

/** An ICMP type, with or without code, or a message by name. */
export function icmpNodes<C>(run: Action<C> | undefined, next: Node<C>[]): Node<C>[] {
  return [
    argument('icmpType', integer(0, 255), 'ICMP message type', {
      run,
      next: [argument('icmpCode', integer(0, 255), 'ICMP message code', { run, next }), ...next],
    }),
    ...[...icmpMessages].map(([word, [type, code]]) =>
      keyword<C>(word, `ICMP type ${type}${code === null ? '' : ` code ${code}`}`, { set: ['icmpMessage', word], run, next }),
    ),
  ];
}

export function readIcmp(args: Args): IcmpMatch | null {
  const message = icmpMessages.get(args.optionalText('icmpMessage') ?? '');
  if (message) return { type: message[0], code: message[1] };
  const type = args.optionalNumber('icmpType');
  return type === null ? null : { type, code: args.optionalNumber('icmpCode') };
}

function readFlags(args: Args): TcpFlagMatch | null {
  const bare = tcpFlags.filter((flag) => args.has(`bare ${flag}`));
  const mode = args.optionalText('match') as TcpFlagMatch['mode'] | null;
  const ways = [args.has('established'), bare.length > 0, mode !== null].filter((way) => way).length;
  if (ways > 1) throw new ConfigError('established, flags and match-any or match-all exclude each other', 'one entry for each');
  if (bare.length > 0) return { mode: 'any', set: bare, clear: [] };
  if (mode === null) return null;
  const [set, clear] = ['+', '-'].map((sign) => tcpFlags.filter((flag) => args.has(`${sign}${flag}`)));
  const both = set.find((flag) => clear.includes(flag));
  if (both) throw new ConfigError(`+${both} and -${both}: a flag is set or clear`);
  return { mode, set, clear };
}

/** @param hasPorts the entry names ports @throws ConfigError for options that exclude each other */
export function readOptions(args: Args, hasPorts: boolean): EntryOptions {
  const options: EntryOptions = {};
  const protocol = args.optionalNumber('protocol');
  const icmp = protocol === Icmp ? readIcmp(args) : null;
  const flags = protocol === Tcp ? readFlags(args) : null;
  if (icmp) options.icmp = icmp;
  if (args.has('established')) options.established = true;
  if (flags) options.flags = flags;
  for (const name of ['dscp', 'precedence', 'tos'] as const) if (args.has(name)) options[name] = args.number(name);
  if (options.dscp !== undefined && (options.precedence !== undefined || options.tos !== undefined))
    throw new ConfigError('dscp and precedence or tos are bits of the same octet: only one of them can be asked');
  if (args.has('fragments')) {
    if (hasPorts || icmp || flags || options.established)
      throw new ConfigError(
        'a fragment that is not the first has neither ports nor flags nor an ICMP type',
        'leave out fragments or these',
      );
    options.fragments = true;
  }
  const log = args.optionalText('log') as AclEntry['log'] | null;
  if (log) options.log = log;
  return options;
}

function describeFlags({ mode, set, clear }: TcpFlagMatch): string {
  if (mode === 'any' && clear.length === 0) return set.join(' ');
  const signed = tcpFlags.flatMap((flag) => (set.includes(flag) ? [`+${flag}`] : clear.includes(flag) ? [`-${flag}`] : []));
  return `match-${mode} ${signed.join(' ')}`;
}

/** What stands behind the destination, a space in front of each word. */
export function describeOptions({ icmp, established, flags, dscp, precedence, tos, fragments, log }: EntryOptions): string {
  const words = [
    icmp && describeIcmp(icmp.type, icmp.code),
    established && 'established',
    flags && describeFlags(flags),
    dscp !== undefined && `dscp ${describeValue(dscpNames, dscp)}`,
    precedence !== undefined && `precedence ${describeValue(precedenceNames, precedence)}`,
    tos !== undefined && `tos ${describeValue(tosNames, tos)}`,
    fragments && 'fragments',
    log,
  ];
  return words.flatMap((word) => (word ? [` ${word}`] : [])).join('');
}
