// tshark as judge: reads captures, decrypts ESP with the key log, prints fields. Also the capture itself (tcpdump).

import { existsSync, statSync } from 'node:fs';
import { type Background, runChecked, until } from './netns.js';

export interface Capture {
  file: string;
  /** Ends the capture; everything that crossed before is in the file. */
  stop(): Promise<void>;
  /** Ends it while traffic goes on: what crossed last may be missing. */
  cut(): Promise<void>;
}

/** Where captures run, and where their files go: a Lab, or namespaces and a directory. */
export interface CapturePlace<Node extends string> {
  readonly directory: string;
  spawn(node: Node, argv: readonly string[]): Background;
}

/**
 * Captures on a node.
 * @param device `any` captures on all (cooked, v2)
 * @param filter tcpdump's options and expression, e.g. `-Q in esp`
 */
export async function capture<Node extends string>(place: CapturePlace<Node>, node: Node, device: string, filter = ''): Promise<Capture> {
  const file = `${place.directory}/${node}-${device}-${Math.random().toString(36).slice(2)}.pcap`;
  // In immediate mode every slot of the kernel's ring is as long as the snap length: 2048 makes room for 32,000 packets.
  const argv = ['tcpdump', '-Z', 'root', '-U', '--immediate-mode', '-B', '65536', '-s', '2048', '-n', '-i', device, '-w', file];
  const dump: Background = place.spawn(node, [...argv, ...filter.split(' ').filter((word) => word !== '')]);
  await dump.says(/listening on/);
  const cut = async (): Promise<void> => {
    await dump.stop('SIGINT');
    const lost = Number(/(\d+) packets dropped by kernel/.exec(dump.stderr)?.[1] ?? 0);
    if (lost > 0) throw new Error(`the capture itself lost ${lost} packets`);
  };
  const stop = async (): Promise<void> => {
    await settle(file);
    await cut();
  };
  return { file, stop, cut };
}

/** Packets reach the file a little after they crossed: wait until it stops growing. */
async function settle(file: string): Promise<void> {
  let before = -1;
  const growing = () => {
    const size = existsSync(file) ? statSync(file).size : 0;
    const same = size === before;
    before = size;
    return same;
  };
  await until('the capture file to stop growing', growing, 30_000, 150);
}

/** The inner packet's transport stays bytes: a dissector that finds its payload malformed would end the frame before the ICV. */
const decryptionOf = (inside: readonly string[]) => [
  ...['-o', 'esp.enable_encryption_decode:TRUE', '-o', 'esp.enable_authentication_check:TRUE'],
  ...inside.flatMap((protocol) => ['--disable-protocol', protocol]),
];
const decryption = decryptionOf(['udp', 'tcp', 'icmp']);
/** Then UDP has to be understood: what is inside should be none. */
const decryptionInUdp = decryptionOf(['tcp', 'icmp']);

/** Rows of fields, one per packet. @param keys a directory whose tables tshark shall take: a key log is one */
async function rowsOf(file: string, filter: string, fields: readonly string[], preferences: string[], keys?: string): Promise<string[][]> {
  const text = await runChecked(
    [
      ...['tshark', '-n', '-r', file, ...preferences, '-Y', filter, '-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=a'],
      ...fields.flatMap((field) => ['-e', field]),
    ],
    keys === undefined ? {} : { WIRESHARK_CONFIG_DIR: keys },
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('|'));
}

/**
 * Rows of fields, one per packet.
 * @param keys a key log directory: ESP is decrypted and its ICV checked
 */
export function readFields(file: string, filter: string, fields: readonly string[], keys?: string): Promise<string[][]> {
  return rowsOf(file, filter, fields, keys === undefined ? [] : decryption, keys);
}

/** Rows of fields of the IKE messages (IKEv1), decrypted with a key log. */
export function readIke(file: string, fields: readonly string[], keys: string): Promise<string[][]> {
  return rowsOf(file, 'isakmp', fields, [], keys);
}

/** Inner packets of all ESP in a capture, as tshark decrypts them; every ICV must be good. @param inUdp it is in UDP 4500, and no UDP is in it @throws Error when one is not */
export async function decryptWithTshark(file: string, filter: string, keys: string, inUdp = false): Promise<Buffer[]> {
  const fields = ['frame.number', 'esp.spi', 'esp.icv_good', 'esp.contained_data'];
  const rows = await rowsOf(file, `esp and (${filter})`, fields, inUdp ? decryptionInUdp : decryption, keys);
  return rows.map(([frame, spi, good, inner]) => {
    if (good !== '1' && good !== 'True') throw new Error(`frame ${frame}, SPI ${spi}: tshark finds the ICV wrong or knows no key`);
    return Buffer.from(inner, 'hex');
  });
}
