// How the running configuration of one router changes, from wherever: SIGHUP, an interactive edit, configure replace. All go one way:
// verified as a whole, then put in force as a difference.

import type { Config } from './config/model.js';
import { verifyConfig } from './config/verify.js';
import { ConfigEditor } from './config-editor.js';
import type { ConfigFile } from './config-file.js';
import { ensureKeyOf, withoutKey } from './exec.js';
import { Lifecycle } from './lifecycle.js';
import type { NatLog } from './nat-log.js';
import type { RsaKeys } from './pki/rsa-keys.js';
import type { Router } from './router.js';
import type { StateFiles } from './run-record.js';
import type { Syslog } from './syslog.js';

export interface ConfigurationMeans {
  router: Router;
  log: Syslog;
  natLog: NatLog;
  rsaKeys: RsaKeys;
  store: StateFiles;
  file: ConfigFile;
  /** Names this run of the router (run-record.ts). */
  run: string;
  /** Told after something was put in force. */
  changed(): void;
}

export interface Configuration {
  editor: ConfigEditor;
  lifecycle: Lifecycle;
  /** Reads the startup configuration again. */
  reload(): void;
}

export function makeConfiguration({ router, log, natLog, rsaKeys, store, file, run, changed }: ConfigurationMeans): Configuration {
  const configureLogs = ({ logging, hostname, nat }: Config): void => {
    log.configure(logging, hostname);
    natLog.configure(nat.logging);
  };
  const apply = (config: Config): string[] => {
    const families = router.reconfigure(config, Date.now());
    if (families.length === 0) return families;
    configureLogs(config);
    changed();
    return families;
  };
  const conflicts = (config: Config) => router.gdoi.conflicts(config);
  const editor = new ConfigEditor({
    current: () => router.config,
    problems: (config) => [...verifyConfig(config), ...conflicts(config)],
    apply: (config) => {
      if (apply(config).length > 0) lifecycle.remember(config);
    },
    exec: (line) => {
      const { error, output } = ensureKeyOf(line, router.config, { rsaKeys });
      return error ?? output;
    },
  });
  const lifecycle = new Lifecycle(
    {
      log,
      store,
      run,
      current: () => router.config,
      conflicts,
      apply,
      withoutKey: (lines, config) => withoutKey(lines, config, rsaKeys),
      readStartup: () => file.read(),
      writeStartup: (text) => file.write(text),
    },
    editor,
  );
  const reload = (): void => {
    const next = file.load(conflicts);
    if (!next) {
      log.write('SYS', 3, 'RELOAD', `${file.path} has errors: the running configuration stays`);
      return;
    }
    for (const { line, text } of withoutKey(next.execLines, next.config, rsaKeys)) {
      log.write('PARSER', 4, 'CFGLOG', `${file.path}:${line}: a reload makes no key, and there is none yet: enter ${text}`);
    }
    const families = apply(next.config);
    // A log file that was moved away is opened anew.
    if (families.length === 0) configureLogs(next.config);
    editor.forget();
    lifecycle.forgetRunning();
    const text = families.length > 0 ? `applied ${file.path}: ${families.join(', ')} changed` : `${file.path} has not changed`;
    log.write('SYS', 5, 'RELOAD', text);
  };
  return { editor, lifecycle, reload };
}
