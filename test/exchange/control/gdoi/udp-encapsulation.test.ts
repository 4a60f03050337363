// `udp-encapsulation` of a key server's SA: members follow it, a change of it is a rekey like any other, and what a member cannot do it refuses by name.

import t from 'tap';
import type { Sat } from '../../../../control/gdoi/codec/sat.js';
import { readSat, writeSat } from '../../../../control/gdoi/codec/sat.js';
import { makeTek } from '../../../../control/gdoi/new-keys.js';
import { judgeOffer, type OfferedPolicy } from '../../../../control/gdoi/received-policy.js';
import { decodeState } from '../../../../control/gdoi/saved-state.js';
import { describePolicy } from '../../../../control/gdoi/sent-policy.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';
import { Network, type Node, saPolicy, seededRandom, serverConfig } from './group-network.js';

const random = seededRandom('udp');

function configOf(inUdp: boolean) {
  const config = serverConfig({ encryption: 'esp-gcm-256' });
  const sa = config.gdoiGroups.get('G')?.server?.sas.get(1);
  if (sa && inUdp) sa.udpEncapsulation = true;
  return config;
}

const encapsulations = (node: Node) => node.gdoi.policyOf('G').teks.map(({ udp }) => udp === true);

t.test('members follow; a change is a rekey, during which every TEK that is sent with is one that all open', async (t) => {
  const { network, server, members } = Network.group(3, { encryption: 'esp-gcm-256' });
  network.runFor(2000);
  t.same(members.map(encapsulations), [[false], [false], [false]]);
  const gaps: string[] = [];
  network.watch = () => {
    for (const sender of members) {
      const tek = sender.sending();
      if (!tek || members.some((member) => !member.opens(tek.spi))) gaps.push(`${network.now}`);
    }
  };
  for (const [turn, inUdp] of [true, false].entries()) {
    const before = members[0].sending()?.spi ?? 0;
    server.perform(server.gdoi.reconfigure(configOf(inUdp), network.now));
    t.match(server.gdoi.serverGroups(), [{ policyPending: true, sas: [{ udp: inUdp }] }]);
    t.equal(members[0].sending()?.spi, before, 'nothing changes without a rekey');
    server.perform(server.gdoi.rekey('G', network.now));
    network.runFor(2000);
    for (const member of members) {
      t.same(encapsulations(member).at(-1), inUdp);
      t.ok(member.opens(before), 'the old one goes on opening');
    }
    network.runFor(60_000);
    for (const member of members) t.match(member.sending(), { udp: inUdp });
    t.match(server.gdoi.serverGroups(), [{ policyPending: false, teks: { length: turn + 2 } }]);
  }
  t.same(gaps, []);
  for (const member of members) t.match(member.gdoi.memberGroups(), [{ succeededRegistrations: 1 }], 'by pushes alone');
  const saved = decodeState(server.disk as Uint8Array)?.server.groups[0].state.keys.teks.map(({ udp }) => udp);
  t.same(saved, [false, true, false], 'kept over a restart');
});

t.test('on the wire: Encapsulation Mode 3 in every SAT (RFC 3947 §5.1)', async (t) => {
  for (const udp of [false, true]) {
    const tek = makeTek(saPolicy({ udp }), random, () => false, 0, 0);
    const { sats } = describePolicy({ teks: [tek], kek: null, activationDelaySeconds: null, pseudotimeMs: null }, 0);
    t.same(
      sats.map((sat) => readSat(writeSat(sat)).encapsulation),
      sats.map(() => (udp ? 3 : 1)),
    );
    // TV attribute 4, behind the SPI.
    t.match(Buffer.from(writeSat(sats[0])).toString('hex'), `8004000${udp ? 3 : 1}`);
  }
});

/** @returns what was refused, or whether it is in UDP */
function judged(encapsulations: (number | null)[]): string | boolean[] {
  const tek = makeTek(saPolicy({ udp: true }), random, () => false, 0, 0);
  const offer = describePolicy({ teks: [tek], kek: null, activationDelaySeconds: null, pseudotimeMs: null }, 0);
  const [sat] = offer.sats;
  offer.sats = encapsulations.map((encapsulation): Sat => ({ ...sat, encapsulation }));
  try {
    const policy: OfferedPolicy = judgeOffer(offer);
    return policy.teks.map(({ udp }) => udp);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return `${error.counter}: ${error.clause}: ${error.message}`;
  }
}

t.test('values of the attribute', async (t) => {
  t.same(judged([3]), [true]);
  t.same(judged([3, 3]), [true]);
  t.same(judged([1]), [false]);
  t.same(judged([null]), [false], 'absent: as ever');
  for (const mode of [0, 2, 4, 5, 61443, 65535]) {
    t.match(judged([mode]), new RegExp(`gdoi_policy_rejected: RFC 2407 §4.5: encapsulation mode ${mode} is not tunnel`), `mode ${mode}`);
  }
  for (const pair of [
    [3, 1],
    [1, 3],
    [3, null],
  ])
    t.match(judged(pair), /two different policies/, `${pair}`);
});
