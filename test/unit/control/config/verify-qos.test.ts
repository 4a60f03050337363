// verify/qos*.ts: class-maps and policies whose references are missing, whose actions do not go together, that promise more than there is.

import t from 'tap';
import { checkConfig } from '../../../../control/config/check.js';

const router = `interface GigabitEthernet0/0
 linux-device eth0
 bandwidth 10000
 ip address 172.16.1.2 255.255.255.0
 service-policy output OUT
interface Tunnel0
 tunnel source 172.16.1.2
 tunnel destination 172.16.9.9
ip access-list extended A
 permit udp any any range 16384 32767
class-map match-any VOICE
 match access-group name A
class-map BUSINESS
 match dscp af21
`;

/** Problems of what stands behind the router's lines, by its own line numbers; 0 = of the router's own lines. */
function problemsOf(text: string): string[] {
  const first = router.split('\n').length;
  return checkConfig(router + text)
    .problems.filter(({ message }) => !/(BUSINESS|VOICE) is used by nothing/.test(message))
    .map(({ line, severity, message }) => `${line < first ? 0 : line - first + 1} ${severity} ${message}`);
}

const parent = (child: string): string =>
  `policy-map OUT\n class class-default\n  shape average 10000000\n  service-policy CHILD\npolicy-map CHILD\n${child}`;

t.test('good: the case of the issue, and every action once', (t) => {
  for (const text of [
    parent(' class VOICE\n  priority 1000\n class BUSINESS\n  bandwidth percent 50\n class class-default\n  fair-queue'),
    'policy-map OUT\n class VOICE\n  priority level 1 1000\n class BUSINESS\n  priority level 2 percent 10\n class class-default\n  random-detect dscp-based\n  random-detect dscp af11 10 20 5\n  queue-limit 100',
    'policy-map OUT\n class VOICE\n  priority\n class BUSINESS\n  bandwidth remaining percent 60',
    'policy-map OUT\n class VOICE\n  set dscp ef\n class class-default\n  police 1000000 conform-action set-dscp-transmit af11 exceed-action drop',
  ])
    t.strictSame(problemsOf(text), [], text);
  t.end();
});

t.test('bad: each with its line', (t) => {
  for (const [text, ...messages] of [
    ['', '0 error there is no policy-map OUT'],
    ['policy-map OUT\n class NONE', '2 error there is no class-map NONE'],
    ['policy-map OUT', '1 warning policy-map OUT has no class: it does nothing'],
    ['policy-map OUT\n class VOICE\npolicy-map X\n class VOICE', '3 warning policy-map X is applied to no interface'],
    [
      'class-map X\n match access-group name B\n match class-map Y\npolicy-map OUT\n class X',
      '2 error there is no access list B',
      '3 error there is no class-map Y',
    ],
    [
      'class-map X\n match class-map Y\nclass-map Y\n match not class-map X\npolicy-map OUT\n class X',
      '1 error class-map X contains itself',
      '3 error class-map Y contains itself',
    ],
    ['class-map X\npolicy-map OUT\n class X', '1 warning class-map X matches nothing: it has no match'],
    ['class-map X\n match any\npolicy-map OUT\n class VOICE', '1 warning class-map X is used by nothing'],
    [
      'class-map X\n match dscp ef\n match dscp af11 af12\npolicy-map OUT\n class X',
      '1 warning class-map X matches nothing: no packet has all of its dscp values',
    ],
    [
      'policy-map OUT\n class VOICE\n  priority percent 60\n class BUSINESS\n  bandwidth percent 50',
      '5 error policy-map OUT gives away 110 percent',
      '5 error policy-map OUT promises 11000 kbps with class BUSINESS, and GigabitEthernet0/0 has 10000 kbps for it',
    ],
    [
      'policy-map OUT\n class VOICE\n  bandwidth remaining percent 60\n class BUSINESS\n  bandwidth remaining percent 50',
      '5 error policy-map OUT gives away 110 percent of what remains',
    ],
    [
      'policy-map OUT\n class VOICE\n  bandwidth 1000\n class BUSINESS\n  bandwidth percent 50',
      '5 error policy-map OUT has bandwidth kbps already: its classes use one unit',
    ],
    [
      'policy-map OUT\n class VOICE\n  priority level 1 6000\n class BUSINESS\n  priority level 2 6000',
      '5 error policy-map OUT promises 12000 kbps with class BUSINESS, and GigabitEthernet0/0 has 10000 kbps for it',
    ],
    [
      'policy-map OUT\n class VOICE\n  priority level 1 600\n class BUSINESS\n  priority 600',
      '5 error class VOICE has a priority level: all priority classes of a policy have one, or none',
    ],
    [
      'policy-map OUT\n class VOICE\n  priority\n class BUSINESS\n  bandwidth 100',
      '5 error class VOICE has priority without a rate: nothing is left to promise to class BUSINESS',
    ],
    [
      'policy-map OUT\n class class-default\n  priority 100',
      '3 error priority is not for class-default: what no class knows would go before all else',
    ],
    [
      'policy-map OUT\n class VOICE\n  priority 100\n  bandwidth 100',
      '4 error class VOICE has priority: bandwidth is for queues that wait their turn',
    ],
    ['policy-map OUT\n class VOICE\n  queue-limit 5', '3 error class VOICE has no queue for queue-limit'],
    ['policy-map OUT\n class class-default\n  service-policy OUT', '1 error policy-map OUT contains itself'],
    ['policy-map OUT\n class class-default\n  service-policy X', '3 error there is no policy-map X'],
    [
      parent(' class class-default\n  service-policy OTHER\npolicy-map OTHER\n class VOICE\n  set dscp 1'),
      '1 error policy-map OUT has more than two levels',
    ],
    [
      'policy-map OUT\n class class-default\n  service-policy C\npolicy-map C\n class VOICE\n  priority 10',
      '3 error policy-map C queues, and class class-default has no rate for it to share',
    ],
    [
      'policy-map OUT\n class VOICE\n  police cir 1000000 bc 1000',
      '3 error police burst of 1000 bytes in class VOICE of policy-map OUT is below a packet of GigabitEthernet0/0 (1500 bytes): such packets never conform',
    ],
    [
      parent(' class VOICE\n  priority 1000 100'),
      '7 error priority burst of 100 bytes in class VOICE of policy-map CHILD is below a packet of GigabitEthernet0/0 (1500 bytes): such packets never conform',
    ],
    [
      'policy-map OUT\n class class-default\n  shape average 20000000',
      '3 warning class class-default is shaped to 20000 kbps: more than the 10000 kbps that GigabitEthernet0/0 has for it',
    ],
    [
      'policy-map OUT\n class class-default\n  fair-queue\ninterface GigabitEthernet0/0\n service-policy input OUT',
      '5 error policy-map OUT queues (fair-queue in class class-default): at the input there is no queue',
    ],
    [
      'policy-map OUT\n class VOICE\n  priority 10\ninterface Tunnel0\n service-policy output OUT',
      '5 error policy-map OUT queues without a shaper around it: a tunnel has no rate of its own',
    ],
    [
      'policy-map OUT\n class VOICE\ninterface lo0\n service-policy output OUT',
      '4 error nothing passes Loopback0: a service-policy would do nothing',
    ],
  ])
    t.strictSame(problemsOf(text), messages, text);
  t.end();
});
