// crypto gdoi group and server local (commands/gdoi-group.ts, commands/gdoi-server.ts), crypto map (commands/crypto-map.ts).

import t from 'tap';
import { defaultServer } from '../../../../../control/config/commands/gdoi-server.js';
import { listProblems, parseClean, reprint } from '../texts.js';

t.test('a member group', (t) => {
  const group = parseClean(
    'crypto gdoi group G\n identity number 777\n server address ipv4 1.1.1.1\n server address ipv4 2.2.2.2',
  ).gdoiGroups.get('G');
  t.strictSame(group, {
    line: 1,
    name: 'G',
    identity: { kind: 'number', number: 777 },
    serverAddresses: [0x01010101, 0x02020202],
    passive: false,
    server: null,
  });
  const other = parseClean(
    'crypto gkm group G\n identity address ipv4 9.9.9.9\n server address ipv4 1.1.1.1\n no server address ipv4 1.1.1.1',
  ).gdoiGroups.get('G');
  t.strictSame(other?.identity, { kind: 'address', address: 0x09090909 });
  t.strictSame(other?.serverAddresses, []);
  t.equal(parseClean('crypto gdoi group G\n passive').gdoiGroups.get('G')?.passive, true);
  t.equal(parseClean('crypto gdoi group G\n passive\n no passive').gdoiGroups.get('G')?.passive, false);
  const text = 'crypto gdoi group G\n client registration interface Loopback0';
  t.equal(parseClean(text.replace('Loopback0', 'lo0')).gdoiGroups.get('G')?.registrationInterface, 'Loopback0');
  t.strictSame(reprint(text).join('\n'), text);
  t.notOk('registrationInterface' in (parseClean(`${text}\n no client registration interface`).gdoiGroups.get('G') ?? {}));
  t.equal(parseClean('crypto gdoi group G\n identity number 1\n no identity').gdoiGroups.get('G')?.identity, null);
  t.equal(parseClean('crypto gdoi group G\nno crypto gdoi group G').gdoiGroups.size, 0);
  t.end();
});

t.test('what a group does not take', (t) => {
  const nine = Array.from({ length: 9 }, (_, i) => ` server address ipv4 1.1.1.${i + 1}`).join('\n');
  t.strictSame(listProblems(`crypto gdoi group G\n${nine}`), ['10 error a group has at most 8 key servers']);
  t.match(listProblems('crypto gdoi group G\n server address ipv4 1.1.1.1\n server address ipv4 1.1.1.1'), [
    /^3 warning .* is there already/,
  ]);
  for (const line of [
    'identity number 2147483648',
    'identity number',
    'identity name x',
    'server address ipv4 300.1.1.1',
    'server remote',
  ]) {
    t.match(listProblems(`crypto gdoi group G\n ${line}`), [/^2 error/], line);
  }
  t.match(listProblems(`crypto gdoi group ${'g'.repeat(81)}`), [/^1 error/]);
  t.end();
});

t.test('a key server: defaults and every command', (t) => {
  const plain = parseClean('crypto gdoi group G\n server local').gdoiGroups.get('G')?.server;
  t.strictSame(plain, defaultServer(2));
  const text = `crypto gdoi group G
 server local
  rekey algorithm aes 256
  rekey sig-hash algorithm sha256
  rekey lifetime seconds 60
  rekey retransmit 10 number 3
  rekey authentication mypubkey rsa K
  rekey address ipv4 MCAST
  rekey transport unicast
  rekey acknowledgement interoperable
  authorization address ipv4 10
  authorization identity I
  sa ipsec 1
   profile P
   match address ipv4 A
   replay counter window-size 1024
  sa ipsec 2
   no replay
  sa ipsec 3
   replay time window-size 20
   udp-encapsulation
  sa receive-only
  address ipv4 1.2.3.4`;
  const server = parseClean(text).gdoiGroups.get('G')?.server;
  t.strictSame(server, {
    line: 2,
    rekeyEncryption: 'aes-256',
    rekeySignatureHash: 'sha256',
    rekeyLifetimeSeconds: 60,
    rekeyRetransmitSeconds: 10,
    rekeyRetransmitNumber: 3,
    rekeyAuthentication: 'K',
    rekeyTransport: 'unicast',
    rekeyAddress: 'MCAST',
    rekeyAcknowledgement: 'interoperable',
    address: 0x01020304,
    authorizationAcl: '10',
    authorizationIdentity: 'I',
    receiveOnly: true,
    sas: new Map([
      [1, { line: 13, sequence: 1, profile: 'P', matchAddress: 'A', replay: { method: 'counter', windowSize: 1024 } }],
      [2, { line: 17, sequence: 2, profile: null, matchAddress: null, replay: { method: 'none' } }],
      [
        3,
        {
          line: 19,
          sequence: 3,
          profile: null,
          matchAddress: null,
          replay: { method: 'time', windowSeconds: 20 },
          udpEncapsulation: true,
        },
      ],
    ]),
  });
  t.strictSame(reprint(text).join('\n'), text, 'printed as it was written');
  const back = parseClean(`${text.replace(' udp-encapsulation', ' udp-encapsulation\n   no udp-encapsulation')}`);
  t.notOk('udpEncapsulation' in (back.gdoiGroups.get('G')?.server?.sas.get(3) ?? {}), 'and taken back');
  const undone = `${text}
  no rekey algorithm
  no rekey sig-hash algorithm
  no rekey lifetime seconds
  no rekey retransmit
  no rekey authentication
  no rekey address ipv4
  no rekey transport unicast
  no rekey acknowledgement
  no sa ipsec 1
  no sa ipsec 2
  no sa ipsec 3
  no sa receive-only
  no authorization address ipv4
  no authorization identity
  no address ipv4`;
  t.strictSame(parseClean(undone).gdoiGroups.get('G')?.server, defaultServer(2), 'no brings every default back');
  t.equal(parseClean(`${text}\n no server local`).gdoiGroups.get('G')?.server, null);
  t.end();
});

