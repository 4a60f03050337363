// ping, traceroute and the MTU doctor from the cli's end: the events of control become text while they come.

import { runProbe } from '../control/api/probe-client.js';
import type { ProbeEvent } from '../control/api/probe-events.js';
import type { ProbeCommand } from '../control/config/exec-probe.js';
import { CliError } from './errors.js';
import { MtuView } from './mtu.js';
import { PingView } from './ping.js';
import { TracerouteView } from './traceroute.js';

/** Where text goes, and what ends a command (Ctrl-C) that then prints its summary. */
export interface ProbeTerminal {
  write(text: string): void;
  signal: AbortSignal;
}

/** How events look. */
interface View {
  take(event: ProbeEvent): string;
  end(): string;
}

function viewOf(command: ProbeCommand): View {
  switch (command.kind) {
    case 'ping':
      return new PingView(command);
    case 'traceroute':
      return new TracerouteView();
    case 'mtu path':
      return new MtuView(command);
  }
}

/** @param line the command's text @returns when it has ended. @throws ApiError, CliError with IOS's `% ...` line */
export async function runProbeLine(command: ProbeCommand, line: string, socketPath: string, terminal: ProbeTerminal): Promise<void> {
  const view = viewOf(command);
  let failure: string | null = null;
  await runProbe(socketPath, line, terminal.signal, (event) => {
    if (event.kind === 'failed') failure = event.text;
    else terminal.write(view.take(event));
  });
  terminal.write(view.end());
  if (failure !== null) throw new CliError(failure);
}
