// A bounded run of the fuzz target: random bytes, and configurations with lines and bytes mutated, cut, swapped and repeated.

import fc from 'fast-check';
import t from 'tap';
import { seedKeyServer, seedMember } from '../unit/control/config/texts.js';
import { fuzz } from './config.js';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const extra = `version 15.1
no hostname
banner motd ^C
 hello
^C
router ospf 1
 network 10.0.0.0 0.255.255.255 area 0
access-list 100 remark text
access-list 100 permit tcp any range 20 ftp host 1.1.1.1 gt 1023
access-list 5 permit 10.0.0.0 0.0.0.255
no access-list 100
ip access-list standard 7
 15 permit host 1.2.3.4
 no 15
 remark x
interface gi 0/0
 ip nat inside
 ip address 1.1.1.1 255.0.0.0 secondary
 duplex auto
 no shutdown
 no ip address
no crypto gdoi group GDOI-GROUP
no crypto map GETVPN-MAP
no interface FastEthernet0/0
no crypto isakmp policy 100
crypto ipsec transform-set TRANSFORM-SET esp-gcm 256
crypto key generate rsa label X modulus 2048
ip nat inside source list 5 interface gi0/0 overload
ip nat inside source route-map R interface gi0/0 overload
ip nat translation tcp-timeout 60
route-map R deny 10
 match ip address 5 100
 match interface gi0/0
 no match ip address 5
route-map R permit
no route-map R 10
end
exit
show crypto gdoi | include x`;
const lines = `${seedMember}${seedKeyServer}${extra}`.split('\n');
const words = [...new Set(lines.join(' ').split(' '))].filter((word) => word !== '');

const shuffled = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(...lines)), { maxLength: 60 })
  .map((list) => encode(list.map(([indent, line]) => ' '.repeat(indent) + line).join('\n')));
const wordSoup = fc
  .array(fc.array(fc.constantFrom(...words, '|', '?', '__proto__', '4294967296'), { maxLength: 8 }), { maxLength: 30 })
  .map((list) => encode(list.map((line) => line.join(' ')).join('\n')));
const mutated = fc
  .tuple(
    fc.constantFrom(seedMember, seedKeyServer, extra),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 12 }),
    fc.nat(),
  )
  .map(([text, edits, cut]) => {
    const bytes = encode(text);
    for (const [at, value] of edits) bytes[at % bytes.length] = value;
    return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
  });

for (const [name, input, numRuns] of [
  ['random bytes', fc.uint8Array({ maxLength: 300 }), 2000],
  ['shuffled lines', shuffled, 1500],
  ['shuffled words', wordSoup, 1500],
  ['mutated configurations', mutated, 2000],
] as const) {
  t.test(name, (t) => {
    fc.assert(
      fc.property(input as fc.Arbitrary<Uint8Array>, (bytes) => {
        fuzz(bytes);
      }),
      { numRuns },
    );
    t.pass(`${numRuns} inputs`);
    t.end();
  });
}
