// The numbers are the table of real IOS outputs: path 1500, tunnel mode, header preserved.
import t from 'tap';
import { plaintextMtu } from '../../../../control/compile/transforms.js';

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
