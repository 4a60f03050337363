// The `groupwire` command. Status 0, or another with one clear line on stderr. Commands that need little load little: the supervisor
// lives as long as the router, so what it loads is memory the router pays for.

import { type CliCommand, parseArguments, UsageError } from './arguments.js';
import { CliError } from './errors.js';

const help = `groupwire: a userspace router that makes a Linux VM a member, or the key server, of a GET VPN

  groupwire run -c FILE [options]              run a router in the foreground; SIGTERM ends it, SIGHUP reloads FILE
      --state DIR            keys and state, default /var/lib/groupwire/NAME
      --metrics ADDR:PORT    Prometheus metrics and status page, default 127.0.0.1:9848; off = none
      --key-log DIR          write the keys of all SAs for Wireshark: for debugging only
      --no-native            use the TypeScript twin of the C addon
      --workers N|auto       forwarding threads, 1 to 16, default 1; auto = one per CPU
      --prepared             without root's rights: what must change is listed for root, on TUNs made in advance
      --dataplane SOCKET     the dataplane is another service's, as with systemd: only control runs here
  groupwire shell                              IOS-like shell; also groupwire alone on a terminal
  groupwire wait-ready [--timeout SECONDS]     wait until everything configured is up and registered, default 30
  groupwire show WORDS [| json | include RE | exclude RE | begin RE | section RE | count RE]
  groupwire packet-tracer input IF PROTOCOL SOURCE [PORT] DESTINATION [PORT] [detailed] [json]   what would become of a packet
  groupwire ping [ADDRESS [repeat N] [size N] [df-bit] [source IF] [sweep MIN MAX STEP] ...]   IOS's ping: size = the whole IP datagram
  groupwire traceroute ADDRESS [source IF] [timeout N] [probe N] [ttl MIN MAX]
  groupwire mtu ADDRESS [source IF] [detail]   the path MTU, where it shrinks, and what to configure
  groupwire export keys wireshark DIR          the keys of all SAs for Wireshark, if the configuration says crypto key export wireshark
  groupwire exec "LINE"                        any exec command
  groupwire check FILE                         report every problem of a configuration file
  groupwire pki WORDS                          a local CA for authentication with certificates; groupwire pki --help
  groupwire version

Of every command but check, version and help:
      --instance NAME        which router, default $GROUPWIRE_INSTANCE or 'default'
      --runtime DIR          sockets and lock, default /run/groupwire/NAME
`;

/** @returns the exit status */
async function runCommand(command: CliCommand): Promise<number> {
  switch (command.name) {
    case 'help':
      process.stdout.write(help);
      return 0;
    case 'version': {
      const { readVersion } = await import('../control/api/version.js');
      process.stdout.write(`groupwire ${readVersion()}\n`);
      return 0;
    }
    case 'check':
      return await check(command.file, process.stdout);
    case 'complete': {
      const { helpFor } = await import('../control/config/help.js');
      const help = helpFor('exec', command.line);
      if ('entries' in help) for (const { token, kind } of help.entries) if (kind === 'keyword') process.stdout.write(`${token}\n`);
      return 0;
    }
    case 'pki': {
      const { runPki } = await import('./pki.js');
      return runPki(command.words);
    }
    case 'run': {
      if ((await check(command.configFile, process.stderr, 'error')) !== 0) return 1; // control logs the warnings
      const { runInstance } = await import('./run.js');
      return await runInstance(command);
    }
    case 'wait-ready': {
      const { waitReady } = await import('./wait-ready.js');
      await waitReady(command.instance, `${command.runDirectory}/control.sock`, command.timeoutSeconds);
      return 0;
    }
    case 'shell': {
      const { runShell } = await import('./shell/terminal.js');
      const { onlyInstance } = await import('./shell/only-instance.js');
      const directory = command.isChosen ? command.runDirectory : onlyInstance(command.runDirectory);
      await runShell(`${directory}/control.sock`);
      return 0;
    }
    case 'exec': {
      const { runOnTerminal } = await import('./exec.js');
      await runOnTerminal(command.line, `${command.runDirectory}/control.sock`);
      return 0;
    }
  }
}

/** Prints every problem. @returns 1 when there is an error among them */
async function check(file: string, out: NodeJS.WriteStream, least: 'error' | 'warning' = 'warning'): Promise<number> {
  const { checkFile, formatProblem } = await import('./check.js');
  const { problems, notes } = checkFile(file);
  for (const problem of problems) if (least === 'warning' || problem.severity === least) out.write(`${formatProblem(file, problem)}\n`);
  if (least === 'warning') for (const note of notes) out.write(`${file}: note: ${note}\n`);
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  if (errors > 0) process.stderr.write(`groupwire: ${file}: ${errors} error${errors === 1 ? '' : 's'}\n`);
  return errors > 0 ? 1 : 0;
}

let supervises = false;

// A reader that has seen enough (`groupwire show ... | head`) is no error; a router goes on without the reader of its log.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!supervises) process.exit(0);
  });
}

try {
  const command = parseArguments(process.argv.slice(2), process.stdin.isTTY === true && process.stdout.isTTY === true);
  supervises = command.name === 'run';
  process.exitCode = await runCommand(command);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`groupwire: ${message.replace(/[\p{Cc}\s]+/gu, ' ').trim()}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
  if (process.env.GROUPWIRE_DEBUG && !(error instanceof UsageError || error instanceof CliError)) throw error;
}
