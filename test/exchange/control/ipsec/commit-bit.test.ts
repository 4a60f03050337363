// The commit bit (RFC 2408 §3.1): who set it says CONNECTED when its SA is in use; the other side sends no sooner, and does not wait for ever, as nothing proves the bit.

import t from 'tap';
import type { Datagram } from '../../../../control/actions.js';
import { flowKey } from '../../../../control/ipsec/sa-pairs.js';
import { NotifyType } from '../../../../control/isakmp/notification.js';
import { left, mismatch, right, twoGateways } from './two-gateways.js';

const [Flags, QuickMode, Commit] = [19, 32, 2];

/** Its Quick Mode messages have the bit. */
function setBy(address: number) {
  return ({ local, bytes: whole }: Datagram): { delay: number; bytes: Uint8Array }[] => {
    const bytes = whole.slice();
    if (local.address === address && bytes[18] === QuickMode) bytes[Flags] |= Commit;
    return [{ delay: 1, bytes }];
  };
}

t.test('set by who answers', async (t) => {
  const { a, b, wire } = twoGateways();
  wire.fault = setBy(right);
  wire.demand(a);
  wire.run(500);
  t.same([a.pairs[0].established, b.pairs[0].established], [false, true], 'it receives and does not send yet');
  wire.perform(b, b.ike.notify(b.ike.sas()[0], NotifyType.Connected, new Uint8Array(0)));
  wire.run(10);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null, 'CONNECTED: it sends');
  const [old] = a.pairs;
  a.pairs[0].rekeyAt = wire.now;
  wire.perform(a, a.ipsec.tick(wire.now));
  wire.run(500);
  t.equal(a.ipsec.pairs.sending(flowKey(old)), old, 'a replacement waits likewise');
  wire.run(1000);
  t.equal(a.ipsec.pairs.sending(flowKey(old)), a.pairs[1], "a second at most: the bit may be anybody's");
});

t.test('set by who begins: message 3 says that it is ready', async (t) => {
  const { a, b, wire } = twoGateways();
  wire.fault = setBy(left);
  wire.demand(a);
  wire.run(500);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
  t.notOk(
    wire.sent.some(({ local, bytes }) => local.address === right && bytes[18] === QuickMode && (bytes[Flags] & Commit) !== 0),
    'we never set it',
  );
});

t.test('CONNECTED that nobody waits for', async (t) => {
  const { a, b, wire } = twoGateways();
  wire.demand(a);
  wire.run(500);
  a.pairs[0].rekeyAt = wire.now;
  wire.perform(a, a.ipsec.tick(wire.now));
  wire.run(100);
  wire.perform(b, b.ike.notify(b.ike.sas()[0], NotifyType.Connected, new Uint8Array(0)));
  wire.run(100);
  t.equal(a.ipsec.pairs.sending(flowKey(a.pairs[0])), a.pairs[0], 'the old pair sends on');
});
