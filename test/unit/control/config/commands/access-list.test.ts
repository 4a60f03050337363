import t from 'tap';
import { describeEntry } from '../../../../../control/config/commands/acl-entry.js';
import { listErrors, listProblems, parseClean, reprint } from '../texts.js';

/** The only entry of an extended list with this line. */
function entryOf(line: string) {
  return parseClean(`ip access-list extended A\n ${line}`).accessLists.get('A')!.entries[0];
}

t.test('entries in every form, printed as IOS prints them', (t) => {
  for (const [line, printed] of [
    ['permit ip any any', 'permit ip any any'],
    ['deny udp any eq 848 any eq 848', 'deny udp any eq 848 any eq 848'],
    ['permit ip 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255', 'permit ip 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255'],
    ['permit ip 10.0.7.9 0.0.255.255 host 1.1.1.1', 'permit ip 10.0.0.0 0.0.255.255 host 1.1.1.1'],
    ['permit tcp host 1.1.1.1 gt 1023 2.2.2.2 0.0.0.0 eq bgp', 'permit tcp host 1.1.1.1 gt 1023 host 2.2.2.2 eq bgp'],
    ['permit tcp any any eq 80', 'permit tcp any any eq www'],
    ['permit udp any range 500 isakmp any neq ntp', 'permit udp any range isakmp isakmp any neq ntp'],
    ['permit udp any lt 53 any', 'permit udp any lt domain any'],
    ['deny esp any any', 'deny esp any any'],
    ['deny 50 any any', 'deny esp any any'],
    ['deny ospf any host 224.0.0.5', 'deny ospf any host 224.0.0.5'],
    ['deny 253 any any', 'deny 253 any any'],
    ['deny gre any 0.0.0.0 255.255.255.255', 'deny gre any any'],
    ['per tc an an eq tel', 'permit tcp any any eq telnet'],
    ['deny ip 10.1.0.0 0.0.254.255 any', 'deny ip 10.1.0.0 0.0.254.255 any'],
    ['permit tcp any any eq 80 443 22 80', 'permit tcp any any eq www 443 22'],
    ['permit tcp any neq www 8080 any range 1 2 established log', 'permit tcp any neq www 8080 any range 1 2 established log'],
    ['permit tcp any any syn ack', 'permit tcp any any ack syn'],
    ['permit tcp any any log match-all -ack +syn dscp 46', 'permit tcp any any match-all -ack +syn dscp ef log'],
    ['permit tcp any any match-any +rst +ack', 'permit tcp any any ack rst'],
    ['deny tcp any any match-any +rst -ack log-input', 'deny tcp any any match-any -ack +rst log-input'],
    ['permit icmp any any 8', 'permit icmp any any echo'],
    ['permit icmp any any 3 13 log', 'permit icmp any any administratively-prohibited log'],
    ['permit icmp any any ttl-exceeded', 'permit icmp any any ttl-exceeded'],
    ['permit icmp any any 77 5', 'permit icmp any any 77 5'],
    ['deny ip any any fragments', 'deny ip any any fragments'],
    ['deny icmp any any fragments', 'deny icmp any any fragments'],
    ['permit udp any any eq 53 precedence 5 tos 8', 'permit udp any any eq domain precedence critical tos min-delay'],
    ['permit object-group S object-group A host 1.1.1.1', 'permit object-group S object-group A host 1.1.1.1'],
    ['permit tcp object-group A gt 1023 object-group B eq 80', 'permit tcp object-group A gt 1023 object-group B eq www'],
  ]) {
    t.equal(describeEntry(entryOf(line)), printed, line);
  }
  for (const name of ['ahp', 'eigrp', 'esp', 'gre', 'icmp', 'igmp', 'ipinip', 'nos', 'ospf', 'pcp', 'pim', 'sctp', 'tcp', 'udp']) {
    t.equal(describeEntry(entryOf(`permit ${name} any any`)), `permit ${name} any any`, name);
  }
  t.strictSame(entryOf('15 deny udp any range 1 2 host 10.0.0.1'), {
    line: 2,
    sequence: 15,
    action: 'deny',
    protocol: 17,
    source: 0,
    sourceWildcard: 0xffffffff,
    destination: 0x0a000001,
    destinationWildcard: 0,
    sourcePort: { operator: 'range', ports: [1, 2] },
    destinationPort: null,
  });
  t.end();
});

t.test('what an entry cannot say is an error, never ignored', (t) => {
  for (const line of [
    'permit udp any any established',
    'permit ip any any syn',
    'permit ip any any dscp 64',
    'permit ip any any dscp ef tos 4',
    'permit ip any any dscp ef precedence 4',
    'permit ip any any dscp ef dscp ef',
    'permit ip any any precedence 8',
    'permit ip any any tos 16',
    'permit ip any any time-range T',
    'permit ip any any ttl eq 3',
    'permit ip any any option any-options',
    'permit tcp any any reflect R',
    'permit tcp any any established syn',
    'permit tcp any any match-any',
    'permit tcp any any match-all +syn -syn',
    'permit tcp any any match-all +foo',
    'permit tcp any any eq 80 fragments',
    'permit tcp any any syn fragments',
    'permit icmp any any 8 fragments',
    'permit icmp any any echo 0',
    'permit icmp any any 256',
    'permit udp any any echo-reply',
    'permit tcp any any eq 1 2 3 4 5 6 7 8 9 10 11',
    'permit tcp any any gt 1 2',
    'permit ip object-group',
    'permit object-group S any',
    'permit tcp object-group any any eq 80 object-group',
    'dynamic D permit ip any any',
    'permit ip any any eq 80',
    'permit esp any eq 80 any',
    'permit tcp any any eq 65536',
    'permit tcp any any eq nosuch',
    'permit udp any any eq bgp',
    'permit tcp any any range 20 10',
    'permit tcp any any range 20',
    'permit 0 any any',
    'permit 256 any any',
    'permit foo any any',
    'permit ip 10.0.0.0 any',
    'permit ip any',
    'permit ip host any any',
    'permit',
    '0 permit ip any any',
    '2147483648 permit ip any any',
    'evaluate X',
    'permt ip any any',
  ]) {
    const problems = listProblems(`ip access-list extended A\n ${line}`);
    t.equal(problems.length, 1, `one problem for ${line}`);
    t.match(problems[0], /^2 error/, line);
  }
  t.end();
});

