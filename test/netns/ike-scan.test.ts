// What a stranger with ike-scan (Debian) learns of a key server: a correct main-mode responder, and nothing about who may speak with it.
//
//   gw 10.9.0.1 --------- ss 10.9.0.2 (has a pre-shared key), 10.9.0.3 (has none)
//
//   ss :: ike-scan, offer that fits              :: main mode handshake, the transform that was offered, on 500 and on 848, DOI 1 and 2
//   ss :: ike-scan, its own default offers       :: NO-PROPOSAL-CHOSEN
//   ss :: ike-scan -A --id=...                   :: no aggressive mode: no answer for any identity, so no hash to crack
//   ss :: ike-scan from 10.9.0.3                 :: no answer: as if nobody were there
//   ss :: the same, with aggressive mode on      :: who has a key of its own is answered; unknown identities are not, so there is no hash

import t from 'tap';
import { run } from '../support/netns.js';
import { gatewayAddress, sharedKeyLine, startResponder, strongswanAddress, twoNodes } from './ike-interop.js';

const policy = ['encr aes 256', 'hash sha256', 'authentication pre-share', 'group 14'];
const fitting = '--trans=(1=7,14=256,2=4,3=1,4=14)';

t.test('a stranger asks', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  await netns.sh('ss', 'ip address add 10.9.0.3/24 dev eth0');
  const router = await startResponder(t, netns, { policy, global: sharedKeyLine });
  const scan = async (...words: string[]): Promise<string> => {
    const argv = ['ip', 'netns', 'exec', netns.of('ss'), 'ike-scan', '--retry=2', '--nodns', ...words, gatewayAddress];
    const { status, stdout, stderr } = await run(argv);
    if (status !== 0) throw new Error(`ike-scan: ${stderr}`);
    return stdout;
  };
  const main = /Main Mode Handshake returned.*SA=\(Enc=AES KeyLength=256 Hash=SHA2-256 Auth=PSK Group=14:modp2048/;
  t.match(await scan(fitting), main, 'UDP 500');
  t.match(await scan(fitting, '--dport=848', '--sport=848'), main, 'UDP 848');
  t.match(await scan(fitting, '--dport=848', '--sport=848', '--doi=2', '--situation=0'), main, 'UDP 848, GDOI’s DOI');
  const refused = await scan();
  t.match(refused, /Notify message 14 \(NO-PROPOSAL-CHOSEN\)/, 'an offer that does not fit');
  t.match(refused, /0 returned handshake; 1 returned notify/, 'no handshake');

  for (const id of ['nobody', 'member1', gatewayAddress]) {
    const answer = await scan('--aggressive', `--id=${id}`, '--dhgroup=14', fitting);
    t.match(answer, /0 returned handshake; 0 returned notify/, `aggressive mode, identity ${id}: silence`);
  }
  t.match(router.log(), /%CRYPTO-5-IKMP_AG_MODE_DISABLED/, 'the operator is told');
  t.match(await scan(fitting, '--sourceip=10.9.0.3'), /0 returned handshake; 0 returned notify/, 'an address without a key: silence');
});

t.test('a stranger asks where aggressive mode is on', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  await netns.sh('ss', 'ip address add 10.9.0.3/24 dev eth0');
  const global = `no crypto isakmp aggressive-mode disable
crypto isakmp key a-shared-key address ${strongswanAddress}
crypto isakmp key for-everybody address 0.0.0.0 0.0.0.0
crypto keyring R
 pre-shared-key hostname member1.example.net key another-key
crypto isakmp profile P
 keyring R
 match identity address 10.9.0.0 255.255.255.0
`;
  await startResponder(t, netns, { policy, global });
  const scan = async (...words: string[]): Promise<string> => {
    const argv = ['ip', 'netns', 'exec', netns.of('ss'), 'ike-scan', '--retry=2', '--nodns', '--aggressive', '--dhgroup=14', ...words];
    const { status, stdout, stderr } = await run([...argv, gatewayAddress]);
    if (status !== 0) throw new Error(`ike-scan: ${stderr}`);
    return stdout;
  };
  const hash =
    /Aggressive Mode Handshake returned.*KeyExchange\(256 bytes\) Nonce\(32 bytes\) ID\(Type=ID_IPV4_ADDR, Value=10\.9\.0\.1\) Hash\(32 bytes\)/;
  const silence = /0 returned handshake; 0 returned notify/;
  t.match(await scan(fitting, '--idtype=2', '--id=member1.example.net'), hash, 'a name that has a key');
  t.match(await scan(fitting, '--idtype=1', '--id=0x0a090002'), hash, 'an address that has a key');
  for (const [type, id, what] of [
    ['2', 'member2.example.net', 'another name'],
    ['2', '', 'no name'],
    ['3', 'root@example.net', 'a user'],
    ['11', 'group', 'a group name'],
    ['1', '0x0a090003', 'another address than its own'],
  ]) {
    t.match(await scan(fitting, `--idtype=${type}`, `--id=${id}`), silence, `${what}: silence`);
  }
  t.match(
    await scan(fitting, '--idtype=1', '--id=0x0a090003', '--sourceip=10.9.0.3'),
    silence,
    'an address that only the wildcard key covers: silence',
  );
  t.match(
    await scan('--idtype=2', '--id=member1.example.net', '--trans=(1=5,2=1,3=1,4=14)'),
    silence,
    'an offer that does not fit: silence',
  );
});
