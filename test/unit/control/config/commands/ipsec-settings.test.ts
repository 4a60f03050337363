import t from 'tap';
import { Allocation } from '../../../../../control/compile/allocation.js';
import { compileTables } from '../../../../../control/compile/tables.js';
import { checkConfig } from '../../../../../control/config/check.js';
import { defaultIpsec } from '../../../../../control/config/empty.js';
import { configuredPolicies } from '../../../../../control/ipsec/configured-policies.js';
import { type FlowPolicy, permittedSelectors, policyKey } from '../../../../../control/ipsec/flow-policy.js';
import { SaPairs } from '../../../../../control/ipsec/sa-pairs.js';
import { Sa } from '../../../../../dataplane/tables/layout.js';
import { listProblems, parseClean, reprint } from '../texts.js';

t.test('what is given, and taken back', async (t) => {
  const text = `crypto ipsec security-association lifetime kilobytes 10000
crypto ipsec security-association lifetime seconds 900
crypto ipsec security-association replay window-size 512
`;
  t.same(parseClean(text).ipsec, {
    lifetimeSeconds: 900,
    lifetimeKilobytes: 10_000,
    replayWindow: 512,
    shield: true,
  });
  t.same(reprint(text), text.trim().split('\n'));
  const back = ['lifetime kilobytes', 'lifetime seconds', 'replay window-size'].map(
    (words) => `no crypto ipsec security-association ${words}\n`,
  );
  t.same(parseClean(text + back.join('')).ipsec, defaultIpsec());
  const off = parseClean('crypto ips sec rep dis\ncrypto ips sec life kilo dis').ipsec;
  t.match(off, { replayWindow: 0, lifetimeKilobytes: 'disable' });
});

t.test('single DES: refused unless it is permitted, wherever that is written; never in a group', async (t) => {
  const set = 'crypto ipsec transform-set D esp-des esp-sha-hmac\n';
  const permit = 'crypto engine compliance shield disable\n';
  const problems = (text: string) => checkConfig(text).problems.map(({ severity, line, message }) => [severity, line, message]);
  const text = 'transform set D: single DES can be broken within a day';
  t.strictSame(problems(set), [['error', 1, text]]);
  t.strictSame(problems(set + permit), [['warning', 1, text]]);
  t.strictSame(problems(permit + set), [['warning', 2, text]]);
  t.strictSame(problems(`${permit}no ${permit}${set}`), [['error', 3, text]]);
  t.same(reprint(permit + set), [permit.trim(), set.trim(), ' mode tunnel']);
  const group = `crypto ipsec profile P\n set transform-set D\ncrypto gdoi group G\n identity number 1\n server local\n  sa ipsec 1\n   profile P\n`;
  t.ok(
    problems(permit + set + group).some(
      ([severity, , message]) => severity === 'error' && /not protected by single DES/.test(String(message)),
    ),
  );
});

t.test('esn: in a transform set, as on IOS XE', async (t) => {
  const problems = (text: string) => checkConfig(text).problems.map(({ severity, message }) => `${severity} ${message}`);
  const set = 'crypto ipsec transform-set T esp-gcm 256\n mode tunnel\n esn\n';
  t.same(reprint(set), set.trim().split('\n'));
  t.equal(
    parseClean(`${set}crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac\n`).transformSets.get('T')?.extended,
    true,
    'as the mode, it stays',
  );
  t.equal(parseClean(`${set} no esn\n`).transformSets.get('T')?.extended, undefined);
  t.match(problems(`${set}crypto ipsec security-association replay disable\n`), [/warning .*esn has no effect without a replay window/]);
  const old = set.replace('esp-gcm 256', 'esp-3des esp-sha-hmac');
  t.match(problems(old), [/3DES is deprecated/, /IOS XE has no esn with DES and 3DES/]);
  const group =
    'crypto ipsec profile P\n set transform-set T\ncrypto gdoi group G\n identity number 1\n server local\n  sa ipsec 1\n   profile P\n';
  t.ok(problems(set + group).some((problem) => /error .*a group has no extended sequence numbers/.test(problem)));
});

