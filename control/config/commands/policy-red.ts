// random-detect of a class: weighted random early detection with a curve for each DSCP or precedence, and ECN marking (RFC 3168).

import { integer } from '../arguments.js';
import { defaultMarkDenominator, defaultRedWeight, type PolicyClass, type RandomDetect } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Action, type Args, argument, keyword, type Node } from '../tree.js';
import { dscpNames, nameOf, precedenceNames, valueNodes } from './tos-names.js';

type ClassEdit = Edit<'config-pmap-c'>;
type By = RandomDetect['by'];

function begin(by: By): RandomDetect {
  return { by, ecn: false, weight: defaultRedWeight, thresholds: new Map() };
}

/** Curves of the other kind mean nothing any more. */
function detectBy(by: By): Action<ClassEdit> {
  return (_, { session, target }) => {
    if (target.randomDetect?.by !== by) {
      const { ecn, weight } = target.randomDetect ?? begin(by);
      target.randomDetect = { ...begin(by), ecn, weight };
    }
    session.mark(target, 'randomDetect');
  };
}

function change(set: (detect: RandomDetect, args: Args) => void): Action<ClassEdit> {
  return (args, { session, target }) => {
    if (!target.randomDetect)
      throw new ConfigError('random-detect is not configured in this class', 'random-detect dscp-based, in front of it');
    set(target.randomDetect, args);
    session.mark(target, 'randomDetect');
  };
}

function removeAll(_: Args, { session, target }: ClassEdit): void {
  if (!target.randomDetect) session.warnAbsent('random-detect');
  delete target.randomDetect;
}

function setThreshold(by: By): Action<ClassEdit> {
  return change((detect, args) => {
    if (detect.by !== by)
      throw new ConfigError(`random-detect is ${detect.by}-based in this class`, `random-detect ${by}-based, in front of it`);
    const [least, most] = [args.number('least'), args.number('most')];
    if (most <= least) throw new ConfigError(`random-detect ${by}: the maximum threshold ${most} is not above the minimum ${least}`);
    detect.thresholds.set(args.number('value'), {
      least,
      most,
      markDenominator: args.optionalNumber('denominator') ?? defaultMarkDenominator,
    });
    detect.thresholds = new Map([...detect.thresholds].sort(([a], [b]) => a - b));
  });
}

function removeThreshold(by: By): Action<ClassEdit> {
  return (args, { session, target }) => {
    const detect = target.randomDetect;
    if (detect?.by !== by || !detect.thresholds.delete(args.number('value')))
      session.warnAbsent(`random-detect ${by} ${args.number('value')}`);
  };
}

function thresholdNodes(by: By): Node<ClassEdit>[] {
  const [run, no] = [setThreshold(by), removeThreshold(by)];
  const packets = integer(1, 4096);
  const denominator = argument<ClassEdit>('denominator', integer(1, 65535), 'mark probability denominator', { run, no });
  const most = argument<ClassEdit>('most', packets, 'maximum threshold (packets)', { run, no, next: [denominator] });
  const least = argument<ClassEdit>('least', packets, 'minimum threshold (packets)', { no, next: [most] });
  // A line does not end at the value; its `no` does.
  const incomplete = { no, next: () => [least] };
  return valueNodes('value', by === 'dscp' ? 63 : 7, by === 'dscp' ? dscpNames : precedenceNames, by, incomplete);
}

export const redCommand: Node<ClassEdit> = keyword('random-detect', 'Enable Random Early Detection as drop policy', {
  commit: true,
  run: detectBy('precedence'),
  no: removeAll,
  next: [
    keyword('dscp', 'parameters for each dscp value', { next: thresholdNodes('dscp') }),
    keyword('dscp-based', 'Enable dscp based random early detection', { run: detectBy('dscp') }),
    keyword('ecn', 'explicit congestion notification', {
      run: change((detect) => {
        detect.ecn = true;
      }),
      no: change((detect) => {
        detect.ecn = false;
      }),
    }),
    keyword('exponential-weighting-constant', 'weight for mean queue depth calculation', {
      no: change((detect) => {
        detect.weight = defaultRedWeight;
      }),
      next: [
        argument('weight', integer(1, 16), 'integer in 1..16 used in weighted average to mean 2^number', {
          run: change((detect, args) => {
            detect.weight = args.number('weight');
          }),
        }),
      ],
    }),
    keyword('precedence', 'parameters for each precedence value', { next: thresholdNodes('precedence') }),
    keyword('precedence-based|prec-based', 'Enable precedence based random early detection', { run: detectBy('precedence') }),
  ],
});

export function printRed({ randomDetect: detect }: PolicyClass): string[] {
  if (!detect) return [];
  const names = detect.by === 'dscp' ? dscpNames : precedenceNames;
  return [
    `random-detect ${detect.by}-based`,
    ...(detect.ecn ? ['random-detect ecn'] : []),
    ...(detect.weight === defaultRedWeight ? [] : [`random-detect exponential-weighting-constant ${detect.weight}`]),
    ...[...detect.thresholds].map(
      ([value, { least, most, markDenominator }]) =>
        `random-detect ${detect.by} ${nameOf(value, names)} ${least} ${most}${markDenominator === defaultMarkDenominator ? '' : ` ${markDenominator}`}`,
    ),
  ];
}
