// Superpackets of addon and twin against the kernel, each in a network namespace of its own that ends with the process (unshare).

import { fileURLToPath } from 'node:url';
import t from 'tap';

for (const [kind, choice] of [
  ['addon', '1'],
  ['twin', '0'],
]) {
  for (const body of ['superpacket-body.js', 'stream-body.js']) {
    const path = fileURLToPath(new URL(body, import.meta.url));
    await t.spawn('unshare', ['--net', process.execPath, path], { env: { ...process.env, GROUPWIRE_NATIVE: choice } }, `${kind} ${body}`);
  }
}
