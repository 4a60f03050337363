// Superpackets between addon, twin and kernel on real TUN devices, in a network namespace of its own.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const body = fileURLToPath(new URL('./twin-superpackets-body.js', import.meta.url));
const possible = spawnSync('unshare', ['--net', 'test', '-c', '/dev/net/tun']).status === 0;
const skip = possible ? false : 'needs root, unshare and /dev/net/tun';

t.test('in a namespace', { skip }, async (t) => {
  await t.spawn('unshare', ['--net', process.execPath, body], {}, 'body');
});
