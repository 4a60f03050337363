// An operator's tools against a live router: netmiko's cisco_ios driver over sshd configures a member from nothing, saves and reads back.
// Then the same router on a pseudo-terminal and through a pipe.
//
//   h1 -- r1 (begins with a host name) --- core --- r2 -- h2        netmiko -> sshd -> groupwire shell on r1; h1 -> h2 :: ping
//                                            \--- r4

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Lab, repoRoot } from '../support/lab.js';
import { mustAnswer } from '../support/losses.js';
import { runChecked, until } from '../support/netns.js';

const script = `
import sys, netmiko
port, key, configuration = sys.argv[1:4]
net = netmiko.ConnectHandler(device_type='cisco_ios', host='127.0.0.1', port=int(port), username='root', use_keys=True, key_file=key, fast_cli=True)
print('PROMPT', net.find_prompt())
net.enable()
print('PROMPT', net.find_prompt())
lines = [line for line in open(configuration).read().splitlines() if line.strip() not in ('!', 'end') and not line.startswith('!')]
output = net.send_config_set(lines)
assert '% ' not in output, output
print('PROMPT', net.find_prompt())
net.set_base_prompt()
print('SAVE', net.save_config())
print('SHOW', net.send_command('show startup-config'))
print('COUNT', net.send_command('show running-config | count ^interface'))
print('ERROR', net.send_command('show nonsense'))
print('HISTORY', net.send_command('show history'))
net.disconnect()
`;

const onTerminal = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
def until(text):
    seen = b''
    while text not in seen:
        seen += os.read(fd, 65536)
    return seen
until(b'>'); os.write(fd, b'ena\\t\\r'); until(b'#')
os.write(fd, b'show ver?'); print(until(b'\\r\\n\\r\\nR1#show ver').decode())
os.write(fd, b'sion\\x1b[D\\x1b[C\\r'); print(until(b'#').decode())
os.write(fd, b'show tech-support\\r'); print(until(b'--More--').decode()); os.write(fd, b'q'); until(b'#')
os.write(fd, b'exit\\r')
print('STATUS', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

t.test('netmiko, a pseudo-terminal, a pipe', async (t) => {
  let member = '';
  const lab = await Lab.up({
    start: ['r2', 'r4'],
    edit: (router, text) => {
      if (router === 'r1') member = text;
      return router === 'r1' ? 'hostname Router\n' : text;
    },
  });
  t.teardown(() => lab.down());
  await lab.start('r1');
  await lab.answers('r1');

  const at = (name: string): string => join(lab.directory, name);
  for (const name of ['host', 'user']) await runChecked(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  const groupwire = `${join(repoRoot, 'cli/groupwire')} --runtime /run/groupwire-lab/${lab.name}/r1.runtime`;
  writeFileSync(at('member.cfg'), member);
  writeFileSync(
    at('sshd'),
    `Port 2222\nListenAddress 127.0.0.1\nHostKey ${at('host')}\nAuthorizedKeysFile ${at('user.pub')}\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\nForceCommand ${groupwire} shell\n`,
  );
  chmodSync(at('user'), 0o600);
  await runChecked(['mkdir', '-p', '/run/sshd']);
  const sshd = lab.spawn('r1', ['/usr/sbin/sshd', '-D', '-e', '-f', at('sshd')]);
  await sshd.says(/listening on 127/);
  const answer = await lab.run('r1', ['/usr/bin/python3', '-c', script, '2222', at('user'), at('member.cfg')]);
  t.equal(answer.status, 0, answer.stderr);
  t.strictSame(
    [...answer.stdout.matchAll(/^PROMPT (.*)$/gm)].map(([, prompt]) => prompt),
    ['Router>', 'Router#', 'R1#'],
  );
  t.match(answer.stdout, /^SAVE [\s\S]*\[OK\]/m);
  t.match(answer.stdout, /^SHOW Using \d+ bytes\nhostname R1\n[\s\S]*crypto isakmp key <removed> address 172\.16\.4\.2/m);
  t.match(answer.stdout, /^COUNT Number of lines which match regexp = 2$/m);
  t.match(answer.stdout, /^ERROR +\^\n% Invalid input detected at '\^' marker\.$/m);
  t.notMatch(answer.stdout, /R1-KEY/, 'no secret is told');
  await lab.ready('r1');
  await mustAnswer(lab, 'h1', '10.0.2.10');
  t.match(readFileSync(`/run/groupwire-lab/${lab.name}/configs/r1.cfg`, 'utf8'), /R1-KEY[\s\S]*set group GDOI-GROUP/, 'saved');
  t.match(await lab.groupwire('r1', 'exec', 'show archive config differences'), /No changes were found/);

  const terminal = await lab.run('r1', ['/usr/bin/python3', '-c', onTerminal, ...groupwire.split(' '), 'shell']);
  t.match(terminal.stdout, /version\r\n\r\nR1#show ver/, '? without Enter');
  t.match(terminal.stdout, /R1 uptime is/);
  t.match(terminal.stdout, /--More--[\s\S]*STATUS 0/);
  t.equal(
    await lab.sh('r1', `printf 'enable\nconf t\nhostname R7\nend\nshow clo | count UTC\n' | ${groupwire} shell`),
    'R1>enable\nR1#conf t\nEnter configuration commands, one per line.  End with CNTL/Z.\nR1(config)#hostname R7\nR7(config)#end\nR7#show clo | count UTC\nNumber of lines which match regexp = 1\nR7#\n',
  );
  t.match(await lab.groupwire('r1', 'exec', 'show archive config differences'), /-hostname R1\n\+hostname R7\n/);
  process.kill(lab.pidOf('r1', 'control'), 'SIGKILL');
  await until('control to be back', async () => /R7/.test(await lab.groupwire('r1', 'show', 'version').catch(() => '')));
  t.pass('control went on with what was in force');
});
