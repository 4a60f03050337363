// One exec line, from whoever gave it: the configuration's life, captures and the export of keys answer for themselves, the rest is exec.ts's, with what the dataplane has now.

import type { Captures } from './capture/captures.js';
import type { PacketTraces } from './capture/packet-traces.js';
import type { ClearedCounters } from './cleared-counters.js';
import { parseExec } from './config/exec.js';
import type { DataplaneLink } from './dataplane-link.js';
import { type ExecAnswer, type ExecMeans, runExec } from './exec.js';
import type { KeyExport } from './key-export.js';
import type { Lifecycle } from './lifecycle.js';
import type { Router } from './router.js';
import { dropCells, interfaceStates } from './snapshot/interfaces.js';
import type { Syslog } from './syslog.js';

export interface ExecLineParts extends Pick<ExecMeans, 'rsaKeys' | 'counters'> {
  router: Router;
  link: Pick<DataplaneLink, 'snapshot' | 'natClear'>;
  lifecycle: Pick<Lifecycle, 'run'>;
  captures: Pick<Captures, 'run'>;
  packetTraces: Pick<PacketTraces, 'run'>;
  keyExport: Pick<KeyExport, 'run'>;
  cleared: ClearedCounters;
  log: Syslog;
  /** Told after each line. */
  changed(): void;
}

/** @returns carries a line out. Its parameters: the line, and the text of the file that it names. It throws Error with IOS's `% ...` line */
export function makeExecLine(parts: ExecLineParts): (line: string, text: string | null) => Promise<string> {
  const { router, link, lifecycle, captures, packetTraces, keyExport, cleared, rsaKeys, counters, log, changed } = parts;

  async function withDataplane(line: string): Promise<ExecAnswer> {
    const dataplane = await link.snapshot();
    const clearCounters = () => {
      if (dataplane === null) return false;
      const { config, allocation } = router;
      const cells = dropCells(config, allocation, dataplane);
      cleared.clear(interfaceStates(config, allocation, dataplane), dataplane.drops, cells, Date.now());
      return true;
    };
    const aceHits = dataplane?.aceHits ?? null;
    const means = { rsaKeys, counters, log, logBuffer: log, clearNat: link.natClear.bind(link), aceHits, clearCounters };
    return runExec(line, router, means, Date.now());
  }

  return async (line, text) => {
    const command = parseExec(line);
    const own = lifecycle.run(command, text, Date.now()) ?? keyExport.run(command) ?? captures.run(command) ?? packetTraces.run(command);
    const answer = (await own) ?? (await withDataplane(line));
    changed();
    if (answer.error) throw new Error(answer.error);
    return answer.output;
  };
}