t.test('a key server: what is not by default', (t) => {
  const text = (line: string) => `crypto gdoi group G\n server local\n  ${line}`;
  const serverOf = (line: string) => parseClean(text(line)).gdoiGroups.get('G')?.server;
  for (const [line, field, value] of [
    ['group size small 8', 'senderIdBits', 8],
    ['group size small 12', 'senderIdBits', 12],
    ['group size small 16', 'senderIdBits', 16],
    ['group size large', 'senderIdBits', 32],
    ['rekey signature-encoding raw-hash', 'rekeySignatureEncoding', 'raw'],
    ['rekey deactivation-delay 45', 'rekeyDeactivationSeconds', 45],
  ] as const) {
    t.equal(serverOf(line)?.[field], value, line);
    t.strictSame(reprint(text(line)).join('\n'), text(line));
    const undo = line.startsWith('group') ? 'no group size' : `no ${line.split(' ').slice(0, 2).join(' ')}`;
    t.strictSame(parseClean(`${text(line)}\n  ${undo}`).gdoiGroups.get('G')?.server, defaultServer(2), undo);
  }
  t.equal(serverOf('group size small')?.senderIdBits, 8);
  for (const plain of ['group size medium', 'rekey signature-encoding digest-info']) t.strictSame(serverOf(plain), defaultServer(2), plain);
  for (const line of ['group size tiny', 'group size small 24', 'rekey deactivation-delay 9', 'rekey signature-encoding pss'])
    t.match(listProblems(text(line)), [/^3 error/], line);
  t.end();
});

t.test('what a key server does not take is refused on its line', (t) => {
  for (const [line, message] of [
    ['rekey acknowledgement cisco', /unpublished/],
    ['rekey address ipv6 ACL', /Invalid/],
    ['rekey address ipv4', /Incomplete/],
    ['rekey transport multicast', /Invalid/],
    ['rekey algorithm aes', /Incomplete/],
    ['rekey algorithm blowfish', /Invalid/],
    ['rekey lifetime seconds 59', /Invalid/],
    ['rekey lifetime seconds 86401', /Invalid/],
    ['rekey lifetime days 2', /not supported yet/],
    ['rekey retransmit 9 number 1', /Invalid/],
    ['rekey retransmit 10 number 11', /Invalid/],
    ['rekey retransmit 10 periodic', /not supported yet/],
    ['rekey authentication mypubkey dsa K', /Invalid/],
    ['rekey foo', /Invalid/],
    ['authorization address ipv6 A', /Invalid/],
    ['authorization identity', /Incomplete/],
    ['redundancy', /not supported yet/],
    ['sa ipsec 0', /Invalid/],
    ['address ipv4 1.2.3', /Invalid/],
  ] as const) {
    t.match(listProblems(`crypto gdoi group G\n server local\n  ${line}`), [new RegExp(`^3 error .*${message.source}`)], line);
  }
  for (const [line, message] of [
    ['replay time window-size 101', /Invalid/],
    ['replay time window-size 0', /Invalid/],
    ['replay time', /Incomplete/],
    ['replay counter window-size 65', /Invalid/],
    ['replay counter window-size 2048', /Invalid/],
    ['match address A', /Invalid/],
    ['match address ipv6 A', /Invalid/],
    ['tag cts sgt', /not supported/],
    ['udp-encapsulation 4500', /Invalid/],
  ] as const) {
    t.match(
      listProblems(`crypto gdoi group G\n server local\n  sa ipsec 1\n   ${line}`),
      [new RegExp(`^4 error .*${message.source}`)],
      line,
    );
  }
  t.end();
});

