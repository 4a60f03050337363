// The part of a `tables` message that QoS needs: that each row refers to what is there, that every way through the tests ends at a class, that nothing
// is divided by 0 (validate-tables.ts).

import { Cap, QosAction, QosCap, QosClass, QosCurve, QosRed, QosTest, QosTestKind, QosUse } from '../tables/layout.js';
import type { TablesRows } from '../tables/message.js';
import { checkAclRange, refuse, within } from './shape.js';

const MostInt = 0x7fffffff;
/** High words of a rate: 2^40 bytes a second at the most. */
const MostHigh = 255;
const MostGroup = 99;

/** @param limit tests that it may lead to */
function checkLabel(what: string, label: number, limit: number, classes: number): void {
  within(what, label, -classes, limit - 1);
}

function checkChain(what: string, rows: TablesRows, start: number, first: number, count: number): void {
  const classes = rows.qosClasses.length / QosClass.Words;
  within(`${what} classes`, count, 1, classes);
  within(`${what} first class`, first, 0, classes - count);
  checkLabel(`${what} start`, start, rows.qosTests.length / QosTest.Words, classes);
}

function checkUses(rows: TablesRows): void {
  const { qosUses } = rows;
  if (qosUses.length > Cap.Ports * 2 * QosUse.Words) refuse('qos uses: more than ports have');
  for (let at = 0; at < qosUses.length; at += QosUse.Words) {
    if (qosUses[at + QosUse.ClassCount] === 0) continue;
    checkChain('qos use', rows, qosUses[at + QosUse.Start], qosUses[at + QosUse.FirstClass], qosUses[at + QosUse.ClassCount]);
    within('qos use rate', qosUses[at + QosUse.RateHigh], 0, MostHigh);
    within('qos use queues', qosUses[at + QosUse.Queues], 0, 1);
  }
}

/** A test leads to tests in front of it, so that none comes twice on a way. */
function checkTests({ qosTests, qosClasses, aces }: TablesRows): void {
  const classes = qosClasses.length / QosClass.Words;
  for (let at = 0; at < qosTests.length; at += QosTest.Words) {
    within('qos test kind', qosTests[at + QosTest.Kind], QosTestKind.List, QosTestKind.Group);
    for (const way of [QosTest.True, QosTest.False]) checkLabel('qos test', qosTests[at + way], at / QosTest.Words, classes);
    if (qosTests[at + QosTest.Kind] === QosTestKind.List)
      checkAclRange('qos test', qosTests[at + QosTest.A], qosTests[at + QosTest.B], aces);
  }
}

const rates = [QosClass.CirHigh, QosClass.PirHigh, QosClass.PriorityHigh, QosClass.ShapeHigh];
const amounts = [
  QosClass.CommittedBurst,
  QosClass.ExcessBurst,
  QosClass.PriorityBurst,
  QosClass.ShapeBurst,
  QosClass.LimitPackets,
  QosClass.LimitBytes,
];

function checkMarks(row: Int32Array, keep: number, group: number): void {
  within('qos ToS bits', row[keep], 0, 255);
  within('qos ToS bits', row[keep + 1], 0, 255);
  within('qos group', row[group], -1, MostGroup);
}

function checkClasses(rows: TablesRows): void {
  const { qosClasses, qosReds } = rows;
  const classes = qosClasses.length / QosClass.Words;
  for (let index = 0; index < classes; index++) {
    const row = qosClasses.subarray(index * QosClass.Words, (index + 1) * QosClass.Words);
    within('qos class parent', row[QosClass.Parent], -1, index - 1);
    if (row[QosClass.ChildCount] !== 0) {
      checkChain('qos class', rows, row[QosClass.ChildStart], row[QosClass.ChildFirst], row[QosClass.ChildCount]);
      within('qos class child', row[QosClass.ChildFirst], index + 1, classes - 1);
    }
    checkMarks(row, QosClass.TosKeep, QosClass.Group);
    for (const high of rates) within('qos rate', row[high], 0, MostHigh);
    for (const amount of amounts) within('qos amount', row[amount], 0, MostInt);
    for (let action = QosClass.Actions; action < QosClass.Queue; action += QosAction.Words) {
      within('qos action', row[action + QosAction.Drop], 0, 1);
      checkMarks(row, action + QosAction.TosKeep, action + QosAction.Group);
    }
    within('qos queue', row[QosClass.Queue], 0, classes - 1);
    within('qos priority', row[QosClass.Priority], 0, 2);
    within('qos quantum', row[QosClass.Quantum], 1, 1500);
    within('qos flows', row[QosClass.Flows], 0, QosCap.Flows);
    within('qos curves', row[QosClass.Red], -1, qosReds.length / QosRed.Words - 1);
  }
}

function checkReds({ qosReds }: TablesRows): void {
  for (let at = 0; at < qosReds.length; at += QosRed.Words) {
    within('qos weight', qosReds[at + QosRed.WeightExponent], 1, 16);
    within('qos ecn', qosReds[at + QosRed.Ecn], 0, 1);
    within('qos packet time', qosReds[at + QosRed.PacketUs], 1, MostInt);
    for (let curve = at + QosRed.Curves; curve < at + QosRed.Words; curve += QosCurve.Words) {
      within('qos curve minimum', qosReds[curve + QosCurve.Least], 0, MostInt - 1);
      within('qos curve maximum', qosReds[curve + QosCurve.Most], qosReds[curve + QosCurve.Least] + 1, MostInt);
      within('qos curve denominator', qosReds[curve + QosCurve.Denominator], 1, MostInt);
    }
  }
}

/** @throws ShapeError */
export function checkQos(rows: TablesRows): void {
  checkUses(rows);
  checkTests(rows);
  checkClasses(rows);
  checkReds(rows);
}
