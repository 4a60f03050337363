// What an operator does by exec lines, on real routers: a pending policy and replace-now, removal of a member by rekeying the others, debug,
// a log file and a syslog server.
//
//   h1 -- r1 --- core --- r2 -- h2        h1 -> h2 :: ping, before and after
//                 | \---- r3 -- h3        r3 :: loses its pre-shared key at r4, and with the removal its membership
//   r1 :: ping h2 from its inside address, and the MTU doctor :: encrypted; 1446 with AES-GCM
//                 r4 :: logging to a file and to a syslog server on core (Python)

import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { Lab, substitute } from '../support/lab.js';
import { mustAnswer } from '../support/losses.js';
import { until } from '../support/netns.js';

const receiver = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('172.16.4.1', 5514)); print('ready', flush=True)
while True: print(s.recv(65536).decode('utf-8', 'strict'), flush=True)
`;

interface Member {
  registered: boolean;
  acl: unknown[];
  teks: { spi: number }[];
  succeededRegistrations: number;
}
interface Server {
  policyPending: boolean;
  members: { address: string }[];
}

t.test('replace-now, removal, debug, syslog', async (t) => {
  let file = '';
  const lab = await Lab.up({
    waitSeconds: 0,
    edit: (router, text) =>
      router === 'r4' ? `${text}logging host 172.16.4.1 transport udp port 5514\nlogging file /tmp/replaced-below\n` : text,
    start: [],
  });
  t.teardown(() => lab.down());
  file = `${lab.directory}/r4-syslog.log`;
  lab.configure('r4', (text) => substitute(text, /\/tmp\/replaced-below/, file));
  const syslog = lab.spawn('core', ['/usr/bin/python3', '-c', receiver]);
  await syslog.says(/ready/);
  for (const router of ['r1', 'r2', 'r3', 'r4'] as const) await lab.start(router);
  for (const router of ['r1', 'r2', 'r3', 'r4'] as const) await lab.ready(router);
  const memberOf = async (router: 'r1' | 'r2' | 'r3') =>
    ((await lab.show(router, 'crypto gdoi gm')) as { gdoiMembers: Member[] }).gdoiMembers[0];
  const server = async () => ((await lab.show('r4', 'crypto gdoi ks')) as { gdoiServers: Server[] }).gdoiServers[0];
  const exec = (line: string) => lab.groupwire('r4', 'exec', line);
  const reload = (change: (text: string) => string): void => {
    lab.configure('r4', change);
    lab.reload('r4');
  };
  await mustAnswer(lab, 'h1', '10.0.2.10');
  const sealed = async () => Number(/pkts encaps: ([1-9]\d*)/.exec(await lab.groupwire('r1', 'show', 'crypto', 'ipsec', 'sa'))?.[1] ?? 0);
  const before = await sealed();
  t.match(await lab.groupwire('r1', 'ping', '10.0.2.10', 'source', '10.0.1.1'), /\n!!!!!\nSuccess rate is 100 percent/);
  t.ok((await sealed()) >= before + 5, "the router's own echoes go through the VPN");
  t.match(
    await lab.groupwire('r1', 'mtu', '10.0.2.10', 'source', '10.0.1.1'),
    /^Path MTU to 10\.0\.2\.10: 1446 bytes[\s\S]*\nSent encrypted by group GDOI-GROUP on /,
  );

  t.equal(await exec('debug crypto gdoi ks rekey event'), 'GDOI KS rekey debugging is on, level event\n');
  t.match(await lab.groupwire('r4', 'show', 'debugging'), /GDOI KS rekey debugging is on, level event/);
  const [old] = (await memberOf('r1')).teks;
  reload((text) => substitute(text, / permit ip 10/, ' permit icmp 192.0.2.0 0.0.0.255 any\n permit ip 10'));
  await until('the change to be pending', async () => (await server()).policyPending);
  t.match(lab.log('r4'), /%GDOI-5-POLICY_CHANGE: GDOI group GDOI-GROUP policy has changed/);
  t.equal((await memberOf('r1')).acl.length, 2, 'members have the old one');
  await exec('crypto gdoi ks rekey replace-now');
  for (const router of ['r1', 'r2'] as const) {
    await until(`the new policy at ${router}`, async () => (await memberOf(router)).acl.length === 3);
    await lab.ready(router); // in force: under the old TEK nobody answers any more
  }
  t.notOk(
    (await memberOf('r1')).teks.some(({ spi }) => spi === old.spi),
    'the old TEK is gone',
  );
  await until('acknowledgements', () => /KS:REKEY:EVENT: Rekeys that a member acknowledged/.test(lab.log('r4')));
  t.equal(await exec('undebug all'), 'All possible debugging has been turned off\n');
  await mustAnswer(lab, 'h1', '10.0.2.10');

  reload((text) => substitute(text, /crypto isakmp key R3-KEY .*\n/, ''));
  await lab.logs('r4', /SYS-5-RELOAD: applied .*isakmp/);
  t.match(await exec('clear crypto gdoi ks members now'), /^Sending GM-Removal message to group GDOI-GROUP/);
  // Members go one by one, and come back while others still go.
  for (const router of ['r1', 'r2'] as const)
    await until(`${router} to be back`, async () => (await memberOf(router)).succeededRegistrations === 2);
  await until('r3 to be out', async () => !(await memberOf('r3')).registered);
  t.same((await server()).members.map(({ address }) => address).sort(), ['172.16.1.2', '172.16.2.2']);
  t.match(lab.log('r3'), /%GDOI-4-GM_RECV_DELETE_IMMEDIATE: GM receive REMOVAL-NOW in group GDOI-GROUP/);
  await until('traffic', async () => (await lab.run('h1', ['ping', '-c', '1', '-W', '1', '10.0.2.10'])).status === 0);
  t.equal((await memberOf('r1')).succeededRegistrations, 2);

  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  for (const line of lines) t.match(line, /^<1[89]\d>1 \d{4}-\d\d-\d\dT[\d:.]+Z R4 groupwire \d+ [!-~]{1,32} - %/);
  t.ok(lines.some((line) => line.includes('%GDOI-5-KS_SEND_UNICAST_REKEY: ')));
  await until('the syslog server', () => /%GDOI-5-POLICY_CHANGE/.test(syslog.stdout));
  t.notMatch(syslog.stdout, /-7-DEBUG/, 'trap informational');
  t.match(await lab.groupwire('r4', 'show', 'logging'), /Logging to 172\.16\.4\.1 {2}\(udp port 5514, facility local7\)/);
  writeFileSync(`${lab.directory}/all`, lab.log('r4') + lines.join('\n') + syslog.stdout);
  t.notMatch(readFileSync(`${lab.directory}/all`, 'utf8'), /R[123]-KEY/, 'no secret in any log');
});
