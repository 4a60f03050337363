// The shell as somebody sees it: what is typed on the left, what the screen says. The router behind it is the real edit engine.

import t from 'tap';
import type { ProbeTerminal } from '../../../../cli/probe.js';
import type { ShellMeans } from '../../../../cli/shell/means.js';
import { Shell } from '../../../../cli/shell/shell.js';
import { greetingOf } from '../../../../control/config/commands/banner.js';
import { emptyConfig } from '../../../../control/config/empty.js';
import type { Config } from '../../../../control/config/model.js';
import { printConfig } from '../../../../control/config/print.js';
import { verifyConfig } from '../../../../control/config/verify.js';
import { ConfigEditor } from '../../../../control/config-editor.js';

class Bench {
  screen = '';
  ended = false;
  config: Config = { ...emptyConfig(), hostname: 'R1' };
  readonly ran: string[] = [];
  output = 'output\n';
  readonly editor = new ConfigEditor({
    current: () => this.config,
    problems: verifyConfig,
    apply: (config) => {
      this.config = config;
    },
    exec: (line) => `ran ${line}`,
  });
  readonly shell: Shell;

  constructor(isTerminal = true, length = 24) {
    const means: ShellMeans = {
      hostname: async () => this.config.hostname,
      greeting: async () => ({ hostname: this.config.hostname, banner: greetingOf(this.config) }),
      exec: async (line, running) => {
        this.ran.push(line);
        if (line.startsWith('ping')) return this.ping(running);
        return this.output;
      },
      edit: async (line) => {
        const answer = line === null ? this.editor.open('session', 0) : this.editor.edit('session', line, 0);
        return { ...answer, hostname: this.config.hostname };
      },
      write: (text) => {
        this.screen += text;
      },
      end: () => {
        this.ended = true;
      },
    };
    this.shell = new Shell(means, { isTerminal, length, width: 200 });
  }

  /** Goes on until it is told to end. */
  private async ping({ write, signal }: ProbeTerminal): Promise<string> {
    write('!');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    write('\nSuccess rate\n');
    return '';
  }

  static async start(isTerminal = true, length = 24): Promise<Bench> {
    const bench = new Bench(isTerminal, length);
    await bench.shell.start();
    return bench;
  }

