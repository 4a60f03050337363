// What verification says of access lists, object groups and lists on interfaces.
import t from 'tap';
import { checkConfig } from '../../../../control/config/check.js';

function said(text: string): string[] {
  return checkConfig(text).problems.map(({ line, severity, message }) => `${line} ${severity} ${message}`);
}

t.test('object groups that entries name', (t) => {
  const list = (entry: string) => `ip access-list extended L\n ${entry}\ninterface eth0\n ip access-group L in\n`;
  t.match(said(list('permit ip object-group A any')), ['2 error there is no network object group A']);
  t.match(said(`${list('permit object-group A any any')}object-group network A\n any`), ['2 error there is no service object group A']);
  t.match(said(`${list('permit ip any any')}object-group network A`), [/^5 warning object group A is empty/]);
  t.match(said(`${list('permit ip any any')}object-group network A\n group-object B`), [/^5 error there is no network object group B/]);
  const cycle = 'object-group network A\n group-object B\nobject-group network B\n host 1.1.1.1\n group-object A\n';
  t.match(said(cycle), ['1 error object group A contains itself', '3 error object group B contains itself']);
  const many = Array.from({ length: 70 }, (_, i) => ` host 10.0.0.${i}`).join('\n');
  t.match(said(`${list('permit ip object-group A object-group A')}object-group network A\n${many}`), [
    /^2 error its object groups make 4900 entries of it: more than 4096/,
  ]);
  t.end();
});

t.test('what a crypto map, fail-close and a group policy cannot ask is refused with its line', (t) => {
  const member = (entry: string) =>
    `crypto gdoi group G\n identity number 1\n server address ipv4 10.9.9.9\ncrypto map M 1 gdoi\n set group G\n match address L\nip access-list extended L\n ${entry}\n`;
  const errors = (text: string) => said(text).filter((line) => line.includes(' error ') && !line.startsWith('1 '));
  t.match(errors(member('deny tcp any any established')), [/^8 error "established" cannot be in the access list of a crypto map/]);
  t.match(errors(member('deny ip any any dscp ef log')), [/^8 error "dscp ef"/, /^8 error "log"/]);
  t.match(errors(member('deny icmp any any echo')), [/^8 error "echo"/]);
  t.match(errors(`${member('deny ip object-group A any')}object-group network A\n any`), [/^8 error "object-group"/]);
  t.match(
    errors(
      `${member('deny ip any any')}crypto map M gdoi fail-close\n match address F\n activate\nip access-list extended F\n deny ip any any fragments`,
    ),
    [/^13 error "fragments"/],
  );
  const server = (entry: string) =>
    `crypto gdoi group S\n identity number 1\n server local\n  sa ipsec 1\n   match address ipv4 L\nip access-list extended L\n permit ip 10.0.0.0 0.255.255.255 any\n ${entry}\n`;
  t.ok(
    errors(server('permit tcp any any established')).includes(
      '8 error "established" cannot be in a group policy: it is made of protocol, addresses and ports',
    ),
  );
  t.match(
    errors(server('permit tcp any any eq 80 443')).filter((line) => line.startsWith('8')),
    [/^8 error several ports: a group policy carries one port or all/],
  );
  t.end();
});

t.test('lists on interfaces', (t) => {
  t.match(said('interface eth0\n ip access-group L in'), [
    /^2 warning ip access-group L in: access list L does not exist, so everything passes/,
  ]);
  t.match(said('interface eth0\n ip access-group L out\nip access-list extended L'), [
    /^2 warning ip access-group L out: access list L is empty/,
  ]);
  t.match(said('ip access-list extended L\n permit ip any any log'), [
    /^2 warning "log" writes nothing: access list L filters on no interface/,
  ]);
  const member = (...entries: string[]) =>
    `crypto gdoi group G\n identity number 1\n server address ipv4 10.9.9.9\ncrypto map M 1 gdoi\n set group G\ninterface eth0\n crypto map M\n ip access-group L in\nip access-list extended L\n${entries.join('\n')}`;
  const warned = (text: string) => said(text).filter((line) => line.includes('GDOI'));
  t.match(warned(member('permit esp any any')), [/^8 warning access list L lets no GDOI of key server 10.9.9.9 in/]);
  t.match(warned(member('deny ip any any', 'permit ip any any')).length, 1);
  t.strictSame(warned(member('permit udp host 10.9.9.9 eq 848 any eq 848', 'deny ip any any')), []);
  t.strictSame(warned(member('permit udp host 10.9.9.9 eq 848 host 10.0.0.1', 'deny ip any any')), [], 'whatever its own address is');
  t.strictSame(warned(member('deny tcp any any', 'permit ip any any')), []);
  t.end();
});
