import t from 'tap';
import { diffConfig } from '../../../../control/config/diff.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { seedKeyServer, seedMember } from './texts.js';

const changed = (before: string, after: string): string[] => [...diffConfig(parseConfig(before).config, parseConfig(after).config)];

t.test('only what means something else has changed', (t) => {
  t.strictSame(changed(seedMember, `! comment\n\n${seedMember}`), [], 'not line numbers');
  t.strictSame(changed(seedMember, `${seedMember}router ospf 1\n`), [], 'not unknown lines');
  t.strictSame(changed(seedKeyServer, seedKeyServer.replace('encr 3des', 'encryption 3des')), []);
  t.strictSame(changed(seedMember, seedMember.replace('R2-KEY', 'OTHER')), ['isakmp'], 'a key alone');
  t.strictSame(changed(seedMember, seedMember.replace('number 777', 'number 778')), ['gdoi']);
  t.strictSame(changed(seedMember, `${seedMember}interface eth0\n`), ['interface']);
  t.strictSame(changed(seedMember, `${seedMember}ip route 1.0.0.0 255.0.0.0 172.16.2.1\n`), ['route']);
  t.strictSame(changed(seedMember, seedMember.replace('MAP 100 gdoi', 'MAP 101 gdoi')), ['crypto-map']);
  t.strictSame(changed(seedMember, seedMember.replace('hostname R2', 'hostname R3')), ['general']);
  t.strictSame(changed(seedKeyServer, seedKeyServer.replace('example.com', 'example.net')), ['domain']);
  t.strictSame(changed(seedKeyServer, seedKeyServer.replace('deny tcp any host 10.0.1.179', 'deny tcp any any')), ['access-list']);
  t.strictSame(changed(seedKeyServer, seedKeyServer.replace('esp-sha-hmac', 'esp-sha256-hmac')), ['ipsec']);
  t.strictSame(changed('', seedKeyServer), ['domain', 'isakmp', 'ipsec', 'gdoi', 'interface', 'access-list']);
  t.end();
});
