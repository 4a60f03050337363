import fc from 'fast-check';
import t from 'tap';
import { isEspInUdp, writeEspUdp } from '../../../../dataplane/proto/esp-in-udp.js';

const port = fc.integer({ min: 1, max: 65535 });

t.test('what is written is ESP, to its port, at any place', (t) => {
  fc.assert(
    fc.property(port, fc.uint8Array({ minLength: 8, maxLength: 200 }), fc.nat(7), (peerPort, esp, at) => {
      esp[3] |= 1;
      const bytes = new Uint8Array(at + 8 + esp.length);
      const view = new DataView(bytes.buffer);
      bytes.set(esp, at + 8);
      writeEspUdp(view, at, peerPort, esp.length);
      t.ok(isEspInUdp(view, at, 8 + esp.length));
      t.strictSame([view.getUint16(at), view.getUint16(at + 2), view.getUint16(at + 6)], [4500, peerPort, 0]);
      t.ok(Buffer.from(bytes.subarray(at + 8)).equals(esp), 'nothing else is touched');
    }),
  );
  t.end();
});

t.test('any bytes: ESP when the length is right, there is room for SPI and sequence, and the SPI is not 0 (RFC 3948 §2.2)', (t) => {
  const zeroes = fc.constantFrom([0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]).map((head) => Uint8Array.from(head));
  fc.assert(
    fc.property(fc.nat(40), zeroes, fc.uint8Array({ maxLength: 40 }), (stated, head, rest) => {
      const bytes = Uint8Array.from([0, 1, 0x11, 0x94, 0, stated, 0, 0, ...head, ...rest]);
      const wanted = stated === bytes.length && bytes.length >= 16 && bytes.subarray(8, 12).some((byte) => byte !== 0);
      t.equal(isEspInUdp(new DataView(bytes.buffer), 0, bytes.length), wanted);
    }),
    { numRuns: 1000 },
  );
  t.end();
});
