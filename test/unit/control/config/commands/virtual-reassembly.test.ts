// ip virtual-reassembly and crypto ipsec path-mtu-discovery of an interface: what is taken, printed, told to the dataplane, and refused.
import t from 'tap';
import { Allocation } from '../../../../../control/compile/allocation.js';
import { compileTables } from '../../../../../control/compile/tables.js';
import { SaPairs } from '../../../../../control/ipsec/sa-pairs.js';
import { reassemblyStates } from '../../../../../control/snapshot/virtual-reassembly.js';
import { listProblems, parseClean, reprint } from '../texts.js';

const rowsOf = (text: string) => compileTables(parseClean(text), new Map(), new Allocation(), 1, 0, new SaPairs()).head.interfaces;

t.test('ip virtual-reassembly', async (t) => {
  const text = `interface eth0
 ip virtual-reassembly in
interface eth1
 ip virtual-reassembly in max-reassemblies 64 max-fragments 32 timeout 5 drop-fragments
interface eth2
`;
  t.same(reprint(text), text.trim().split('\n'));
  t.same(
    reprint('interface eth1\n ip virtual-reassembly max-fragments 16 drop-fragments\n'),
    ['interface eth1', ' ip virtual-reassembly in max-fragments 16 drop-fragments'],
    'in is what there is',
  );
  t.strictSame(
    rowsOf(text).map(({ fragments }) => fragments),
    [
      { drop: false, maxDatagrams: 0, maxFragments: 0, timeoutSeconds: 0 },
      { drop: true, maxDatagrams: 64, maxFragments: 32, timeoutSeconds: 5 },
      undefined,
    ],
  );
  t.same(
    reprint(`${text}interface eth1\n ip virtual-reassembly timeout 9\n`)[3],
    ' ip virtual-reassembly in timeout 9',
    'a line says all of it',
  );
  t.same(reprint(`${text}interface eth1\n no ip virtual-reassembly\n`)[3], 'interface eth2');
  const nat = ' ip nat inside\n';
  t.strictSame(
    reassemblyStates(parseClean(`interface eth0\n${nat}interface eth1\n ip virtual-reassembly max-reassemblies 16 timeout 1\n`)),
    [
      { interface: 'eth0', datagrams: 2048, fragments: null, timeoutSeconds: 3, dropFragments: false },
      { interface: 'eth1', datagrams: 16, fragments: null, timeoutSeconds: 1, dropFragments: false },
    ],
  );
});

t.test('crypto ipsec path-mtu-discovery probe', async (t) => {
  const text = 'interface eth0\n crypto ipsec path-mtu-discovery probe\n';
  t.same(reprint(text), text.trim().split('\n'));
  t.equal(rowsOf(text)[0].searchMtu, true);
  t.same(reprint(`${text} no crypto ipsec path-mtu-discovery\n`), ['interface eth0']);
  t.equal(rowsOf('interface eth0\n')[0].searchMtu, false);
});

t.test('what is refused', async (t) => {
  for (const [line, message] of [
    ['ip virtual-reassembly out', /out is not supported/],
    ['ip virtual-reassembly max-reassemblies 0', /Invalid/],
    ['ip virtual-reassembly max-reassemblies 1025', /Invalid/],
    ['ip virtual-reassembly max-fragments 256', /Invalid/],
    ['ip virtual-reassembly timeout 61', /Invalid/],
    ['ip virtual-reassembly timeout', /Incomplete/],
    ['ip virtual-reassembly drop-fragments timeout 3', /Invalid/],
    ['crypto ipsec path-mtu-discovery', /Incomplete/],
    ['crypto ipsec path-mtu-discovery guess', /Invalid/],
  ] as const) {
    const [problem] = listProblems(`interface eth0\n ${line}\n`);
    t.match(problem, /^2 error /, line);
    t.match(problem, message, line);
  }
});
