// Phase 1 in words: what no published output shows. SAs under way, the KEK as an SA, sessions, admission.

import t from 'tap';
import { viewOf } from '../../../../cli/show/index.js';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { emptySnapshot, getvpn1, isakmpSa, serverGroup, serverMember } from './sample.js';

function view(words: string, change: Partial<Snapshot>) {
  const topic = parseExec(`show ${words}`) as Extract<ExecCommand, { kind: 'show' }>;
  const { lines, json } = viewOf(topic, { ...emptySnapshot(), ...change });
  return { text: lines.join('\n'), lines, json };
}

const begun = isakmpSa({
  state: 'MM_NO_STATE',
  connectionId: 1002,
  suite: null,
  ageSeconds: null,
  remainingSeconds: null,
  capabilities: '',
  phase1Id: null,
});
const kek = isakmpSa({
  destination: '3.3.1.1',
  source: '1.1.1.1',
  state: 'GDOI_REKEY',
  connectionId: 25_125,
  suite: { encryption: '3des', hash: 'sha256', authentication: 'rsa-sig', group: 0 },
  remainingSeconds: 86_399,
  ageSeconds: 1,
  capabilities: '',
  phase1Id: null,
});

t.test('sa detail: blank what is not agreed; a KEK has no Diffie-Hellman group', (t) => {
  const { lines } = view('cry isa sa det', { isakmpSas: [begun, kek, isakmpSa({ capabilities: 'DN', remainingSeconds: 360_000 })] });
  t.equal(lines[4], '1002  3.3.1.1         1.1.1.1                ACTIVE                  0  0           ');
  t.equal(lines[7], '25125 3.3.1.1         1.1.1.1                ACTIVE 3des sha256 rsig 0  23:59:59    ');
  t.equal(lines[10], '1001  3.3.1.1         1.1.1.1                ACTIVE aes  sha    psk  16 100:00:00 DN ');
  t.equal(lines[11], '       Engine-id:Conn-id =  SW:1');
  t.match(view('crypto isakmp sa', { isakmpSas: [kek] }).text, /^3\.3\.1\.1 {9}1\.1\.1\.1 {9}GDOI_REKEY {7}25125 ACTIVE$/m);
  t.end();
});

t.test('sa count', (t) => {
  const { text, json } = view('crypto isakmp sa count', { isakmpSas: [begun, kek, isakmpSa({})] });
  t.equal(
    text,
    `Active ISAKMP SA's: 2
Standby ISAKMP SA's: 0
Currently being negotiated ISAKMP SA's: 1
Dead ISAKMP SA's: 0`,
  );
  t.strictSame(json, { active: 2, negotiating: 1 });
  t.end();
});

t.test('call admission statistics', (t) => {
  const control = Object.entries({
    ike_requests_received: 12,
    ike_requests_accepted: 10,
    ike_requests_sent: 3,
    ike_requests_begun: 3,
    ike_half_open_limited: 2,
    ike_rate_limited: 345,
    gdoi_pull_rate_limited: 67,
  }).map(([name, value]) => ({ name, help: '', value }));
  const { text, json } = view('crypto call admission statistics', {
    isakmpSas: [begun, kek, isakmpSa({})],
    admission: { ratePerSecond: 50, mostNegotiating: 1000, mostNegotiatingPerAddress: 16 },
    counters: { drops: [], path: [], nat: [], control },
  });
  t.equal(
    text,
    `---------------------------------------------------------------------
               Crypto Call Admission Control Statistics
---------------------------------------------------------------------
System Resource Limit:       0 Max IKE SAs:     0 Max in nego:   1000
Total IKE SA Count:          2 active:          1 negotiating:      1
Incoming IKE Requests:      12 accepted:       10 rejected:         2
Outgoing IKE Requests:       3 accepted:        3 rejected:         0
Rejected IKE Requests:       2 rsrc low:        0 SA limit:         2

Max in nego of one address: 16
IKE rate limit: 50 per second
    Key exchanges put off : 345
    Registrations put off : 67`,
  );
  t.match(json, { ratePerSecond: 50, incoming: 12, keyExchangesPutOff: 345, registrationsPutOff: 67 });
  t.end();
});

t.test('sessions of a member without keys, and of a key server', (t) => {
  const member = { ...getvpn1(), interfaces: ['eth0'] };
  const ipsec = [{ interface: 'eth0', cryptoMap: 'M', localAddress: '3.3.1.1', flows: [] }];
  const status = (isakmpSas: Snapshot['isakmpSas']) =>
    /Session status: (\S+)/.exec(view('crypto session', { ipsec, gdoiMembers: [member], isakmpSas }).text)?.[1];
  t.equal(status([]), 'DOWN');
  t.equal(status([begun]), 'DOWN-NEGOTIATING');
  t.equal(status([isakmpSa({})]), 'UP-IDLE');
  const isakmpSas = [isakmpSa({ local: '1.1.1.1', remote: '3.3.1.1', phase1Id: 'r1.example.net' })];
  t.equal(
    view('crypto session detail', { isakmpSas }).lines.slice(7).join('\n'),
    `
Interface: unknown
Uptime: 00:00:10
Session status: UP-IDLE     
Peer: 3.3.1.1 port 848 fvrf: (none) ivrf: (none)
      Phase1_id: r1.example.net
      Desc: (none)
  Session ID: 0  
  IKEv1 SA: local 1.1.1.1/848 remote 3.3.1.1/848 Active 
          Capabilities:D connid:1001 lifetime:00:01:40`,
  );
  t.end();
});

t.test('ks members of one address', (t) => {
  const group = (name: string, ...addresses: string[]) => ({
    ...serverGroup(name, '1', '9.9.9.9'),
    members: addresses.map((address) => serverMember(address)),
  });
  const gdoiServers = [group('A', '1.1.1.1', '2.2.2.2'), group('B', '2.2.2.2'), group('C', '3.3.3.3')];
  const ids = (words: string) => view(words, { gdoiServers }).lines.flatMap((line) => /^Group Member ID {4}: (\S+)/.exec(line)?.[1] ?? []);
  t.strictSame(ids('crypto gdoi ks members 2.2.2.2'), ['2.2.2.2', '2.2.2.2']);
  t.strictSame(ids('crypto gdoi group A ks members 2.2.2.2'), ['2.2.2.2']);
  t.throws(() => view('crypto gdoi group C ks members 2.2.2.2', { gdoiServers }), {
    message: '% Group member 2.2.2.2 is not registered here',
  });
  t.end();
});
