// Thresholds of random-detect against those that IOS documents.

import t from 'tap';
import { defaultDscpCurve, defaultPrecedenceCurve } from '../../../../control/config/red-curves.js';

t.test('default thresholds are those of IOS', (t) => {
  t.strictSame(
    [0, 1, 5, 7].map(defaultPrecedenceCurve),
    [20, 22, 31, 35].map((least) => [least, 40]),
  );
  const names = { af11: 10, af12: 12, af13: 14, af41: 34, af43: 38, ef: 46, default: 0, cs1: 8, cs6: 48 };
  t.strictSame(
    Object.values(names).map((dscp) => defaultDscpCurve(dscp)[0]),
    [32, 28, 24, 32, 24, 36, 20, 22, 32],
  );
  t.end();
});
