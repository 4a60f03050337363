import t from 'tap';
import { listProblems, parseClean, reprint } from '../texts.js';

const loggingOf = (text: string) => parseClean(text).logging;

t.test('every form, and how it is printed', (t) => {
  const text = [
    'no logging on',
    'logging buffered 8192 warnings',
    'logging console errors',
    'logging file /var/log/groupwire/r1.log notifications',
    'logging trap debugging',
    'logging facility local3',
    'logging host 10.0.0.1',
    'logging host 10.0.0.2 transport udp port 5514',
  ].join('\n');
  t.strictSame(loggingOf(text), {
    off: true,
    buffered: { bytes: 8192, severity: 4 },
    console: 3,
    file: { path: '/var/log/groupwire/r1.log', severity: 5 },
    trap: 7,
    facility: 'local3',
    hosts: [
      { address: 0x0a000001, port: 514 },
      { address: 0x0a000002, port: 5514 },
    ],
  });
  t.strictSame(reprint(text).join('\n'), text);
  t.end();
});

t.test('numbers, short forms, defaults and no', (t) => {
  t.strictSame(loggingOf('logging 10.0.0.1'), { hosts: [{ address: 0x0a000001, port: 514 }] }, 'the old form');
  t.strictSame(loggingOf('logging console 4'), { hosts: [], console: 4 });
  t.strictSame(loggingOf('logging buffered 51200'), { hosts: [], buffered: { bytes: 51_200, severity: 7 } });
  t.strictSame(loggingOf('logging buffered informational'), { hosts: [], buffered: { bytes: 4096, severity: 6 } });
  t.strictSame(loggingOf('no logging console\nno logging buffered\nno logging trap'), {
    hosts: [],
    console: 'off',
    buffered: 'off',
    trap: 'off',
  });
  for (const plain of [
    'logging console',
    'logging console debugging',
    'logging buffered',
    'logging trap informational',
    'logging on',
    'logging facility local7',
    'logging host 1.1.1.1\nno logging host 1.1.1.1',
    'no logging on\nlogging on',
    'logging file /x\nno logging file',
  ]) {
    t.equal(loggingOf(plain), undefined, plain);
  }
  t.strictSame(loggingOf('logging host 1.1.1.1 transport udp port 99\nlogging host 1.1.1.1')?.hosts, [{ address: 0x01010101, port: 514 }]);
  t.end();
});

t.test('what it does not take', (t) => {
  t.match(listProblems('logging file var/log'), [/^1 error .*begins with \//]);
  t.match(listProblems('logging console loud'), [/^1 error/]);
  t.match(listProblems('logging console 8'), [/^1 error/]);
  t.match(listProblems('logging buffered 4095'), [/^1 error/]);
  t.match(listProblems('logging facility local8'), [/^1 error/]);
  t.match(listProblems('logging host'), [/^1 error .*Incomplete/]);
  t.match(listProblems('no logging host 1.1.1.1'), [/^1 warning .*not configured/]);
  t.match(listProblems('logging origin-id hostname'), [/^1 warning/], 'IOS has more: kept, warned about');
  const many = Array.from({ length: 17 }, (_, n) => `logging host 10.0.0.${n + 1}`).join('\n');
  t.match(listProblems(many), [/^17 error at most 16 logging hosts/]);
  t.end();
});