t.test('df-bit and fragmentation, for all and for one', async (t) => {
  const text = `crypto ipsec df-bit clear
crypto ipsec fragmentation after-encryption
interface eth0
 crypto ipsec df-bit set
 crypto ipsec fragmentation before-encryption
interface eth1
`;
  t.same(reprint(text), text.trim().split('\n'));
  const rows = (lines: string) => {
    const { interfaces } = compileTables(parseClean(lines), new Map(), new Allocation(), 1, 0, new SaPairs()).head;
    return interfaces.map(({ dfBit, cutSealed }) => [dfBit, cutSealed]);
  };
  t.strictSame(rows(text), [
    ['set', false],
    ['clear', true],
  ]);
  const back =
    'exit\nno crypto ipsec df-bit\nno crypto ipsec fragmentation\ninterface eth0\n no crypto ipsec df-bit set\n no crypto ipsec fragmentation\n';
  t.strictSame(rows(text + back), [
    ['copy', false],
    ['copy', false],
  ]);
});

t.test('what is not taken', async (t) => {
  for (const [line, message] of [
    ['security-association replay window-size 100', /Invalid/],
    ['security-association lifetime seconds 19', /Invalid/],
    ['security-association lifetime kilobytes 100', /Invalid/],
    ['security-association idle-time 60', /not supported yet/],
    ['security-association multi-sn', /not supported/],
    ['security-association esn', /a matter of the transform set/],
    ['df-bit', /Incomplete/],
    ['fragmentation behind', /Invalid/],
  ] as const)
    t.match(listProblems(`crypto ipsec ${line}`), [message], line);
});

t.test('holds where an entry does not say otherwise; the window is in the rows', async (t) => {
  const text = `crypto ipsec security-association lifetime kilobytes disable
crypto ipsec security-association lifetime seconds 900
crypto ipsec security-association replay window-size 1024
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key K address 192.0.2.2
crypto ipsec transform-set T esp-gcm 256
crypto map M 10 ipsec-isakmp
 set peer 192.0.2.2
 set transform-set T
 match address A
crypto map M 20 ipsec-isakmp
 set peer 192.0.2.2
 set security-association lifetime seconds 500
 set security-association lifetime kilobytes 5000
 set transform-set T
 match address B
ip access-list extended A
 permit ip 10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255
ip access-list extended B
 permit ip 10.1.1.0 0.0.0.255 10.2.0.0 0.0.0.255
interface eth0
 ip address 192.0.2.1 255.255.255.0
 crypto map M
`;
  const { config } = checkConfig(text);
  const policies = configuredPolicies(config);
  t.match(policies, [
    { lifetimeSeconds: 900, lifetimeKilobytes: null },
    { lifetimeSeconds: 500, lifetimeKilobytes: 5000 },
  ]);
  const pairs = new SaPairs();
  const [policy] = policies as [FlowPolicy];
  const [selector] = permittedSelectors(policy);
  const key = { encryptionKey: new Uint8Array(32), salt: new Uint8Array(4), integrityKey: new Uint8Array(0) };
  const suite = { encryption: 'esp-gcm-256', authentication: null, mode: 'tunnel', udp: false, group: null } as const;
  const agreed = { initiator: true, inboundSpi: 0x1000, outboundSpi: 0x1001, inbound: key, outbound: key };
  const life = { lifetimeSeconds: 900, lifetimeKilobytes: null };
  const ends = { local: { address: 0xc0000201, port: 500 }, remote: { address: 0xc0000202, port: 500 } };
  const place = { policy: policyKey(policy), ...ends, peer: { local: 0xc0000201, remote: ends.remote, translated: false } };
  pairs.add({ ...agreed, selector, suite: { ...suite, ...life }, ...life }, { ...place, established: true }, 0);
  const words = new Int32Array(compileTables(config, new Map(), new Allocation(), 1, 0, pairs).blobs[2].buffer);
  const windows: number[] = [];
  for (let at = 0; at < words.length; at += Sa.Words) if (words[at + Sa.Serial] !== 0) windows.push(words[at + Sa.ReplayWindow]);
  t.same(windows, [1024, 1024]);
});
