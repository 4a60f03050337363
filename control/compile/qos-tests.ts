// class-maps -> the chain of tests that proto/qos-classes.ts walks. Made from its end: what follows a test is known when it is made. A label is where
// to go on: >= 0 a test, < 0 ~(row of a class).

import { QosCap, QosTest, QosTestKind } from '../../dataplane/tables/layout-qos.js';
import type { ClassMap, ClassMatch } from '../config/model.js';
import { qosProtocols } from '../config/qos-protocols.js';
import { CapacityError } from './allocation.js';
import { listRows, type RouteMapContext } from './route-map.js';

/** Where hits of a list are counted that a class asks. */
export function qosOrigin(list: string): string {
  return `qos ${list}`;
}

type Label = number;

/** Tests under construction. */
export interface QosTests {
  /** Rows of QosTest. */
  words: number[];
  /** Class-maps looked at: those that contain others can be many more than the tests that they make. */
  visits: number;
}
const MostVisits = 4 * QosCap.Tests;
const tooMany = () => new CapacityError(`more than ${QosCap.Tests} matches of class-maps, where policies use them`);

export type QosContext = Pick<RouteMapContext, 'config' | 'addAces' | 'portOf'>;

function addTest(tests: QosTests, kind: QosTestKind, a: number, b: number, yes: Label, no: Label): Label {
  const row = tests.words.length / QosTest.Words;
  if (row >= QosCap.Tests) throw tooMany();
  tests.words.push(kind, a, b, yes, no);
  return row;
}

/** Bits of the DSCPs that a match names: a precedence is the upper three bits of eight of them. */
function dscpBits({ kind, values }: Extract<ClassMatch, { values: number[] }>): [low: number, high: number] {
  let [low, high] = [0, 0];
  const dscps = kind === 'dscp' ? values : values.flatMap((precedence) => Array.from({ length: 8 }, (_, n) => precedence * 8 + n));
  for (const dscp of dscps) {
    if (dscp < 32) low |= 1 << dscp;
    else high |= 1 << (dscp - 32);
  }
  return [low, high];
}

function addProtocol(tests: QosTests, name: string, yes: Label, no: Label): Label {
  const { protocols = [], ports = [] } = qosProtocols.get(name) ?? {};
  if (protocols.length === 0 && ports.length === 0) return yes;
  let label = no;
  for (const protocol of protocols.length === 0 ? [-1] : protocols)
    for (const port of ports.length === 0 ? [-1] : ports) label = addTest(tests, QosTestKind.Protocol, protocol, port, yes, label);
  return label;
}

function addMatch(tests: QosTests, match: ClassMatch, whenTrue: Label, whenFalse: Label, context: QosContext): Label {
  const [yes, no] = match.not ? [whenFalse, whenTrue] : [whenTrue, whenFalse];
  switch (match.kind) {
    case 'any':
      return yes;
    case 'access-group': {
      const acl = listRows(match.list, qosOrigin(match.list), context);
      return acl ? addTest(tests, QosTestKind.List, acl.first, acl.count, yes, no) : no;
    }
    case 'class-map': {
      const other = context.config.classMaps.get(match.name);
      return other ? addClass(tests, other, yes, no, context) : no;
    }
    case 'packet-length':
      return addTest(tests, QosTestKind.Length, match.least, match.most, yes, no);
    case 'protocol':
      return addProtocol(tests, match.name, yes, no);
    case 'qos-group':
      return addTest(tests, QosTestKind.Group, match.group, 0, yes, no);
    default:
      return addTest(tests, QosTestKind.Dscp, ...dscpBits(match), yes, no);
  }
}

/** @param yes, no where to go on @returns where to begin. A class without matches matches nothing */
export function addClass(tests: QosTests, { match, matches }: ClassMap, yes: Label, no: Label, context: QosContext): Label {
  if (++tests.visits > MostVisits) throw tooMany();
  if (matches.length === 0) return no;
  let label = match === 'any' ? no : yes;
  for (const item of [...matches].reverse())
    label = match === 'any' ? addMatch(tests, item, yes, label, context) : addMatch(tests, item, label, no, context);
  return label;
}
