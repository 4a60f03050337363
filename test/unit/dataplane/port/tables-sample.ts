// A tables message that is right in every part, to be bent by tests.

import { noTables } from '../../../../dataplane/port/empty-tables.js';
import {
  Ace,
  CryptoEntry,
  CryptoFlag,
  EspAuth,
  EspCipher,
  NatClause,
  PolicyEntry,
  QosClass,
  QosCurve,
  QosRed,
  QosTest,
  QosTestKind,
  QosUse,
  Sa,
  SaFlag,
  SaKey,
} from '../../../../dataplane/tables/layout.js';
import type { TablesHead, TablesRows, TunnelSpec } from '../../../../dataplane/tables/message.js';
import { plainInterface } from '../../../support/interface-row.js';

/** A policy with one class, which asks a list and has its own curves. */
function qosSample(): Pick<TablesRows, 'qosUses' | 'qosTests' | 'qosClasses' | 'qosReds'> {
  const qosUses = new Int32Array(2 * QosUse.Words);
  qosUses.set([0, 0, 2, 0, 1_250_000], QosUse.Words);
  const qosTests = new Int32Array(QosTest.Words);
  qosTests.set([QosTestKind.List, 0, 1, ~0, ~1]);
  const qosClasses = new Int32Array(2 * QosClass.Words);
  for (const at of [0, QosClass.Words]) {
    qosClasses[at + QosClass.Parent] = -1;
    qosClasses[at + QosClass.TosKeep] = 0xff;
    qosClasses[at + QosClass.Quantum] = 1500;
    qosClasses[at + QosClass.Red] = -1;
  }
  qosClasses[QosClass.Red] = 0;
  const qosReds = new Int32Array(QosRed.Words);
  qosReds.set([9, 0, 1200]);
  for (let dscp = 0; dscp < 64; dscp++) qosReds.set([20, 40, 10], QosRed.Curves + dscp * QosCurve.Words);
  return { qosUses, qosTests, qosClasses, qosReds };
}

export function sampleRows(): TablesRows {
  const ace = new Int32Array(Ace.Words);
  ace.set([1, -1, 0x0a010000, -65536, 0x0a020000, -65536, 0, 65535, 0, 65535]);
  const entry = new Int32Array(CryptoEntry.Words);
  entry.set([1, 0, 1, 0, 0, CryptoFlag.Registered]);
  const sa = new Int32Array(Sa.Words);
  sa[Sa.Serial] = 7;
  sa[Sa.Spi] = 0x12345678;
  sa[Sa.Flags] = SaFlag.Inbound | SaFlag.Outbound;
  sa[Sa.Cipher] = EspCipher.AesCbc;
  sa[Sa.Auth] = EspAuth.HmacSha256_128;
  sa[Sa.CipherKeyLen] = 32;
  sa[Sa.AuthKeyLen] = 32;
  sa[Sa.IvLen] = 16;
  sa[Sa.IcvLen] = 16;
  sa[Sa.Align] = 16;
  sa[Sa.ReplayWindow] = 64;
  sa[Sa.AclCount] = 1;
  const natClauses = new Int32Array(NatClause.Words);
  natClauses.set([0, 1, 0, 1, -1, 1]);
  const policyEntries = new Int32Array(PolicyEntry.Words);
  policyEntries.set([0, 1, -1, 0, 65535, 0, 1, 0x10, 2, 2, 1, 0, 0, 0xff, 0, -1]);
  const policyClauses = Int32Array.of(0, 1);
  return {
    aces: ace,
    cryptoEntries: entry,
    sas: sa,
    saKeys: new Uint8Array(SaKey.Bytes),
    natClauses,
    policyEntries,
    policyClauses,
    ...qosSample(),
  };
}

export function joinRows(rows: TablesRows): { bytes: Uint8Array; blobBytes: number[] } {
  const parts = [
    rows.aces,
    rows.cryptoEntries,
    rows.sas,
    rows.saKeys,
    rows.natClauses,
    rows.policyEntries,
    rows.policyClauses,
    rows.qosUses,
    rows.qosTests,
    rows.qosClasses,
    rows.qosReds,
  ];
  const blobBytes = parts.map((part) => part.byteLength);
  const bytes = new Uint8Array(blobBytes.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return { bytes, blobBytes };
}

export function sampleHead(blobBytes: number[]): TablesHead {
  return {
    type: 'tables',
    generation: 3,
    interfaces: [
      plainInterface(0, 'GigabitEthernet0/0', {
        device: 'eth0',
        addresses: [{ address: 0x0a010001, prefixLength: 24 }],
        filterIn: { first: 0, count: 1 },
      }),
      plainInterface(1, 'GigabitEthernet0/1', { device: 'eth1.100', ipMtu: 1400, shutdown: true, groups: [0xef010101], nat: 'outside' }),
      plainInterface(2, 'Loopback0', {}),
    ],
    staticRoutes: [{ prefix: 0, prefixLength: 0, nextHop: 0x0a010002, interface: null, distance: 1 }],
    controlPorts: [848],
    espPorts: [],
    groups: ['G'],
    nat: { ...structuredClone(noTables.nat), timeouts: [86400, 300, 60, 60, 60, 86400, 60] },
    policyHops: [{ kind: 'next-hop', address: 0x0a010002 }, { kind: 'interface', port: 0 }, { kind: 'null' }],
    blobs: [
      'aces',
      'cryptoEntries',
      'sas',
      'saKeys',
      'natClauses',
      'policyEntries',
      'policyClauses',
      'qosUses',
      'qosTests',
      'qosClasses',
      'qosReds',
    ],
    blobBytes,
  };
}

export const sampleTunnel: TunnelSpec = {
  sourceInterface: 'GigabitEthernet0/0',
  sourceAddress: null,
  destination: 0xac100302,
  key: 0xffffffff,
  checksum: true,
  sequence: true,
  ttl: 255,
  tos: 0,
  copyDf: false,
  preClassify: false,
  keepalive: { seconds: 10, retries: 3 },
};
