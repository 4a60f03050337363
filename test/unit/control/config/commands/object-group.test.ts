// Object groups, resequencing, and lists on interfaces.
import t from 'tap';
import { listErrors, listProblems, parseClean, reprint } from '../texts.js';

t.test('groups in every form', (t) => {
  const network = ['description web servers', 'host 10.0.0.1', '10.1.0.0 255.255.0.0', 'range 10.2.0.1 10.2.0.9', 'any', 'group-object B'];
  const text = ['object-group network A', ...network.map((line) => ` ${line}`)];
  t.strictSame(reprint(`${text.join('\n')}\n 10.1.7.7 /16\n host 10.0.0.1`), text, 'a member twice is one');
  const service = [
    'tcp',
    'tcp eq www',
    'tcp source gt 1023 range ftp-data ftp',
    'tcp-udp eq domain',
    'udp neq 5000',
    'icmp echo',
    'icmp 3 13',
    'esp',
    'ip',
    '99',
    'group-object T',
  ];
  const printed = service.map((line) => ` ${line.replace('icmp 3 13', 'icmp administratively-prohibited')}`);
  t.strictSame(reprint(`object-group service S\n${service.join('\n')}\ntcp 80`), ['object-group service S', ...printed]);
  t.strictSame(reprint(`${text.join('\n')}\n no any\n no description\n no host 10.0.0.1\n no range 10.2.0.1 10.2.0.9`), [
    'object-group network A',
    ' 10.1.0.0 255.255.0.0',
    ' group-object B',
  ]);
  t.equal(parseClean('object-group network A\n host 1.1.1.1\nno object-group network A').objectGroups.size, 0);
  t.end();
});

t.test('what a group cannot be is an error', (t) => {
  for (const line of [
    'object-group network A\n 10.0.0.0 0.0.0.255',
    'object-group network A\n range 10.0.0.2 10.0.0.1',
    'object-group network A\n 10.0.0.0',
    'object-group network A\n group-object A',
    'object-group network A\n 10.0.0.0 /33',
    'object-group service S\n tcp eq 80 443',
    'object-group service S\n tcp eq 70000',
    'object-group service S\n icmp 3 13 4',
    'object-group service S\n esp eq 80',
    'object-group service S\n tcp-udp eq www',
    'object-group v6-network X',
    'object-group network',
  ])
    t.match(listProblems(line), [/^[12] error/], line);
  t.match(listProblems('object-group network A\nobject-group service A'), [/^2 error object group A is a network group already/]);
  t.end();
});

t.test('resequence numbers the lines anew, remarks with their entries', (t) => {
  const list = ['ip access-list extended A', ' 3 permit ip any any', ' 4 remark last', ' 4 deny tcp any any', ' 9 remark end'].join('\n');
  const after = (command: string) => reprint(`${list}\n${command}`).slice(1);
  t.strictSame(after('ip access-list resequence A 100 5'), [
    ' 100 permit ip any any',
    ' 105 remark last',
    ' 105 deny tcp any any',
    ' 110 remark end',
  ]);
  t.strictSame(after('ip access-list resequence A'), [
    ' 10 permit ip any any',
    ' 20 remark last',
    ' 20 deny tcp any any',
    ' 30 remark end',
  ]);
  t.match(listProblems('ip access-list resequence A 10 10'), [/^1 warning access list A is not configured/]);
  t.match(listProblems(`${list}\nip access-list resequence A 10 2147483640`), [/^6 error .* would get sequence numbers above/]);
  t.end();
});

t.test('lists on interfaces', (t) => {
  const text = ['interface eth0', ' ip access-group 101 in', ' ip access-group C out', ' no ip unreachables'];
  t.strictSame(reprint(text.join('\n')), text);
  t.strictSame(reprint(`${text.join('\n')}\n no ip access-group in\n no ip access-group C out\n ip unreachables`), ['interface eth0']);
  t.match(listProblems('interface eth0\n no ip access-group A in'), [/^2 warning ip access-group A in is not configured/]);
  t.match(listErrors('interface eth0\n ip access-group A'), [/^2 error/]);
  t.match(listErrors('interface eth0\n ip access-group A both'), [/^2 error/]);
  t.end();
});
