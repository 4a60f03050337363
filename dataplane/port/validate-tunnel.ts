// The tunnel of an interface in a `tables` message: types and ranges.

import type { TunnelSpec } from '../tables/message.js';
import { readFlag, readInteger, readNullable, readRecord, readText } from './shape.js';

const MaxWord = 0xffffffff;

/** @throws ShapeError */
export function readTunnel(value: unknown, what: string): TunnelSpec {
  const row = readRecord(value, what);
  return {
    sourceInterface: readNullable(row.sourceInterface, (name) => readText(name, `${what}.sourceInterface`, 128)),
    sourceAddress: readNullable(row.sourceAddress, (address) => readInteger(address, `${what}.sourceAddress`, 0, MaxWord)),
    destination: readNullable(row.destination, (address) => readInteger(address, `${what}.destination`, 0, MaxWord)),
    key: readNullable(row.key, (key) => readInteger(key, `${what}.key`, 0, MaxWord)),
    checksum: readFlag(row.checksum, `${what}.checksum`),
    sequence: readFlag(row.sequence, `${what}.sequence`),
    ttl: readInteger(row.ttl, `${what}.ttl`, 1, 255),
    tos: readNullable(row.tos, (tos) => readInteger(tos, `${what}.tos`, 0, 255)),
    copyDf: readFlag(row.copyDf, `${what}.copyDf`),
    ...(row.agerSeconds === undefined
      ? {}
      : { agerSeconds: readNullable(row.agerSeconds, (seconds) => readInteger(seconds, `${what}.agerSeconds`, 1, 1 << 20)) }),
    ...(row.leastPathMtu === undefined ? {} : { leastPathMtu: readInteger(row.leastPathMtu, `${what}.leastPathMtu`, 68, 65535) }),
    preClassify: readFlag(row.preClassify, `${what}.preClassify`),
    keepalive: readNullable(row.keepalive, (value) => {
      const { seconds, retries } = readRecord(value, `${what}.keepalive`);
      return {
        seconds: readInteger(seconds, `${what}.keepalive.seconds`, 1, 32767),
        retries: readInteger(retries, `${what}.keepalive.retries`, 1, 255),
      };
    }),
  };
}
