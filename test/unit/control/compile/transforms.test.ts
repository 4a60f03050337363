// The numbers are the table of real IOS outputs: path 1500, tunnel mode, header preserved.
import t from 'tap';
import { groupPlaintextMtu, plaintextMtu } from '../../../../control/compile/transforms.js';

t.test('plaintext mtu is what IOS shows', (t) => {
  t.equal(plaintextMtu(1500, 'esp-aes-128', 'esp-sha-hmac'), 1438);
  t.equal(plaintextMtu(1500, 'esp-aes-256', 'esp-sha256-hmac'), 1438);
  t.equal(plaintextMtu(1500, 'esp-aes-128', 'esp-sha384-hmac'), 1422);
  t.equal(plaintextMtu(1500, 'esp-aes-128', 'esp-sha512-hmac'), 1422);
  t.equal(plaintextMtu(1500, 'esp-3des', 'esp-sha-hmac'), 1446);
  t.equal(plaintextMtu(1500, 'esp-gcm-256', null), 1446);
  t.equal(plaintextMtu(1500, 'esp-null', 'esp-sha-hmac'), 1458);
  t.equal(plaintextMtu(9184, 'esp-gcm-128', null), 9130);
  t.end();
});

t.test('of a group: eight bytes of UDP in front, twelve of time inside', (t) => {
  const gcm = { encryption: 'esp-gcm-256', authentication: null } as const;
  const cbc = { encryption: 'esp-aes-256', authentication: 'esp-sha256-hmac' } as const;
  t.strictSame([groupPlaintextMtu(1500, gcm), groupPlaintextMtu(1500, { ...gcm, udp: true })], [1446, 1438]);
  t.strictSame([groupPlaintextMtu(1500, cbc), groupPlaintextMtu(1500, { ...cbc, udp: true })], [1438, 1422]);
  t.strictSame(groupPlaintextMtu(1500, { ...gcm, udp: true, replaySeconds: 5 }), 1426);
  t.end();
});
