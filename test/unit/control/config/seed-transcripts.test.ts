// The seed's terminal sessions typed line by line, with the addresses that its text lost. The prompt in front of each line says which
// mode IOS was in, so it is checked too.

import t from 'tap';
import { emptyConfig } from '../../../../control/config/empty.js';
import { parseExec } from '../../../../control/config/exec.js';
import { ConfigReader, parseConfig } from '../../../../control/config/parse.js';
import { printConfig } from '../../../../control/config/print.js';
import { verifyConfig } from '../../../../control/config/verify.js';
import { seedKeyServer, seedMember } from './texts.js';

const memberSession = `R2(config)#crypto isakmp policy 100
R2(config-isakmp)# encr 3des
R2(config-isakmp)# authentication pre-share
R2#show crypto isakmp policy
R2(config)#crypto isakmp key 0 R2-KEY address 172.16.4.2
R2(config)#crypto gdoi group GDOI-GROUP
R2(config-gdoi-group)#identity number 777
R2(config-gdoi-group)#server address ipv4 172.16.4.2
R2(config)#crypto map GETVPN-MAP 100 gdoi
R2(config-crypto-map)#set group GDOI-GROUP
R2(config)#int fa0/0
R2(config-if)#crypto map GETVPN-MAP`;

const keyServerSession = `R4(config)#crypto isakmp policy 100
R4(config-isakmp)# encr 3des
R4(config-isakmp)# authentication pre-share
R4(config)#crypto isakmp key R1-KEY address 172.16.1.2
R4(config)#crypto isakmp key R2-KEY address 172.16.2.2
R4(config)#crypto isakmp key R3-KEY address 172.16.3.2
R4(config)#crypto ipsec transform-set TRANSFORM-SET esp-3des esp-sha-hmac
R4(config)#crypto ipsec profile GETVPN-PROFILE
R4(ipsec-profile)# set transform-set TRANSFORM-SET
R4(config)#crypto key generate rsa general-keys label GETVPN-R4-KS modulus 1024 exportable
R4(config)#crypto gdoi group GDOI-GROUP
R4(config-gdoi-group)#identity number 777
R4(config-gdoi-group)#server local
R4(gdoi-local-server)#rekey authentication mypubkey rsa GETVPN-R4-KS
R4(gdoi-local-server)#address ipv4 172.16.4.2
R4(gdoi-local-server)#rekey retransmit 10 number 3
R4(config)#ip access-list extended CRYPTO-ACL
R4(config-ext-nacl)#deny udp any eq 848 any eq 848
R4(config-ext-nacl)#deny tcp any host 10.0.1.179
R4(config-ext-nacl)#deny tcp any host 10.0.2.179
R4(config-ext-nacl)#permit ip 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255
R4(config-ext-nacl)#crypto gdoi group GDOI-GROUP
R4(config-gdoi-group)#server local
R4(gdoi-local-server)# sa ipsec 1
R4(gdoi-sa-ipsec)#profile GETVPN-PROFILE
R4(gdoi-sa-ipsec)#match address ipv4 CRYPTO-ACL
R4#show crypto gdoi group GDOI-GROUP
R4#show crypto gdoi ks members`;

/** Types a session. Between two prompts of a shallower mode the operator left the deeper one, which the seed does not show. */
function type(t: { ok(value: unknown, message: string): unknown }, session: string) {
  const reader = new ConfigReader(emptyConfig());
  const shown: unknown[] = [];
  session.split('\n').forEach((line, index) => {
    const [prompt, ...rest] = line.split('#');
    const text = rest.join('#').trim();
    const mode = prompt.includes('(') ? prompt.slice(prompt.indexOf('(') + 1, -1) : null;
    if (mode === null) {
      shown.push(parseExec(text));
      return;
    }
    const open = reader.session.frames.map((frame) => frame.mode as string);
    t.ok(open.includes(mode), `"${text}" is typed in ${mode}, open are ${open.join(' > ')}`);
    reader.read({ line: index + 1, indent: 0, text, defect: null });
  });
  return { session: reader.session, shown };
}

