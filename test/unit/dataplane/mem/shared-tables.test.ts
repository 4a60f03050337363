import t from 'tap';
import { fillLocalSet, fillSpiMap, findSpi, HashShape, isLocal } from '../../../../dataplane/mem/hash.js';
import { MaxLocalAddresses } from '../../../../dataplane/mem/shared.js';
import { SlotShape, Slots } from '../../../../dataplane/mem/slots.js';
import { Cap, Sa, SaFlag } from '../../../../dataplane/tables/layout.js';

t.test('local addresses: a full set finds all of them and nothing else', (t) => {
  const places = new Int32Array(HashShape.LocalPlaces);
  const addresses = Int32Array.from({ length: MaxLocalAddresses }, (_, i) => 0x0a000001 + i * 256);
  fillLocalSet(places, addresses, MaxLocalAddresses);
  t.ok(addresses.every((address) => isLocal(places, address)));
  t.notOk(isLocal(places, 0x0a000002));
  t.notOk(isLocal(places, 0), '0 is never local, though it marks a free place');
  fillLocalSet(places, addresses, 1);
  t.notOk(isLocal(places, addresses[1]), 'refilled, not added to');
  t.end();
});

t.test('SPIs: inbound SAs only, all slots', (t) => {
  const places = new Int32Array(HashShape.SpiPlaces * 2);
  const sas = new Int32Array(Cap.Sas * Sa.Words);
  for (let slot = 0; slot < Cap.Sas; slot++) {
    sas[slot * Sa.Words + Sa.Serial] = slot + 1;
    sas[slot * Sa.Words + Sa.Spi] = 0x80000000 + slot * 1024;
    sas[slot * Sa.Words + Sa.Flags] = slot === 5 ? SaFlag.Outbound : SaFlag.Inbound;
  }
  sas[7 * Sa.Words + Sa.Serial] = 0;
  fillSpiMap(places, sas);
  for (let slot = 0; slot < Cap.Sas; slot++) {
    const wanted = slot === 5 || slot === 7 ? -1 : slot;
    if (findSpi(places, sas[slot * Sa.Words + Sa.Spi]) !== wanted) t.fail(`slot ${slot}`);
  }
  t.equal(findSpi(places, 1), -1);
  t.equal(findSpi(places, 0), -1);
  t.end();
});

t.test('slots: each id once, last freed first taken', (t) => {
  const slots = new Slots();
  const ids = new Set<number>();
  for (let id = slots.allocate(); id >= 0; id = slots.allocate()) ids.add(id);
  t.equal(ids.size, SlotShape.Count);
  slots.release(17);
  slots.release(4);
  t.strictSame([slots.allocate(), slots.allocate(), slots.allocate()], [4, 17, -1]);
  t.end();
});