t.test('crypto maps', (t) => {
  const config = parseClean('crypto map M 20 gdoi\n set group G\ncrypto map M 10 gdoi\n set group H\n match address A\n no match address');
  t.strictSame(config.cryptoMaps.get('M'), [
    { line: 3, name: 'M', sequence: 10, kind: 'gdoi', group: 'H', matchAddress: null },
    { line: 1, name: 'M', sequence: 20, kind: 'gdoi', group: 'G', matchAddress: null },
  ]);
  t.equal(parseClean('crypto map M 1 gdoi\n set group G\n no set group').cryptoMaps.get('M')?.[0].group, null);
  t.equal(parseClean('crypto map M 1 gdoi\ncrypto map M 2 gdoi\nno crypto map M 1').cryptoMaps.get('M')?.length, 1);
  t.equal(parseClean('crypto map M 1 gdoi\ncrypto map M 2 gdoi\nno crypto map M').cryptoMaps.size, 0);
  t.equal(parseClean('crypto map M 1 gdoi\nno crypto map M 1 gdoi').cryptoMaps.size, 0);
  for (const [line, message] of [
    ['crypto map M 10 ipsec-manual', /not supported/],
    ['crypto map M 10 ipsec-isakmp dynamic D discover', /not supported/],
    ['crypto map M 0 gdoi', /Invalid/],
    ['crypto map M 10', /Incomplete/],
  ] as const) {
    t.match(listProblems(line), [new RegExp(`^1 error .*${message.source}`)], line);
  }
  t.match(listProblems('crypto map M 1 gdoi\n set peer 1.1.1.1'), [/^2 error/]);
  t.match(listProblems('no crypto map M'), [/^1 warning/]);
  t.end();
});

t.test('fail-close of a crypto map', (t) => {
  const config = parseClean('crypto map M gdoi fail-close\n match address A\n activate\ncrypto map M 10 gdoi\n set group G');
  t.strictSame([...config.failClose], [['M', { line: 1, name: 'M', matchAddress: 'A', activated: true }]]);
  t.equal(config.cryptoMaps.get('M')?.length, 1, 'it is no entry');
  const again = parseClean(
    'crypto map M gkm fail-close\n activate\n match address A\ncrypto map M gdoi fail-close\n no activate\n no match address',
  );
  t.strictSame([...again.failClose.values()], [{ line: 1, name: 'M', matchAddress: null, activated: false }]);
  t.equal(parseClean('crypto map M gdoi fail-close\nno crypto map M gdoi fail-close').failClose.size, 0);
  t.equal(parseClean('crypto map M gdoi fail-close\ncrypto map M 1 gdoi\nno crypto map M').failClose.size, 0, 'it goes with its map');
  t.equal(parseClean('crypto map M gdoi fail-close\ncrypto map M 1 gdoi\nno crypto map M 1').failClose.size, 1);
  t.match(listProblems('no crypto map M gdoi fail-close'), [/^1 warning .*nothing to remove/]);
  t.match(listProblems('crypto map M gdoi fail-close\n match address'), [/^2 error .*Incomplete/]);
  t.match(listProblems('crypto map M gdoi fail-close\n activate now'), [/^2 error/]);
  t.end();
});

t.test('crypto identity', (t) => {
  const config = parseClean('crypto identity I\n fqdn Example.NET\n fqdn r1.example.org\n no fqdn r1.example.org\n fqdn example.net');
  t.strictSame([...config.identities.values()], [{ line: 1, name: 'I', fqdns: ['example.net'], dns: [] }]);
  t.equal(parseClean('crypto identity I\n fqdn a\nno crypto identity I').identities.size, 0);
  t.strictSame(parseClean('crypto identity I\n dn cn=r1, o="Lab, Inc"\n dn ou=x\n no dn OU=x').identities.get('I')?.dns, [
    'CN=r1,O="Lab, Inc"',
  ]);
  t.match(listProblems('crypto identity I\n dn x=y'), [/^2 error .*not an attribute/]);
  t.match(listProblems('no crypto identity I'), [/^1 warning/]);
  t.end();
});
