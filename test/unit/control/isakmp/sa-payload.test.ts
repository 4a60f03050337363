import t from 'tap';
import type { DhGroup, IkeCipher, IkeHash, IsakmpPolicy } from '../../../../control/config/model.js';
import { readHeader } from '../../../../control/isakmp/header.js';
import { chooseTransform } from '../../../../control/isakmp/main-mode-responder.js';
import { buildMessage } from '../../../../control/isakmp/payloads.js';
import { policyOf, readSa, type SaTransform, transformOf, writeSa } from '../../../../control/isakmp/sa-payload.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const base: IsakmpPolicy = {
  line: 1,
  priority: 1,
  encryption: 'aes-256',
  hash: 'sha512',
  authentication: 'pre-share',
  group: 14,
  lifetimeSeconds: 86_400,
};
/** Body of message 1 of gdoid's trace (gdoi-wire §1.1). */
const trace = '00000002 00000000 00000028 01010001 00000020 00010000 80010005 80020002 80030001 80040002 800b0001 800c003c';

t.test('the reference implementation’s offer', async (t) => {
  const offer = readSa(bytes(trace));
  t.equal(offer.doi, 2, 'DOI');
  t.same(
    policyOf(offer.proposals[0].transforms[0]),
    { encryption: '3des', hash: 'sha', authentication: 'pre-share', group: 2, lifetimeSeconds: 60 },
    'transform',
  );
  t.same(writeSa(offer), bytes(trace), 'written again');
});

t.test('every policy survives the wire', async (t) => {
  for (const encryption of ['des', '3des', 'aes-128', 'aes-192', 'aes-256'] as IkeCipher[]) {
    for (const hash of ['md5', 'sha', 'sha256', 'sha384', 'sha512'] as IkeHash[]) {
      for (const group of [1, 2, 5, 14, 15, 16, 19, 20, 21] as DhGroup[]) {
        const { encryption: e, hash: h, group: g, ...rest } = policyOf(transformOf({ ...base, encryption, hash, group }, 1)) ?? {};
        t.same(
          [e, h, g, rest],
          [encryption, hash, group, { authentication: 'pre-share', lifetimeSeconds: 86_400 }],
          `${encryption} ${hash} ${group}`,
        );
      }
    }
  }
});

t.test('lengths and counts that lie', async (t) => {
  const cases = [
    ['', 'empty'],
    ['00000002', 'no situation'],
    ['00000002 00000000', 'no proposal'],
    ['00000003 00000000', 'DOI 3'],
    ['00000001 00000004', 'a situation with labels'],
    [trace.replace('00000028', '00000029'), 'proposal longer than the SA'],
    [trace.replace('00000028', '00000027'), 'proposal shorter than its transform'],
    [trace.replace('00000028', '00000003'), 'proposal of 3 bytes'],
    [trace.replace('00000028', '02000028'), 'a second proposal that is not there'],
    [trace.replace('00000028', '03000028'), 'a transform between proposals'],
    [trace.replace('01010001', '01010002'), 'two transforms promised'],
    [trace.replace('01010001', '01010000'), 'no transform promised'],
    [trace.replace('01010001', '0101ff01'), 'SPI of 255 bytes'],
    [trace.replace('01010001', '01011101'), 'SPI of 17 bytes'],
    [trace.replace('01010001', '01010801'), 'SPI that eats the transform'],
    [trace.replace('00000020', '00000021'), 'transform longer than its proposal'],
    [trace.replace('00000020', '0000001f'), 'transform that cuts an attribute'],
    [trace.replace('00000020', '00000004'), 'transform without body'],
    [trace.replace('00000020', '03000020'), 'a second transform that is not there'],
    [`${trace} 00`, 'bytes left over'],
  ];
  for (const [text, name] of cases) t.throws(() => readSa(bytes(text)), WireError, name);
  t.equal(readSa(bytes(trace.replace('00000002 00000000', '00000001 00000001'))).doi, 1, 'IPsec’s DOI is accepted');
});

t.test('transforms that are never chosen', async (t) => {
  const good = transformOf(base, 1);
  const without = (type: number): SaTransform => ({ ...good, attributes: good.attributes.filter((item) => item.type !== type) });
  const replaced = (type: number, value: number): SaTransform => ({
    ...good,
    attributes: good.attributes.map((item) => (item.type === type ? { type, value } : item)),
  });
  const cases: [string, SaTransform][] = [
    ['AES without key length', without(14)],
    ['key length 129', replaced(14, 129)],
    ['3DES with a key length', replaced(1, 5)],
    ['Blowfish', replaced(1, 3)],
    ['no hash', without(2)],
    ['Tiger', replaced(2, 3)],
    ['no group', without(4)],
    ['group 1025 (CVE-2014-9221)', replaced(4, 1025)],
    ['group 24', replaced(4, 24)],
    ['DSS signatures', replaced(3, 2)],
    ['kilobytes', replaced(11, 2)],
    ['lifetime 0', replaced(12, 0)],
    ['life type without duration', without(12)],
    ['duration without type', without(11)],
    ['transform ID 2', { ...good, id: 2 }],
    ['an attribute twice', { ...good, attributes: [...good.attributes, good.attributes[0]] }],
    ['an unknown attribute', { ...good, attributes: [...good.attributes, { type: 99, value: 1 }] }],
  ];
  for (const [name, transform] of cases) t.equal(policyOf(transform), null, name);
  const oversized = { ...good, attributes: [{ type: 12, value: new Uint8Array(0xfd20) }] };
  t.throws(() => policyOf(oversized), WireError, 'a duration of 64,800 bytes');
  const { lifetimeSeconds } = policyOf({ ...good, attributes: good.attributes.filter(({ type }) => type < 11 || type > 12) }) ?? {};
  t.equal(lifetimeSeconds, null, 'no lifetime at all is fine');
});

t.test('the initiator’s order decides, then our priority', async (t) => {
  const slow = { ...base, group: 16 as DhGroup, lifetimeSeconds: 600 };
  const fast = { ...base, group: 19 as DhGroup };
  const transforms = [{ ...base, group: 1 as DhGroup }, fast, slow].map((item, i) => transformOf(item, i + 1));
  const body = writeSa({ doi: 2, situation: 0, proposals: [{ number: 1, protocol: 1, spi: new Uint8Array(0), transforms }] });
  const cookies = { initiatorCookie: new Uint8Array(8).fill(1), responderCookie: new Uint8Array(8) };
  const message = buildMessage({ ...cookies, exchange: 2, flags: 0, messageId: 0 }, [{ type: 1, body }]);
  const choose = (policies: IsakmpPolicy[]) => chooseTransform(readHeader(message), message, policies);
  t.equal(choose([slow, fast]).transform.number, 2, 'second transform');
  t.equal(choose([slow]).policy.lifetimeSeconds, 600, 'shorter lifetime');
  t.throws(() => choose([{ ...base, hash: 'md5' }]), { name: 'WireError', counter: 'ike_no_proposal' }, 'none');
});
