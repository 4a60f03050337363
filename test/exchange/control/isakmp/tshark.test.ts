// Judged by a program that we did not write: tshark reads an exchange from a capture, finds nothing malformed, and opens the encrypted
// messages with the key log's key.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Datagram } from '../../../../control/actions.js';
import type { IsakmpPolicy } from '../../../../control/config/model.js';
import { concatBytes, toHex, u32Bytes } from '../../../../control/isakmp/bytes.js';
import { writeCapture } from '../../../support/pcap.js';
import { memberAndServer, policy } from './two-engines.js';

const skip = spawnSync('tshark', ['--version']).error ? 'no tshark here: nothing to ask' : false;

function u16(value: number): Uint8Array {
  return new Uint8Array([value >> 8, value & 255]);
}

/** In IPv4 and UDP without checksums. */
function packetOf({ local, remote, bytes }: Datagram): Buffer {
  const udp = concatBytes(u16(local.port), u16(remote.port), u16(8 + bytes.length), u16(0), bytes);
  const ip = concatBytes(new Uint8Array([0x45, 0]), u16(20 + udp.length), u32Bytes(0), new Uint8Array([64, 17, 0, 0]));
  return Buffer.from(concatBytes(ip, u32Bytes(local.address), u32Bytes(remote.address), udp));
}

/**
 * tshark looks into the SA payload, and so learns the algorithms, for DOI 1 only: without this it opens no message of a GDOI phase 1.
 * The keys do not depend on what tshark is shown, so what it opens is what we sealed.
 */
function withIpsecDoi(datagram: Datagram, i: number): Datagram {
  const bytes = datagram.bytes.slice();
  if (i < 2) bytes.set([0, 0, 0, 1, 0, 0, 0, 1], 32);
  return { ...datagram, bytes };
}

/** @returns one list of the fields per message */
function dissect(file: string, cookie: string, key: string, fields: readonly string[]): string[][] {
  const args = [
    '-r',
    file,
    '-d',
    'udp.port==848,isakmp',
    '-o',
    `uat:ikev1_decryption_table:${cookie},${key}`,
    '-T',
    'fields',
    '-E',
    'separator=|',
  ];
  const out = execFileSync('tshark', [...args, ...fields.flatMap((field) => ['-e', field])], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('|'));
}

const forms: IsakmpPolicy[] = [
  policy({ encryption: 'aes-256', hash: 'sha256', group: 14 }),
  policy({ encryption: 'aes-128', hash: 'sha', group: 19 }),
  policy({ encryption: '3des', hash: 'sha', group: 2 }),
  policy({ encryption: 'des', hash: 'md5', group: 1 }),
];

for (const form of forms) {
  t.test(`${form.encryption} ${form.hash} group ${form.group}`, { skip }, async (t) => {
    const { member, server, network } = memberAndServer({ policies: [form, policy({ priority: 11 })] }, { policies: [form] });
    network.initiate(member, server);
    network.run(1000);
    network.perform(member, member.engine.deleteSa(member.up[0], network.now));
    const directory = mkdtempSync(join(tmpdir(), 'isakmp-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'exchange.pcap');
    writeCapture(file, network.sent.map(packetOf));
    const asIpsec = join(directory, 'as-ipsec.pcap');
    writeCapture(asIpsec, network.sent.map(withIpsecDoi).map(packetOf));
    const cookie = toHex(member.up[0].initiatorCookie);
    const fields = [
      '_ws.malformed',
      '_ws.expert.message',
      'isakmp.exchangetype',
      'isakmp.typepayload',
      'isakmp.id.data.ipv4_addr',
      'isakmp.id.port',
    ];
    for (const [name, path] of Object.entries({ file, asIpsec })) {
      const messages = dissect(path, cookie, member.keyLog[0], fields);
      t.equal(messages.length, 7, `${name}: seven messages`);
      t.same(
        messages.map(([malformed, expert]) => malformed + expert),
        Array(7).fill(''),
        `${name}: nothing malformed, no complaint`,
      );
      const column = (i: number): string[] => messages.map((message) => message[i]);
      t.same(column(2), ['2', '2', '2', '2', '2', '2', '5'], `${name}: exchange types`);
      if (path === file) continue;
      t.same(
        column(3),
        ['1,2,3,3,13,13', '1,2,3,13,13', '4,10,20,20', '4,10,20,20', '5,8', '5,8', '8,12'],
        'payloads, those of the encrypted messages included',
      );
      t.same(column(4), ['', '', '', '', '10.0.0.1', '10.0.0.2', ''], 'identities');
      t.same(column(5), ['', '', '', '', '848', '848', ''], 'port');
    }
  });
}