t.test('the member', (t) => {
  const { session, shown } = type(t, memberSession);
  t.strictSame(session.problems, []);
  t.strictSame(shown, [{ kind: 'show', pipe: null, topic: 'crypto isakmp policy' }]);
  const wanted = parseConfig(seedMember).config;
  const ours = session.config;
  t.strictSame(
    [...ours.gdoiGroups.values()].map(({ name, identity, serverAddresses }) => ({ name, identity, serverAddresses })),
    [...wanted.gdoiGroups.values()].map(({ name, identity, serverAddresses }) => ({ name, identity, serverAddresses })),
    'the same group as in the file',
  );
  t.equal(ours.interfaces.get('FastEthernet0/0')?.cryptoMap, 'GETVPN-MAP');
  t.end();
});

t.test('the key server: what the session lacks of the listing is what the listing adds', (t) => {
  const { session, shown } = type(t, keyServerSession);
  t.strictSame(
    session.problems.map((problem) => `${problem.line} ${problem.severity} ${problem.message}`),
    ['10 warning an RSA key of 1024 bits is weak'],
  );
  t.strictSame(
    session.execLines.map(({ text }) => parseExec(text)),
    [{ kind: 'crypto key generate rsa', label: 'GETVPN-R4-KS', modulus: 1024, exportable: true }],
  );
  t.strictSame(shown, [
    { kind: 'show', pipe: null, topic: 'crypto gdoi', group: 'GDOI-GROUP', detail: false },
    { kind: 'show', pipe: null, topic: 'crypto gdoi ks members', group: null, member: null },
  ]);
  const errors = verifyConfig(session.config).filter((problem) => problem.severity === 'error');
  t.strictSame(
    errors.map((problem) => problem.message),
    ['multicast rekeys (the default) have no rekey address ipv4'],
    'the session never typed rekey transport unicast; the listing has it',
  );
  const server = session.config.gdoiGroups.get('GDOI-GROUP')?.server;
  if (server) server.rekeyTransport = 'unicast';
  const lines = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('ip domain name') && line !== '!');
  const listing = parseConfig(seedKeyServer).config;
  listing.interfaces.clear();
  t.strictSame(lines(printConfig(session.config, { secrets: true })), lines(printConfig(listing, { secrets: true })));
  t.end();
});

t.test(
  'the seed’s NAT part is taken as it stands; of its QoS part the entry of a site-to-site crypto map belongs to later versions',
  (t) => {
    const text = `ip access-list extended NAT
 permit ip 10.0.1.0 0.0.0.255 any
ip access-list extended VPN
 permit ip 10.0.1.0 0.0.0.255 10.0.0.0 0.0.255.255
route-map NAT deny 10
 match ip address VPN
route-map NAT permit 20
 match ip address NAT
ip nat inside source route-map NAT interface FastEthernet0/0 overload
interface FastEthernet0/0
 ip nat outside
 crypto map MAPA
`;
    const { config, problems } = parseConfig(text);
    t.strictSame(problems, []);
    t.match(config.nat.statements, [{ kind: 'route-map', name: 'NAT', interface: 'FastEthernet0/0' }]);
    t.equal(config.interfaces.get('FastEthernet0/0')?.nat, 'outside');
    t.match(config.routeMaps.get('NAT'), [
      { sequence: 10, action: 'deny', matchAddresses: ['VPN'] },
      { sequence: 20, action: 'permit', matchAddresses: ['NAT'] },
    ]);
    t.strictSame(
      [...config.accessLists.values()].map((list) => list.entries.length),
      [1, 1],
      'the lists took nothing of the route maps',
    );
    t.strictSame(
      parseConfig('int tun 0\n qos pre-classify\ncrypto map MAPA 100 ipsec-isakmp\n qos pre-classify').problems.map(
        ({ line, severity, message }) => [line, severity, message],
      ),
      [],
    );
    t.end();
  },
);
