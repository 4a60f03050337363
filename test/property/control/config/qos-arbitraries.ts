// Random class-maps and policy-maps, as parse.ts can have made them.

import fc from 'fast-check';
import type { ClassMap, ClassMatch, PoliceAction, PolicyClass, PolicyMap, QosRate, Threshold } from '../../../../control/config/model.js';
import { qosProtocols } from '../../../../control/config/qos-protocols.js';

const line = fc.constant(0);
const whole = (min: number, max: number) => fc.integer({ min, max });
const percent = fc.record({ percent: whole(1, 100) });
const rate = fc.oneof(
  whole(8000, 1e9).map((bps) => ({ bps })),
  percent,
);
const burst = fc.oneof(
  whole(1, 1e6).map((bytes) => ({ bytes })),
  whole(1, 2000).map((ms) => ({ ms })),
);

const values = (most: number) => fc.uniqueArray(whole(0, most), { minLength: 1, maxLength: 8 }).map((list) => list.sort((a, b) => a - b));

function matchOf(name: fc.Arbitrary<string>): fc.Arbitrary<ClassMatch> {
  const kinds = fc.oneof(
    fc.constant({ kind: 'any' as const }),
    fc.oneof(name, fc.constantFrom('101', '07', '2700')).map((list) => ({ kind: 'access-group' as const, list })),
    name.map((other) => ({ kind: 'class-map' as const, name: `${other}x` })),
    fc.record({ kind: fc.constant('dscp' as const), ip: fc.boolean(), values: values(63) }),
    fc.record({ kind: fc.constant('precedence' as const), ip: fc.boolean(), values: values(7) }),
    fc
      .tuple(whole(1, 2000), whole(1, 2000))
      .map(([a, b]) => ({ kind: 'packet-length' as const, least: Math.min(a, b), most: Math.max(a, b) })),
    fc.constantFrom(...qosProtocols.keys()).map((protocol) => ({ kind: 'protocol' as const, name: protocol })),
    whole(0, 99).map((group) => ({ kind: 'qos-group' as const, group })),
  );
  return fc.tuple(fc.boolean(), kinds).map(([not, match]) => ({ not, ...match }));
}

const policeAction: fc.Arbitrary<PoliceAction> = fc.oneof(
  fc.constantFrom<PoliceAction>({ kind: 'transmit' }, { kind: 'drop' }),
  whole(0, 63).map((value) => ({ kind: 'set-dscp-transmit' as const, value })),
  whole(0, 7).map((value) => ({ kind: 'set-prec-transmit' as const, value })),
  whole(0, 99).map((value) => ({ kind: 'set-qos-transmit' as const, value })),
);

/** A peak rate that is in the committed rate's unit and not below it. */
function withPeak<T extends { cir: QosRate; pir?: number }>({ cir, pir, ...rest }: T) {
  if (pir === undefined) return { ...rest, cir };
  const peak = 'bps' in cir ? { bps: cir.bps + pir } : { percent: Math.min(100, cir.percent + pir) };
  return { ...rest, cir, pir: peak };
}

const police = fc
  .record(
    {
      line,
      cir: rate,
      pir: whole(0, 1e6),
      bc: burst,
      be: burst,
      actions: fc.record({ conform: policeAction, exceed: policeAction, violate: policeAction }, { requiredKeys: [] }),
    },
    { requiredKeys: ['line', 'cir', 'actions'] },
  )
  .map(withPeak);

const shape = fc
  .record({ rate, bc: whole(256, 2000), be: whole(0, 2000) }, { requiredKeys: ['rate'] })
  .map(({ be, ...rest }) => (rest.bc === undefined || be === undefined ? rest : { ...rest, be }));

const priority = fc
  .record(
    {
      level: fc.constantFrom(1 as const, 2 as const),
      rate: fc.oneof(
        whole(8, 1e6).map((kbps) => ({ kbps })),
        percent,
      ),
      burstBytes: whole(32, 2e6),
    },
    { requiredKeys: [] },
  )
  .map(({ burstBytes, ...rest }) => (rest.rate === undefined || burstBytes === undefined ? rest : { ...rest, burstBytes }));

const threshold: fc.Arbitrary<Threshold> = fc
  .record({ least: whole(1, 2000), above: whole(1, 2000), markDenominator: whole(1, 65535) })
  .map(({ least, above, markDenominator }) => ({ least, most: least + above, markDenominator }));

function thresholds(highest: number): fc.Arbitrary<Map<number, Threshold>> {
  return fc
    .uniqueArray(fc.tuple(whole(0, highest), threshold), { selector: ([value]) => value, maxLength: 3 })
    .map((list) => new Map(list.sort(([a], [b]) => a - b)));
}

const randomDetect = fc
  .constantFrom('dscp' as const, 'precedence' as const)
  .chain((by) =>
    fc.record({ by: fc.constant(by), ecn: fc.boolean(), weight: whole(1, 16), thresholds: thresholds(by === 'dscp' ? 63 : 7) }),
  );

const set = fc
  .tuple(
    fc.oneof(
      fc.constant({}),
      whole(0, 63).map((dscp) => ({ dscp })),
      whole(0, 7).map((precedence) => ({ precedence })),
    ),
    fc.option(whole(0, 99)),
  )
  .map(([marks, qosGroup]) => (qosGroup === null ? marks : { ...marks, qosGroup }))
  .filter((marks) => Object.keys(marks).length > 0);

const bandwidth = fc.oneof(
  whole(8, 1e6).map((kbps) => ({ kbps })),
  percent,
  whole(1, 100).map((remainingPercent) => ({ remainingPercent })),
  whole(1, 1000).map((remainingRatio) => ({ remainingRatio })),
);

/** @param text words parted by single spaces */
export function qosArbitraries(name: fc.Arbitrary<string>, text: fc.Arbitrary<string>) {
  const classMap: fc.Arbitrary<ClassMap> = fc.record({
    line,
    name,
    match: fc.constantFrom('any', 'all'),
    description: fc.option(text),
    matches: fc.uniqueArray(matchOf(name), { selector: (match) => JSON.stringify(match), maxLength: 5 }),
  });
  const policyClass: fc.Arbitrary<PolicyClass> = fc.record(
    {
      line,
      name: fc.oneof(name, fc.constant('class-default')),
      priority,
      bandwidth,
      shape,
      police,
      queueLimit: fc.record({ value: whole(1, 8_192_000), unit: fc.constantFrom('packets', 'bytes', 'ms') }),
      fairQueue: fc.constant(true as const),
      randomDetect,
      set,
      servicePolicy: name,
    },
    { requiredKeys: ['line', 'name'] },
  );
  const policyMap: fc.Arbitrary<PolicyMap> = fc.record({
    line,
    name,
    description: fc.option(text),
    classes: fc.uniqueArray(policyClass, { selector: (item) => item.name, maxLength: 4 }),
  });
  const mapOf = <V extends { name: string }>(value: fc.Arbitrary<V>) =>
    fc.uniqueArray(value, { selector: (item) => item.name, maxLength: 3 }).map((items) => new Map(items.map((item) => [item.name, item])));
  return {
    classMaps: mapOf(classMap),
    policyMaps: mapOf(policyMap),
  };
}
