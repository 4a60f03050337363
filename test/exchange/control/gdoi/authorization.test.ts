// Who may register: by address, by IKE identity. Group identities by number and by address.

import forge from 'node-forge';
import t from 'tap';
import { parseDistinguishedName } from '../../../../control/config/distinguished-name.js';
import type { Config, GdoiServer } from '../../../../control/config/model.js';
import { refuseMember } from '../../../../control/gdoi/authorization.js';
import { IdType } from '../../../../control/isakmp/identification.js';
import type { Phase1Sa } from '../../../../control/isakmp/phase1-sa.js';
import { forgeName } from '../../../../control/pki/forge-build.js';
import { ace, memberAddress, memberConfig, Network, serverAddress, serverConfig } from './group-network.js';

function withList(server: Partial<GdoiServer>, permitted = memberAddress(1)): Config {
  const config = serverConfig({ server });
  const entries = [
    ace({ action: 'deny', source: memberAddress(3), sourceWildcard: 0 }),
    ace({ sequence: 20, source: permitted, sourceWildcard: 2 }),
  ];
  config.accessLists.set('10', { line: 1, name: '10', kind: 'standard', entries });
  config.identities.set('I', { line: 1, name: 'I', fqdns: ['example.net'], dns: ['O=Lab,OU=Branches', 'CN=r9'] });
  return config;
}

t.test('an access list of addresses: first match, and its end denies', async (t) => {
  const network = new Network();
  const server = network.add(serverAddress, withList({ authorizationAcl: '10' }));
  server.start();
  const members = [1, 2, 3].map((n) => network.add(memberAddress(n), memberConfig()));
  for (const member of members) member.start();
  network.runFor(30_000);
  t.strictSame(
    members.map(({ registered }) => registered),
    [true, false, false],
    '2 is not in it, 3 is denied in front',
  );
  t.ok(server.count('gdoi_pull_unauthorized') >= 2);
  t.match(server.logged('UNAUTHORIZED_IPADDR')[0], /Group G received registration from unauthorized ip address: 172\.17\.0\.2/);
  t.match(members[1].gdoi.memberGroups()[0].lastFailure, /INVALID-ID-INFORMATION/, 'it is not told why');
  const config = withList({ authorizationAcl: '10' }, memberAddress(2));
  server.perform(server.gdoi.reconfigure(config, network.now));
  network.runFor(300_000);
  t.ok(members[1].registered, 'a change counts from the next registration on');
  t.ok(members[0].registered, 'who is in stays until then');
});

t.test('what is configured and not there lets nobody in', async (t) => {
  for (const server of [{ authorizationAcl: 'X' }, { authorizationIdentity: 'X' }]) {
    const network = new Network();
    network.add(serverAddress, withList(server)).start();
    const member = network.add(memberAddress(1), memberConfig());
    member.start();
    network.runFor(10_000);
    t.notOk(member.registered, JSON.stringify(server));
  }
});

t.test('an identity list: the name itself or one in the domain', async (t) => {
  const config = withList({ authorizationIdentity: 'I' });
  const server = config.gdoiGroups.get('G')?.server as GdoiServer;
  const judge = (type: number, data: string) => {
    const peerId = { type, protocol: 17, port: 848, data: new Uint8Array(Buffer.from(data, 'latin1')) };
    return refuseMember(config, 'G', server, { peerId, remote: { address: memberAddress(1), port: 848 } } as Phase1Sa);
  };
  for (const good of ['r1.example.net', 'EXAMPLE.net', 'a.b.example.net']) t.equal(judge(IdType.Fqdn, good), null, good);
  t.equal(judge(IdType.UserFqdn, 'root@r1.example.net'), null);
  for (const bad of ['badexample.net', 'example.net.evil.org', '', 'example.ne', `${'x'.repeat(300)}.example.net`])
    t.equal(judge(IdType.Fqdn, bad)?.mnemonic, 'UNAUTHORIZED_IDENTITY', bad.slice(0, 30));
  t.equal(judge(IdType.UserFqdn, 'example.net@evil.org')?.mnemonic, 'UNAUTHORIZED_IDENTITY');
  t.equal(judge(IdType.KeyId, 'r1.example.net')?.mnemonic, 'UNAUTHORIZED_IDENTITY', 'not of another type');
  t.match(
    judge(IdType.Fqdn, 'evil\n%GDOI-5-FAKE: x')?.refused,
    /unauthorized identity: evil\?%GDOI-5-FAKE:\?x \(172/,
    'no line of its own in the log',
  );
  t.match(judge(IdType.Ipv4Address, '\x0a\x01\x02\x03')?.refused, /identity: 10\.1\.2\.3/);
});

t.test('an identity list: a distinguished name that has all attributes of one line', async (t) => {
  const config = withList({ authorizationIdentity: 'I' });
  const server = config.gdoiGroups.get('G')?.server as GdoiServer;
  const judge = (data: Uint8Array) => {
    const peerId = { type: IdType.DerDn as number, protocol: 17, port: 848, data };
    return refuseMember(config, 'G', server, { peerId, remote: { address: memberAddress(1), port: 848 } } as Phase1Sa);
  };
  const name = (text: string) => {
    const request = forge.pki.createCertificationRequest();
    request.setSubject(forgeName(parseDistinguishedName(text)));
    return new Uint8Array(Buffer.from(forge.asn1.toDer(forge.pki.distinguishedNameToAsn1(request.subject)).getBytes(), 'latin1'));
  };
  t.equal(judge(name('CN=r1,OU=branches,O=LAB')), null, 'in any order and case, with more');
  t.equal(judge(name('CN=r9')), null);
  for (const other of ['CN=r1,O=Lab', 'CN=r1,OU=Branches', 'CN=r90', 'OU=CN=r9'])
    t.equal(judge(name(other))?.mnemonic, 'UNAUTHORIZED_IDENTITY', other);
  t.match(judge(name('CN=r1,O=Lab'))?.refused, /unauthorized identity: CN=r1,O=Lab \(172/, 'and is told by its name');
  t.match(judge(Uint8Array.of(0x30, 0x80, 1))?.refused, /unauthorized identity: a damaged distinguished name/, 'no DER at all');
});
