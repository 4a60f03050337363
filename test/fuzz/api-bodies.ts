// Bodies of the control socket's requests, and what control makes of them: an exec line, a line of an edit, a configuration to compare with. A
// body is refused with its form in words, or carried out; the running configuration always verifies and never holds a broken line.

import { RequestError, readEditBody, readExecBody, readFileBody } from '../../control/api/bodies.js';
import { parseExec } from '../../control/config/exec.js';
import type { Config } from '../../control/config/model.js';
import { parseConfig } from '../../control/config/parse.js';
import { printConfig } from '../../control/config/print.js';
import { verifyConfig } from '../../control/config/verify.js';
import { ConfigEditor } from '../../control/config-editor.js';
import { Lifecycle } from '../../control/lifecycle.js';

const base = 'hostname R1\ninterface eth0\n ip address 10.0.0.1 255.255.255.0\nip access-list extended A\n 10 permit ip any any\n';

function router() {
  let config: Config = parseConfig(base).config;
  const current = (): Config => config;
  const apply = (next: Config): string[] => {
    config = next;
    return [];
  };
  const editor = new ConfigEditor({ current, problems: verifyConfig, apply, exec: () => '' });
  const none = { load: () => null, save: () => undefined, remove: () => undefined };
  const lifecycle = new Lifecycle(
    {
      log: { write: () => undefined },
      store: none,
      run: 'run',
      current,
      conflicts: () => [],
      apply,
      withoutKey: () => [],
      readStartup: () => base,
      writeStartup: () => undefined,
    },
    editor,
  );
  return { editor, lifecycle, current };
}

function check(config: Config): void {
  const text = printConfig(config, { secrets: true });
  const again = parseConfig(text);
  const bad = [...again.problems, ...verifyConfig(again.config)].find(({ severity }) => severity === 'error');
  if (bad) throw new Error(`in force, but: ${JSON.stringify(bad)}`);
  if (printConfig(again.config, { secrets: true }) !== text) throw new Error('in force, but printed and read it is another one');
}

/** @param bytes the body, for each of the three resources that take one */
export function fuzz(bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes);
  const { editor, lifecycle, current } = router();
  const carryOut = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.status !== 400 || /\n/.test(error.message)) throw new Error(`answered ${error.status} ${error.message}`);
    }
  };
  carryOut(() => void lifecycle.run(parseExec(readExecBody(text)), null, 0));
  carryOut(() => {
    const { session, line } = readEditBody(text);
    if (line === null) editor.open(session, 0);
    // More than one line in one body: each as a body of its own.
    else for (const one of line.split('\r')) editor.edit(session, one, 0);
  });
  carryOut(() => {
    const { line, text: file } = readFileBody(text);
    lifecycle.run(parseExec(line), file, 0);
  });
  check(current());
}

export const seeds: readonly Uint8Array[] = [
  { line: 'reload check startup-config' },
  { line: 'configure replace startup-config time 1' },
  { session: '12345678', line: 'hostname R2' },
  { session: '12345678', line: null },
  { session: '12345678', line: 'interface eth0\rip address 10.0.0.2 255.0.0.0\rshutdown\rexit\rno interface eth0' },
  { session: '12345678', line: 'ip access-list extended A\rno 10\rpermit udp any any eq 5\rdeny object-group X any' },
  { session: '12345678', line: 'banner motd #a\nb#\rcrypto gdoi group G\ridentity number 5\rhostname R9' },
  { line: 'configure replace f', text: base },
  { line: 'reload check f', text: 'hostname R2\nrouter ospf 1\n network x\ncrypto key generate rsa\nhotsname R2\n' },
].map((body) => new TextEncoder().encode(JSON.stringify(body)));
