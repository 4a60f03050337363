// show crypto gdoi gm|ks identifier: no published output at hand, so the text stands here.

import t from 'tap';
import { viewOf } from '../../../../cli/show/index.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { emptySnapshot, getvpn1, serverGroup } from './sample.js';

function render(words: string, change: object): string {
  const topic = parseExec(`show ${words}`) as Extract<ExecCommand, { kind: 'show' }>;
  return viewOf(topic, { ...emptySnapshot(), ...change }).lines.join('\n');
}

t.test('gm identifier', (t) => {
  t.equal(
    render('crypto gdoi gm identifier', { gdoiMembers: [{ ...getvpn1(), senderIds: [0x1f, 0x20], senderIdBits: 24 }] }),
    `GM Sender ID (SID) Information for Group getvpn1:
    Group Member: 3.3.1.1         vrf: None
    Transform Mode                : Counter
    CURRENT SIDs:
        Shared Across Interfaces? : Yes
        SID Length (Group Size)   : 24 bits (MEDIUM)
        # of SIDs Downloaded      : 2
        First SID Downloaded      : 0x00001F
        Last SID Downloaded       : 0x000020`,
  );
  t.match(render('crypto gdoi gm identifier', { gdoiMembers: [getvpn1()] }), /Transform Mode {16}: Non-Counter$/);
  t.end();
});

t.test('ks identifier', (t) => {
  const group = { ...serverGroup('G', '1', '1.1.1.1'), counterMode: true, senderIdBits: 8, senderIdsUsed: 250 };
  t.equal(
    render('crypto gdoi ks identifier', { gdoiServers: [group] }),
    `KS Sender ID (KSSID) Information for Group G:
    Transform Mode                 : Counter
    SID Length (Group Size)        : 8 bits (SMALL)
    Last GMSID Used                : 0xF9
    GMSIDs Used                    : 250
    GMSIDs Remaining               : 6`,
  );
  t.match(render('crypto gdoi ks identifier', { gdoiServers: [{ ...group, senderIdsUsed: 0 }] }), /Last GMSID Used {16}: none/);
  t.match(render('crypto gdoi ks identifier', { gdoiServers: [{ ...group, counterMode: false }] }), /Non-Counter/);
  t.end();
});
