// police [cir] RATE of a class, with what is done to conforming, exceeding and violating packets in the same line or in lines below it.
// One action for each colour. Does not: `police rate`, `conform-color`, marks of layer 2.

import { integer } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { type Burst, type Colour, colours, type Police, type PoliceAction, type PolicyClass, type QosRate } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Action, type Args, argument, keyword, type Node, refused } from '../tree.js';
import { dscpNames, nameOf, precedenceNames, valueNodes } from './tos-names.js';

type ClassEdit = Edit<'config-pmap-c'>;
type PoliceEdit = Edit<'config-pmap-c-police'>;

export const LeastRate = 8000;
export const MostRate = 100_000_000_000;
const burstBytes = integer(1000, 512_000_000);

function readRate(args: Args, field: string): QosRate | null {
  if (args.has(field)) return { bps: args.number(field) };
  return args.has(`${field}Percent`) ? { percent: args.number(`${field}Percent`) } : null;
}

function readBurst(args: Args, field: string): Burst | null {
  const value = args.optionalNumber(field);
  if (value === null) return null;
  return args.has(`${field}Ms`) ? { ms: value } : { bytes: value };
}

function readAction(args: Args, colour: Colour): PoliceAction | null {
  const kind = args.optionalText(colour);
  if (kind === null) return null;
  if (kind === 'transmit' || kind === 'drop') return { kind };
  return { kind: kind as 'set-dscp-transmit', value: args.number(`${colour}Value`) };
}

function readPolice(args: Args, line: number): Police {
  const [cir, pir] = [readRate(args, 'cir')!, readRate(args, 'pir')];
  const [bc, be] = [readBurst(args, 'bc'), readBurst(args, 'be')];
  if (pir && 'bps' in cir !== 'bps' in pir) throw new ConfigError('cir and pir are both in bits a second, or both in percent');
  if (pir && rateNumber(pir) < rateNumber(cir)) throw new ConfigError('pir is below cir', 'the peak rate is at least the committed rate');
  const actions: Police['actions'] = {};
  for (const colour of colours) {
    const action = readAction(args, colour);
    if (action) actions[colour] = action;
  }
  return { line, cir, ...(bc && { bc }), ...(pir && { pir }), ...(be && { be }), actions };
}

function rateNumber(rate: QosRate): number {
  return 'bps' in rate ? rate.bps : rate.percent;
}

export function describeRate(rate: QosRate): string {
  return 'bps' in rate ? String(rate.bps) : `percent ${rate.percent}`;
}

function describeBurst(burst: Burst): string {
  return 'ms' in burst ? `${burst.ms} ms` : String(burst.bytes);
}

function opening({ cir, bc, pir, be }: Police): string {
  return [
    `police cir ${describeRate(cir)}`,
    ...(bc ? [`bc ${describeBurst(bc)}`] : []),
    ...(pir ? [`pir ${describeRate(pir)}`] : []),
    ...(be ? [`be ${describeBurst(be)}`] : []),
  ].join(' ');
}

export function describePoliceAction(action: PoliceAction): string {
  if (!('value' in action)) return action.kind;
  const names = { 'set-dscp-transmit': dscpNames, 'set-prec-transmit': precedenceNames, 'set-qos-transmit': new Map<string, number>() };
  return `${action.kind} ${nameOf(action.value, names[action.kind])}`;
}

function enterPolice(args: Args, edit: ClassEdit): void {
  const { session, target } = edit;
  const police = readPolice(args, session.line);
  if (target.police && opening(target.police) !== opening(police)) forget(target.police, edit);
  target.police = police;
  session.mark(police, '');
  session.enter('config-pmap-c-police', police, opening(police));
}

function forget(police: Police, { session }: ClassEdit): void {
  session.forgetLinesIn([...session.frame.path, opening(police)]);
}

function removePolice(_: Args, edit: ClassEdit): void {
  if (edit.target.police) forget(edit.target.police, edit);
  else edit.session.warnAbsent('police');
  delete edit.target.police;
}

