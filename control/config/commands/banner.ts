// banner [motd | login | exec]: what the shell says to whoever comes in. The text may take several lines; where it ends is the lexer's.
// Does not: the other banners of IOS (incoming, slip-ppp ...), which stay unknown lines.

import type { ArgumentType } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { bannerTypes, openBanner, unreadable } from '../lexer.js';
import { type BannerKind, bannerKinds, type Config } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node } from '../tree.js';

/** Characters of a banner's text. */
export const MaxBanner = 4000;

/** What a text is printed between: the first that it does not hold. */
const delimiters = ['^C', '\x03', '#', '%', '~', '@', '|', '`', '\\', '+', '='];

const delimiterOf = (text: string): string | undefined => delimiters.find((candidate) => !text.includes(candidate));

const bannerText: ArgumentType = {
  label: 'LINE',
  read(words, index, line) {
    if (index === 1 && bannerTypes.some((type) => type === words[index].text.toLowerCase())) return null;
    return { value: line.slice(words[index].column), used: words.length - index };
  },
};

/** @param quoted with its delimiters; what stands behind the second is ignored, as on IOS. @throws ConfigError */
function unquote(quoted: string): string {
  const { delimiter, after } = openBanner(`banner motd ${quoted}`)!;
  const from = after - 'banner motd '.length;
  const end = quoted.indexOf(delimiter, from);
  if (end < 0) throw new ConfigError('the banner has no closing delimiter', `it began with ${delimiter}`);
  const text = quoted.slice(from, end);
  const defect = text.split('\n').map(unreadable).find(Boolean);
  if (defect) throw new ConfigError(`the banner has ${defect}`);
  if (text.length > MaxBanner) throw new ConfigError(`the banner has ${text.length} characters, more than ${MaxBanner}`);
  if (delimiterOf(text) === undefined)
    throw new ConfigError('the banner has every character that could end it', delimiters.slice(2).join(' '));
  return text;
}

function textNode(kind: BannerKind): Node<Edit<'config'>> {
  return argument('text', bannerText, "c banner-text c, where 'c' is a delimiting character", {
    commit: true,
    run: (args, { target }) => {
      target.banners ??= {};
      target.banners[kind] = unquote(args.text('text'));
    },
  });
}

function forget(kind: BannerKind): (_: Args, edit: Edit<'config'>) => void {
  return (_, { session, target }) => {
    if (target.banners?.[kind] === undefined) session.warnAbsent(`banner ${kind}`);
    delete target.banners?.[kind];
    if (Object.keys(target.banners ?? {}).length === 0) delete target.banners;
  };
}

const kindHelp: Record<BannerKind, string> = {
  motd: 'Set Message of the Day banner',
  login: 'Set login banner',
  exec: 'Set EXEC process creation banner',
};

export const bannerCommands: Node<Edit<'config'>>[] = [
  keyword('banner', 'Define a login banner', {
    next: [
      ...bannerKinds.map((kind) => keyword(kind, kindHelp[kind], { commit: true, no: forget(kind), next: [textNode(kind)] })),
      // `banner #...#` is the message of the day.
      textNode('motd'),
    ],
  }),
];

export function printBanners({ banners = {} }: Config): Block[] {
  return bannerKinds.flatMap((kind) => {
    const text = banners[kind];
    if (text === undefined) return [];
    const delimiter = delimiterOf(text)!;
    return [block(`banner ${kind} ${delimiter}${text}${delimiter}`)];
  });
}

/** What a shell begins with: the banners in IOS's order, with IOS's tokens; empty when there are none. */
export function greetingOf({ banners = {}, hostname, domainName }: Config): string {
  const texts = bannerKinds.flatMap((kind) => banners[kind] ?? []);
  return texts.map((text) => text.replaceAll('$(hostname)', () => hostname).replaceAll('$(domain)', () => domainName ?? '')).join('\n');
}
