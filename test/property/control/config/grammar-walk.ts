// Configurations made by walking the command tree, so that all of the grammar is met, also what print never writes (synonyms, `no`,
// entries without a number): most lines go straight to a word that no line had yet. What a command refuses is left out.

import { editLine } from '../../../../control/config/edit.js';
import { emptyConfig } from '../../../../control/config/empty.js';
import { modeCommands } from '../../../../control/config/modes.js';
import { type Edit, type Frame, type ModeName, Session } from '../../../../control/config/session.js';
import type { Node } from '../../../../control/config/tree.js';
import { Dice } from '../../../fuzz/havoc.js';

type AnyNode = Node<Edit<ModeName>>;
type Way = AnyNode[];

const rootsOf = (mode: ModeName): AnyNode[] => modeCommands[mode] as AnyNode[];
const labelOf = ({ words, argument }: AnyNode): string => words?.[0] ?? `<${argument?.name}>`;

/** The last word of a way, by mode and the command's first words: `config crypto isakmp: identity` is another one than `config crypto identity: identity`. */
const nameOf = (mode: ModeName, way: Way): string => `${mode} ${way.slice(0, 2).map(labelOf).join(' ')}: ${labelOf(way[way.length - 1])}`;

interface Target {
  mode: ModeName;
  way: Way;
  isNegated: boolean;
}

/** All that the grammar has, and the shortest way to it: every word of every command, and with `no ` in front every command that `no` takes. */
export function grammarTargets(): Map<string, Target> {
  const targets = new Map<string, Target>();
  for (const mode of Object.keys(modeCommands) as ModeName[]) {
    const known = new Set<AnyNode>();
    const seen = new Set<string>();
    const ways: Way[] = [];
    const meet = (before: Way, nodes: AnyNode[]): void => {
      for (const node of nodes) {
        // A hidden argument only says why something is refused.
        if (node.refuse !== null || (node.hidden && node.words === null) || known.has(node)) continue;
        known.add(node);
        // Some nodes are made anew each time they are asked for, and options lead to each other in circles.
        const step = [...before.slice(0, 3), node].map(labelOf).join(' ');
        if (seen.has(step)) continue;
        seen.add(step);
        ways.push([...before, node]);
      }
    };
    meet([], rootsOf(mode));
    for (const way of ways) {
      const node = way[way.length - 1];
      const name = nameOf(mode, way);
      if (!targets.has(name)) targets.set(name, { mode, way, isNegated: false });
      const negated = `no ${mode} ${way.slice(0, 3).map(labelOf).join(' ')}`;
      if (node.no !== null && !targets.has(negated)) targets.set(negated, { mode, way, isNegated: true });
      meet(way, node.next());
    }
  }
  return targets;
}

const addresses = ['10.0.0.1', '10.0.1.0', '255.255.255.0', '0.0.0.255', '239.1.1.1', '192.0.2.7', '0.0.0.0', '255.255.255.255'];
const words = ['A', 'B', 'G', '10', '101', '2000', 'x.y', 'CN=r1', 'sha', 'www', 'ef', '/tmp/x', '4', '1.3.6.1', '15.1', '64', 'echo'];
const byName: Record<string, readonly string[]> = {
  dn: ['CN=r1', 'CN=r1,O=Lab'],
  mask: ['255.255.255.0'],
  name: ['A', 'CN=r1,O=Lab'],

  driver: ['tun', 'raw', 'xdp'],
  path: ['/tmp/x'],
  url: ['file:/etc/x/r1'],
};
/** What commands of a mode may need in front of them, each as likely as nothing. */
const contexts: Partial<Record<ModeName, string[][]>> = {
  'config-crypto-map': [['crypto map M 10 gdoi'], ['crypto map M 20 ipsec-isakmp']],
  'config-if': [['interface Tunnel0'], ['interface eth0', 'ip address 10.0.0.1 255.255.255.0']],
  'config-route-map': [['route-map R permit 1']],
  'ipsec-profile': [['crypto ipsec profile P']],
  'config-pmap-c': ['dscp', 'precedence'].map((kind) => ['policy-map P', 'class C', `random-detect ${kind}-based`]),
};
const interfaces = ['GigabitEthernet0/0', 'Loopback0', 'Tunnel0', 'Tunnel1', 'eth0', 'gi 0/1'];