/** `conform-action ...` and its kin. @param below what may follow in the line */
function colourNodes<C>(run: Action<C>, no: ((colour: Colour) => Action<C>) | null, below: () => Node<C>[]): Node<C>[] {
  const end = { run, next: below };
  return colours.map((colour) => {
    const marking = (kind: string, help: string, next: Node<C>[]) => keyword<C>(kind, help, { set: [colour, kind], next });
    const value = `${colour}Value`;
    return keyword<C>(`${colour}-action`, `action when rate ${colour === 'conform' ? 'is conformed to' : `${colour}s`}`, {
      commit: true,
      once: true,
      ...(no && { no: no(colour) }),
      next: [
        keyword('drop', 'drop packet', { ...end, set: [colour, 'drop'] }),
        keyword('transmit', 'transmit packet', { ...end, set: [colour, 'transmit'] }),
        marking('set-dscp-transmit', 'set dscp and send it', valueNodes(value, 63, dscpNames, 'new dscp', end)),
        marking('set-prec-transmit', 'rewrite packet precedence and send it', valueNodes(value, 7, precedenceNames, 'new precedence', end)),
        marking('set-qos-transmit', 'set qos-group and send it', [argument(value, integer(0, 99), 'new qos-group', end)]),
        ...['set-clp-transmit', 'set-cos-transmit', 'set-discard-class-transmit', 'set-mpls-exp-imposition-transmit'].map((kind) =>
          refused<C>(
            kind,
            `${colour}-action ${kind} is not supported`,
            'drop, transmit, set-dscp-transmit, set-prec-transmit, set-qos-transmit',
          ),
        ),
      ],
    });
  });
}

const end = { run: enterPolice, next: () => options };

function burstNode(field: 'bc' | 'be', help: string): Node<ClassEdit> {
  const units = [
    keyword<ClassEdit>('bytes', 'In bytes (default)', end),
    keyword<ClassEdit>('ms', 'In milliseconds of the rate', { ...end, set: [`${field}Ms`, 1] }),
  ];
  const spec = { run: enterPolice, next: () => [...units, ...options] };
  return keyword(field, help, { once: true, next: [argument(field, integer(1, 512_000_000), 'Burst', spec)] });
}

function rateNodes(field: 'cir' | 'pir', help: string, next: () => Node<ClassEdit>[]): Node<ClassEdit>[] {
  return [
    argument(field, integer(LeastRate, MostRate), help, { run: enterPolice, next }),
    keyword('percent', 'Percentage of the rate above', {
      next: [argument(`${field}Percent`, integer(1, 100), 'Percentage', { run: enterPolice, next })],
    }),
  ];
}

const options: Node<ClassEdit>[] = [
  burstNode('bc', 'Conform burst'),
  burstNode('be', 'Excess burst'),
  keyword('pir', 'Peak information rate', { once: true, next: rateNodes('pir', 'Bits per second', () => options) }),
  ...colourNodes<ClassEdit>(enterPolice, null, () => options),
];

/** `police 8000 1000 2000`: bursts without their words. */
const bareBursts = argument<ClassEdit>('bc', burstBytes, 'Burst bytes', {
  run: enterPolice,
  next: () => [argument('be', burstBytes, 'Extended burst bytes', end), ...options],
});
const committed = rateNodes('cir', 'Bits per second', () => [bareBursts, ...options]);

export const policeCommand: Node<ClassEdit> = keyword('police', 'Police', {
  commit: true,
  no: removePolice,
  next: [
    keyword('cir', 'Committed information rate', { next: committed }),
    refused('rate', 'police rate is not supported', 'police cir'),
    ...committed,
  ],
});

function setAction(args: Args, { session, target }: PoliceEdit): void {
  for (const colour of colours) {
    const action = readAction(args, colour);
    if (!action) continue;
    const before = target.actions[colour];
    if (before && describePoliceAction(before) !== describePoliceAction(action))
      throw new ConfigError(
        `${colour}-action is ${describePoliceAction(before)} already: there is one action for each colour`,
        `no ${colour}-action`,
      );
    target.actions[colour] = action;
    session.mark(target, colour);
  }
}

export const policeActionCommands: Node<PoliceEdit>[] = colourNodes<PoliceEdit>(
  setAction,
  (colour) =>
    (_, { session, target }) => {
      if (!target.actions[colour]) session.warnAbsent(`${colour}-action`);
      delete target.actions[colour];
    },
  () => [],
);

export function printPolice({ police }: PolicyClass): Block | null {
  if (!police) return null;
  const actions = colours.flatMap((colour) => {
    const action = police.actions[colour];
    return action ? [`${colour}-action ${describePoliceAction(action)}`] : [];
  });
  return block(opening(police), ...actions);
}
