// Acceptance 7: three members share AES-GCM TEKs; over rekeys, killed processes and restarts of members and key server no IV is used
// twice under one SPI. A second use of one would give the group's key away (RFC 6054 §2).
//
//   h1 -- r1 \
//   h2 -- r2  core (every ESP packet is captured here, on the way in) --- r4 key server
//   h3 -- r3 /

import { readFileSync } from 'node:fs';
import t from 'tap';
import { Lab } from '../support/lab.js';
import { type Background, until } from '../support/netns.js';
import { capture } from '../support/tshark.js';

const hosts = ['h1', 'h2', 'h3'] as const;

/** The ESP packets of a capture file (Ethernet, IPv4 without options): source, SPI, and the IV of AES-GCM behind the ESP header. */
function readNonces(pcap: Buffer): { source: string; spi: string; iv: string }[] {
  const found = [];
  for (let at = 24; at + 16 <= pcap.length; at += 16 + pcap.readUInt32LE(at + 8)) {
    const ip = at + 16 + 14;
    const esp = ip + 20;
    if (pcap[ip] !== 0x45 || pcap[ip + 9] !== 50) continue;
    found.push({
      source: pcap.subarray(ip + 12, ip + 16).join('.'),
      spi: pcap.toString('hex', esp, esp + 4),
      iv: pcap.toString('hex', esp + 8, esp + 16),
    });
  }
  return found;
}

t.test('no pair of packets has the same SPI and IV', async (t) => {
  const lab = await Lab.up();
  t.teardown(() => lab.down());
  const captures = await Promise.all((['r1', 'r2', 'r3'] as const).map((device) => capture(lab, 'core', device, 'esp and inbound')));
  const pings: Background[] = [];
  for (const from of hosts) {
    for (const to of hosts) if (to !== from) pings.push(lab.spawn(from, ['ping', '-q', '-i', '0.02', `10.0.${to[1]}.10`]));
  }
  const reaches = (from: (typeof hosts)[number], to: number) =>
    until(
      `${from} to reach branch ${to}`,
      async () => (await lab.run(from, ['ping', '-q', '-c', '1', '-W', '1', `10.0.${to}.10`])).status === 0,
      15_000,
    );

  const dataplane = lab.pidOf('r1', 'dataplane');
  process.kill(dataplane, 'SIGKILL');
  await until('r1 to restart its dataplane', () => lab.log('r1').includes(`dataplane (pid ${dataplane}) ended`));
  await lab.groupwire('r1', 'wait-ready');
  await reaches('h1', 2);
  const control = lab.pidOf('r2', 'control');
  process.kill(control, 'SIGKILL');
  await until('r2 to restart its control', () => lab.log('r2').includes(`control (pid ${control}) ended`));
  await lab.groupwire('r2', 'wait-ready');
  await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
  await lab.command('stop', 'r3');
  await lab.command('start', 'r3');
  await reaches('h3', 1);
  await lab.command('stop', 'r4');
  await lab.command('start', 'r4');
  await lab.groupwire('r1', 'exec', 'clear crypto gdoi');
  await lab.command('stop', 'r2');
  await lab.command('start', 'r2');
  await reaches('h2', 3);
  await Promise.all(pings.map((ping) => ping.stop('SIGINT')));

  const seen = new Map<string, string>();
  const repeated: string[] = [];
  const senders = new Set<string>();
  for (const wan of captures) {
    await wan.stop();
    for (const { source, spi, iv } of readNonces(readFileSync(wan.file))) {
      const key = `${spi} ${iv}`;
      const other = seen.get(key);
      if (other !== undefined) repeated.push(`${key}: ${other} and ${source}`);
      seen.set(key, source);
      senders.add(`${spi} ${iv.slice(0, 6)}`);
    }
  }
  t.ok(seen.size > 1000, `enough packets to mean something: ${seen.size}`);
  t.ok(senders.size >= 5, `sender IDs seen: ${[...senders].join(', ')}`);
  t.same(repeated.slice(0, 5), [], 'IVs used twice');
});