function valueFor({ argument }: AnyNode, dice: Dice): string {
  const { label } = argument!.type;
  const pick = (list: readonly string[]): string => list[dice.below(list.length)];
  const known = byName[argument!.name];
  if (known && dice.below(2) === 0) return pick(known);
  const range = /^<(\d+)-(\d+)>$/.exec(label);
  if (range) {
    const [least, most] = [Number(range[1]), Number(range[2])];
    return String([least, most, least + dice.below(Math.min(most - least + 1, 100)), least + dice.below(most - least + 1)][dice.below(4)]);
  }
  if (label === 'A.B.C.D') return pick(addresses);
  if (label === 'INTERFACE') return pick(interfaces);
  if (label === '/nn') return pick(['/24', '/8', '/32']);
  if (label === 'LINE') return pick(['some text', '#a banner#', '^Canother\n! one\n^C']);
  return pick(words);
}

interface State {
  config: ReturnType<typeof emptyConfig>;
  frames: Frame[];
}

/** The shortest way to it mixes units, which is refused; configArbitrary makes it. */
const mixed = new Set(['percent', '<pirPercent>'].map((word) => `config-pmap-c police <cir>: ${word}`));

export class GrammarWalk {
  readonly targets = grammarTargets();
  /** Names of targets that no line had yet that was taken. */
  readonly missing = new Set([...this.targets.keys()].filter((name) => !mixed.has(name)));
  /** Lines that open a mode. */
  private readonly openings = new Map<ModeName, string[]>([['config', []]]);

  /** @param lines tried @returns a text whose every line was taken, from the empty configuration on */
  text(seed: number, lines: number): string {
    const dice = new Dice(seed);
    const config = emptyConfig();
    let state: State = { config, frames: new Session(config).frames };
    const text: string[] = [];
    for (let i = 0; i < lines; i++) {
      const target = this.choose(dice);
      const { line, way } = this.line(target, dice);
      const opening = state.frames.at(-1)?.mode === target.mode ? [] : this.openings.get(target.mode);
      const around = [...(opening ? [opening] : []), ...(contexts[target.mode] ?? [])];
      if (around.length === 0) continue;
      const added = [...around[dice.below(around.length)], line];
      const after = added.reduce(take, state as State | null);
      if (after === null) continue;
      text.push(...added);
      state = after;
      for (const { mode, path } of state.frames) if (!this.openings.has(mode)) this.openings.set(mode, path);
      this.note(target, way);
    }
    return text.join('\n');
  }

  private choose(dice: Dice): Target {
    const names = [...(this.missing.size > 0 && dice.below(4) > 0 ? this.missing : this.targets.keys())];
    return this.targets.get(names[dice.below(names.length)])!;
  }

  /** The way to the target, and on to where a line may end. */
  private line({ mode, way: begin, isNegated }: Target, dice: Dice): { line: string; way: Way } {
    const way: Way = [...begin];
    const canEnd = (): boolean => isNegated || way[way.length - 1].run !== null;
    for (let more = dice.below(3); more > 0 || !canEnd(); more--) {
      const last = way[way.length - 1];
      const offered = last.next().filter((node) => node.refuse === null && !(node.once && way.includes(node)));
      if (offered.length === 0 || way.length > 30) break;
      const fresh = offered.filter((node) => this.missing.has(nameOf(mode, [...way, node])));
      const from = fresh.length > 0 && !isNegated ? fresh : offered;
      way.push(from[dice.below(from.length)]);
    }
    const text = way.map((node) => (node.words === null ? valueFor(node, dice) : node.words[dice.below(node.words.length)]));
    return { line: `${isNegated ? 'no ' : ''}${text.join(' ')}`, way };
  }

  private note(target: Target, way: Way): void {
    if (target.isNegated) {
      for (const [name, { way: wanted, isNegated }] of this.targets) if (isNegated && wanted === target.way) this.missing.delete(name);
    } else for (const end of way.keys()) this.missing.delete(nameOf(target.mode, way.slice(0, end + 1)));
  }
}

/** @returns null when the line is refused */
function take(state: State | null, line: string): State | null {
  if (state === null) return null;
  const copy = structuredClone(state);
  const session = new Session(copy.config);
  session.frames.splice(0, 1, ...copy.frames);
  return editLine(session, line).error === null ? { config: copy.config, frames: session.frames } : null;
}
