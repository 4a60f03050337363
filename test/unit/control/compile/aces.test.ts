import fc from 'fast-check';
import t from 'tap';
import { appendAceRows, portRanges } from '../../../../control/compile/aces.js';
import type { PortMatch } from '../../../../control/config/model.js';
import type { PolicyEntry } from '../../../../control/gdoi/group-policy.js';
import { Ace, AceAction } from '../../../../dataplane/tables/layout.js';

const entry: PolicyEntry = {
  action: 'permit',
  protocol: null,
  source: 0x0a0000ff,
  sourceWildcard: 0x0000ffff,
  destination: 0xc0000201,
  destinationWildcard: 0,
  sourcePort: null,
  destinationPort: null,
};

t.test("an entry without ports is one row, with the don't-care bits cleared", (t) => {
  const words: number[] = [];
  t.equal(appendAceRows(words, entry), 1);
  const row = Int32Array.from(words);
  t.equal(row.length, Ace.Words as number);
  t.equal(row[Ace.Action], AceAction.Permit as number);
  t.equal(row[Ace.Protocol], -1);
  t.equal(row[Ace.Src] >>> 0, 0x0a000000);
  t.equal(row[Ace.SrcCare] >>> 0, 0xffff0000);
  t.equal(row[Ace.Dst] >>> 0, 0xc0000201);
  t.equal(row[Ace.DstCare] >>> 0, 0xffffffff);
  t.strictSame([row[Ace.SrcPortLow], row[Ace.SrcPortHigh], row[Ace.DstPortLow], row[Ace.DstPortHigh]], [0, 65535, 0, 65535]);
  t.end();
});

t.test('neq on both sides is four rows, of which none holds the port itself', (t) => {
  const words: number[] = [];
  const neq: PortMatch = { operator: 'neq', ports: [848] };
  t.equal(appendAceRows(words, { ...entry, protocol: 17, sourcePort: neq, destinationPort: neq }), 4);
  t.end();
});

t.test('ranges hold exactly the ports that the operator means', (t) => {
  const meaning: Record<PortMatch['operator'], (port: number, first: number, second: number) => boolean> = {
    eq: (port, first) => port === first,
    neq: (port, first) => port !== first,
    gt: (port, first) => port > first,
    lt: (port, first) => port < first,
    range: (port, first, second) => port >= first && port <= second,
  };
  const operators = Object.keys(meaning) as PortMatch['operator'][];
  const port = fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom(0, 1, 65534, 65535));
  fc.assert(
    fc.property(fc.constantFrom(...operators), port, port, port, (operator, a, b, probe) => {
      const [first, second] = a <= b ? [a, b] : [b, a];
      const ranges = portRanges({ operator, ports: operator === 'range' ? [first, second] : [first] });
      const holds = ranges.some(([low, high]) => probe >= low && probe <= high);
      return holds === meaning[operator](probe, first, second);
    }),
    { numRuns: 2000 },
  );
  t.pass('property held');
  t.end();
});