t.test('sequence numbers', (t) => {
  const list = (text: string): string[] => reprint(`ip access-list extended A\n${text}`).slice(1);
  t.strictSame(list('permit ip any any\n 15 deny tcp any any\n deny udp any any\n 5 permit gre any any'), [
    ' 5 permit gre any any',
    ' 10 permit ip any any',
    ' 15 deny tcp any any',
    ' 25 deny udp any any',
  ]);
  t.strictSame(list('permit ip any any\n deny tcp any any\n no 10\n no 30').slice(0, 1), [' 20 deny tcp any any']);
  t.strictSame(list('permit ip any any\n deny tcp any any\n no permit ip any any'), [' 20 deny tcp any any']);
  t.strictSame(listProblems('ip access-list extended A\n 10 permit ip any any\n 10 deny ip any any'), [
    '3 error duplicate sequence number 10: line 2 has it',
  ]);
  t.strictSame(
    listProblems('ip access-list extended A\n 10 permit ip any any\n 10 permit ip any any'),
    [],
    'the same entry again is no error, as on IOS',
  );
  t.strictSame(listProblems('ip access-list extended A\n no 10\n no permit ip any any'), [
    '2 warning entry 10 is not configured: nothing to remove',
    '3 warning this entry is not configured: nothing to remove',
  ]);
  t.match(listProblems('ip access-list extended A\n 2147483647 permit ip any any\n permit tcp any any'), [
    /^3 error .* no sequence number left/,
  ]);
  t.match(listProblems('ip access-list extended A\n no permit ip any'), [/^2 error/]);
  t.end();
});

t.test('remarks stay where they stood', (t) => {
  const text = `ip access-list extended A
 10 remark first words
 10 permit ip any any
 20 remark last  words !`;
  t.strictSame(reprint('ip access-list extended A\n remark first words\n permit ip any any\n remark last  words !'), text.split('\n'));
  t.strictSame(reprint(`${text}\n no remark first words`).length, 3);
  t.equal(parseClean(`${text}\n no remark first words\n no remark last  words !`).accessLists.get('A')?.remarks, undefined);
  t.match(listProblems('ip access-list extended A\n no remark x'), [/^2 warning/]);
  t.end();
});

t.test('standard and numbered lists', (t) => {
  t.strictSame(reprint('ip access-list standard S\n permit 10.0.0.0 0.0.0.255\n deny host 1.1.1.1\n permit 2.2.2.2\n permit any'), [
    'ip access-list standard S',
    ' 10 permit 10.0.0.0 0.0.0.255',
    ' 20 deny host 1.1.1.1',
    ' 30 permit host 2.2.2.2',
    ' 40 permit any',
  ]);
  t.strictSame(
    reprint(
      'access-list 100 remark hello\naccess-list 100 permit tcp any any eq 22\naccess-list 100 deny ip any any\naccess-list 1 permit any',
    ),
    [
      'ip access-list extended 100',
      ' 10 remark hello',
      ' 10 permit tcp any any eq 22',
      ' 20 deny ip any any',
      'ip access-list standard 1',
      ' 10 permit any',
    ],
  );
  t.equal(parseClean('access-list 100 permit ip any any\nno access-list 100').accessLists.size, 0);
  t.equal(parseClean('ip access-list extended A\nno ip access-list extended A').accessLists.size, 0);
  for (const line of [
    'access-list 200 permit ip any any',
    'access-list 1 permit tcp any any',
    'access-list 100 permit any',
    'ip access-list standard 100',
    'ip access-list extended 5',
    'ip access-list extended 3000',
    'ip access-list standard S\npermit any log-input',
    'ip access-list standard S\npermit object-group A',
    'ip access-list logging interval 10',
  ]) {
    t.match(listProblems(line), [/^[12] error/], line);
  }
  t.match(listProblems('ip access-list standard S\nip access-list extended S'), [/^2 error access list S is standard already/]);
  t.end();
});

t.test('names that are special elsewhere are ordinary names', (t) => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const config = parseClean(`ip access-list extended ${name}\n permit ip any any\ncrypto gdoi group ${name}\n identity number 1`);
    t.equal(config.accessLists.get(name)?.entries.length, 1, name);
    t.equal(config.gdoiGroups.get(name)?.name, name);
    t.equal(({} as Record<string, unknown>).entries, undefined, 'no prototype was touched');
  }
  t.strictSame(
    listErrors('crypto map constructor 1 gdoi\n set group __proto__').map((problem) => problem.slice(0, 50)),
    ['2 error there is no crypto gdoi group __proto__'],
  );
  t.end();
});