  /** Types, lets the shell do its work. @returns what appeared, as lines on a screen */
  async type(keys: string): Promise<string> {
    const from = this.screen.length;
    this.shell.input(keys);
    for (let i = 0; i < 200; i++) await Promise.resolve();
    return this.screen
      .slice(from)
      .replace(/\x1b\[K/g, '')
      .replace(/\r(?!\n)/g, '')
      .replaceAll('\r\n', '\n');
  }
}

t.test('what runs prints at once; Ctrl-C and Ctrl-Shift-6 end it, and what was typed before them is forgotten', async (t) => {
  for (const key of ['\x03', '\x1e']) {
    const bench = await Bench.start();
    await bench.type('en\r');
    t.equal(await bench.type('ping 10.0.0.1\r'), 'ping 10.0.0.1\n!');
    t.equal(await bench.type('sh ver\r'), '', 'waits');
    t.equal(await bench.type(`${key}sh clock\r`), '\nSuccess rate\nR1#sh clock\noutput\nR1#');
    t.strictSame(bench.ran, ['ping 10.0.0.1', 'sh clock']);
  }
});

t.test('ping alone asks; a wrong answer is asked for again, Ctrl-C ends it', async (t) => {
  const bench = await Bench.start();
  await bench.type('en\r');
  t.equal(await bench.type('ping\r'), 'ping\nProtocol [ip]: ');
  t.match(await bench.type('\r10.0.0.999\r'), /Target IP address: 10\.0\.0\.999\n% Bad IP address\nTarget IP address: $/);
  t.match(await bench.type('10.0.0.9\r3\r1400\r1\rn\r'), /Repeat count \[5\]: 3\n.*!$/s);
  t.strictSame(bench.ran, ['ping 10.0.0.9 repeat 3 timeout 1 size 1400']);
  await bench.type('\x03');
  t.match(await bench.type('ping\r\x03'), /% ping: ended by the operator\nR1#$/);
  const piped = await Bench.start(false);
  t.match(await piped.type('enable\nping\nip\n10.0.0.9\n\n\n\nn\n'), /Target IP address: 10\.0\.0\.9\n/);
  t.strictSame(piped.ran, ['ping 10.0.0.9 repeat 5 timeout 2 size 100']);
  const cut = await Bench.start(false);
  await cut.type('enable\nping\nip\n');
  cut.shell.endOfInput();
  await cut.type('');
  t.match(cut.screen, /% ping: ended by the operator/);
  t.ok(cut.ended);
});

t.test('modes and prompts', async (t) => {
  const bench = await Bench.start();
  t.match(bench.screen, /R1>/);
  t.equal(await bench.type('en\r'), 'en\nR1#');
  t.equal(await bench.type('conf t\r'), 'conf t\nEnter configuration commands, one per line.  End with CNTL/Z.\nR1(config)#');
  t.equal(await bench.type('int lo0\r'), 'int lo0\nR1(config-if)#');
  t.equal(await bench.type('ip add 10.0.0.1 255.255.255.255\r'), 'ip add 10.0.0.1 255.255.255.255\nR1(config-if)#');
  t.match(
    printConfig(bench.config, { secrets: true }),
    /interface Loopback0\n ip address 10\.0\.0\.1 255\.255\.255\.255\n/,
    'in force at once',
  );
  t.equal(await bench.type('ip access-list ext A\r'), 'ip access-list ext A\nR1(config-ext-nacl)#', 'a line of an outer mode');
  t.equal(await bench.type('exit\r'), 'exit\nR1(config)#');
  t.equal(await bench.type('hostname R9\r'), 'hostname R9\nR9(config)#');
  t.equal(await bench.type('do show clock\r'), 'do show clock\noutput\nR9(config)#');
  t.strictSame(bench.ran, ['show clock']);
  t.equal(await bench.type('\x1a'), '^Z\nR9#');
  t.equal(await bench.type('disable\r'), 'disable\nR9>');
  t.match(await bench.type('conf t\r'), /% Invalid input detected at '\^' marker\.\n\nR9>$/, 'user mode changes nothing');
  t.match(await bench.type('show running-config\r'), /% Invalid input/);
  await bench.type('exit\r');
  t.ok(bench.ended);
});

t.test('errors point at the word', async (t) => {
  const bench = await Bench.start();
  await bench.type('enable\r');
  t.equal(await bench.type('show nonsense\r'), "show nonsense\n        ^\n% Invalid input detected at '^' marker.\n\nR1#");
  t.equal(await bench.type('show\r'), 'show\n% Incomplete command.\nR1#');
  t.equal(await bench.type('cl\r'), 'cl\n% Incomplete command.\nR1#');
  t.equal(await bench.type('show c\r'), 'show c\n% Ambiguous command:  "show c"\nR1#');
  await bench.type('configure terminal\rinterface Loopback0\r');
  const before = printConfig(bench.config, { secrets: true });
  t.match(
    await bench.type('ip address 10.0.0.1 255.0.255.0\r'),
    /^ip address 10\.0\.0\.1 255\.0\.255\.0\n *\^?\n?% .*\n\nR1\(config-if\)#$/,
  );
  t.equal(await bench.type('nonsense\r'), "nonsense\n              ^\n% Invalid input detected at '^' marker.\n\nR1(config-if)#");
  t.equal(printConfig(bench.config, { secrets: true }), before, 'what is refused changes nothing');
  t.match(await bench.type('do show nonsense\r'), /\n {14}.{8}\^\n% Invalid input/, 'behind do the marker is under the word too');
});

t.test('? and Tab', async (t) => {
  const bench = await Bench.start();
  await bench.type('enable\r');
  t.equal(await bench.type('show ver?'), 'show ver?\nversion\n\nR1#show ver');
  t.equal(await bench.type('\x15show version ?'), 'R1#show version ?\n  <cr>\n\nR1#show version ');
  t.equal(await bench.type('\x15sh\t'), 'R1#sh\nR1#show ');
  t.match(await bench.type('run | ?'), /begin +Begin with the line that matches\n.*count/s);
  t.match(await bench.type('\x15show run | x?'), /\n% Unrecognized command\n/);
  await bench.type('\x15conf t\r');
  t.match(await bench.type('?'), /\n {2}do +To run exec commands in config mode\n/);
  t.match(await bench.type('do show ver?'), /version\n\nR1\(config\)#do show ver$/);
});

t.test('lines wait until their thing is complete', async (t) => {
  const bench = await Bench.start();
  await bench.type('enable\rconf t\rcrypto isakmp policy 1\rauthentication pre-share\rgroup 14\rexit\r');
  await bench.type('crypto isakmp key KEY address 192.0.2.1\rcrypto gdoi group G\r');
  t.equal(bench.config.gdoiGroups.size, 0, 'a group without identity and server is not in force');
  const told = await bench.type('end\r');
  t.match(told, /% Not in force yet/);
  t.match(await bench.type('conf t\r'), /% Not in force yet/, 'and goes on later');
  await bench.type('crypto gdoi group G\ridentity number 7\rserver address ipv4 192.0.2.1\r');
  t.ok(bench.config.gdoiGroups.get('G')?.identity, 'complete: in force');
  t.notMatch(await bench.type('end\r'), /Not in force/);
});

t.test('a banner over several lines, and who comes in sees it', async (t) => {
  const bench = await Bench.start();
  await bench.type('enable\rconf t\r');
  t.equal(
    await bench.type('bann motd #\r'),
    "bann motd #\nEnter TEXT message.  End with the character '#'.\n",
    'no prompt in front of the text',
  );
  t.equal(await bench.type('  Is this $(hostname)?\r\r! no entry'), '  Is this $(hostname)?\n\n! no entry', '? and ! are text');
  t.equal(await bench.type('# ignored\r'), '# ignored\nR1(config)#');
  t.match(printConfig(bench.config, { secrets: true }), /\nbanner motd \^C\n {2}Is this \$\(hostname\)\?\n\n! no entry\^C\n/);
  const piped = new Bench(false);
  piped.config = bench.config;
  await piped.shell.start();
  t.equal(piped.screen, '\r\n  Is this R1?\r\n\r\n! no entry\r\nR1>');
  await piped.type('enable\nconf t\nbanner exec ^C\nsecond\n^C\nno banner motd\nend\n');
  t.match(printConfig(piped.config, { secrets: true }), /\nbanner exec \^C\nsecond\n\^C\n/);
  t.notMatch(printConfig(piped.config, { secrets: true }), /motd/);

  await bench.type('banner login %\rhalf of it');
  t.match(await bench.type('\x03'), /% banner: ended by the operator\nR1\(config\)#$/, 'Ctrl-C gives it up');
  t.strictSame(Object.keys(bench.config.banners ?? {}), ['motd']);
  t.match(await bench.type('banner login %\r\x1b[31m%\r'), /R1\(config\)#$/, 'an escape sequence types nothing');
  t.match(await bench.type(`banner login %\r${'x'.repeat(4000)}\ry\r`), /more than 4000/);
  t.equal(await bench.type('do show clock\r'), 'do show clock\noutput\nR1(config)#');
});

t.test('a line with a line end in it is refused', async (t) => {
  const bench = await Bench.start();
  const { error } = bench.editor.edit('session', 'interface Loopback0\n shutdown', 0);
  t.equal(error, '% One line at a time');
  t.equal(bench.editor.edit('session', 'hostname R\x07', 0).error, '% control character 0x07');
  t.equal(bench.config.hostname, 'R1');
});

t.test('history keeps no secret', async (t) => {
  const bench = await Bench.start();
  await bench.type('enable\rconf t\rcrypto isakmp key HIDDEN address 192.0.2.1\rend\r');
  const history = await bench.type('show history\r');
  t.match(history, /crypto isakmp key <removed> address 192\.0\.2\.1/);
  t.notMatch(history, /HIDDEN/);
  t.notMatch(await bench.type('\x10\x10\x10\x10\x10\x10'), /HIDDEN|removed/, 'and does not bring it back');
});

t.test('--More--', async (t) => {
  const bench = await Bench.start(true, 5);
  bench.output = Array.from({ length: 12 }, (_, i) => `line ${i}\n`).join('');
  t.equal(await bench.type('show clock\r'), 'show clock\nline 0\nline 1\nline 2\nline 3\n --More-- ');
  t.match(await bench.type(' '), /line 4\nline 5\nline 6\nline 7\n --More-- $/);
  t.match(await bench.type('\r'), /line 8\n --More-- $/);
  t.match(await bench.type('q'), /R1>$/);
  await bench.type('terminal length 0\r');
  t.match(await bench.type('show clock\r'), /line 11\nR1>$/, 'without pausing');
});

t.test('piped input', async (t) => {
  const bench = await Bench.start(false);
  bench.shell.input('enable\nconf t\ncrypto isakmp key HIDDEN address 192.0.2.1\nend\nshow clo');
  bench.shell.input('ck\nshow version');
  bench.shell.endOfInput();
  for (let i = 0; i < 500; i++) await Promise.resolve();
  t.ok(bench.ended);
  t.strictSame(bench.ran, ['show clock', 'show version'], 'the last line needs no end');
  t.notMatch(bench.screen, /HIDDEN/);
  t.match(bench.screen, /R1#show clock\r\noutput\r\nR1#/);
  t.equal(bench.config.isakmpKeys.length, 1);
});
