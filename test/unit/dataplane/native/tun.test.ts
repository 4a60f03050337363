// TUN devices of addon and twin, each in a network namespace of its own that ends with the process (unshare).

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const body = fileURLToPath(new URL('./tun-body.js', import.meta.url));
const possible = spawnSync('unshare', ['--net', 'test', '-c', '/dev/net/tun']).status === 0;
const skip = possible ? false : 'needs root, unshare and /dev/net/tun';

for (const [kind, choice] of [
  ['addon', '1'],
  ['twin', '0'],
]) {
  t.test(kind, { skip }, async (t) => {
    await t.spawn('unshare', ['--net', process.execPath, body], { env: { ...process.env, GROUPWIRE_NATIVE: choice } }, kind);
  });
}
