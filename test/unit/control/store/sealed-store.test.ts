// The sealed store: contents, modes, damage.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { SealedStore } from '../../../../control/store/sealed-store.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | null): string | null => value && new TextDecoder().decode(value);

async function openIn(t: { teardown(fn: () => void): void }): Promise<{ directory: string; store: SealedStore; reports: string[] }> {
  const parent = mkdtempSync(join(tmpdir(), 'groupwire-store-'));
  t.teardown(() => rmSync(parent, { recursive: true }));
  const directory = join(parent, 'state');
  const reports: string[] = [];
  return { directory, reports, store: await SealedStore.open(directory, (message) => void reports.push(message)) };
}

t.test('saves, loads, replaces, removes; over a new opening too', async (t) => {
  const { directory, store } = await openIn(t);
  t.equal(store.load('a'), null);
  store.save('a', bytes('one'));
  store.save('a', bytes('two'));
  store.save('b', new Uint8Array(0));
  const again = await SealedStore.open(directory);
  t.equal(text(again.load('a')), 'two');
  t.equal(again.load('b')?.length, 0);
  t.same(again.names(), ['a', 'b']);
  again.remove('a');
  again.remove('a');
  t.equal(again.load('a'), null);
  t.same(again.names(), ['b']);
});

t.test('modes, and no clear text on disk', async (t) => {
  const { directory, store } = await openIn(t);
  store.save('secret', bytes('the clear text'));
  t.equal(statSync(directory).mode & 0o777, 0o700);
  for (const file of readdirSync(directory)) {
    t.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
    t.notOk(readFileSync(join(directory, file)).includes('clear text'), file);
  }
});

t.test('names are kept inside the directory', async (t) => {
  const { directory, store } = await openIn(t);
  for (const name of ['../up', '/etc/passwd', '.', '..', '__proto__', 'seal.key', 'a b', 'ä']) {
    store.save(name, bytes(name));
    t.equal(text(store.load(name)), name, name);
  }
  t.equal(store.names().length, 8);
  t.same(readdirSync(join(directory, '..')), ['state'], 'nothing beside it');
  for (const name of ['', 'x'.repeat(61), '\ud800']) t.throws(() => store.save(name, bytes('x')), RangeError);
});

t.test('every damaged byte and every cut is noticed, named, set aside', async (t) => {
  const { directory, store, reports } = await openIn(t);
  store.save('gdoi', bytes('state'));
  const path = join(directory, 'gdoi.sealed');
  const good = readFileSync(path);
  for (let at = 0; at < good.length; at++) {
    const damaged = Buffer.from(good);
    damaged[at] ^= 1;
    writeFileSync(path, damaged);
    t.equal(store.load('gdoi'), null, `byte ${at}`);
    writeFileSync(path, good.subarray(0, at));
    t.equal(store.load('gdoi'), null, `cut to ${at}`);
  }
  t.equal(reports.length, 2 * good.length);
  t.match(reports[0], /gdoi\.sealed is damaged.*set aside as gdoi\.sealed\.damaged/);
  t.same(store.names(), [], 'it is gone');
  t.ok(readdirSync(directory).includes('gdoi.sealed.damaged'));
  store.save('gdoi', bytes('new'));
  t.equal(text(store.load('gdoi')), 'new', 'and work goes on');
});

t.test('a damaged seal.key: set aside, the rest is reported', async (t) => {
  const { directory, store } = await openIn(t);
  store.save('a', bytes('one'));
  truncateSync(join(directory, 'seal.key'), 5);
  const reports: string[] = [];
  const again = await SealedStore.open(directory, (message) => void reports.push(message));
  t.equal(again.load('a'), null);
  t.match(reports, [/seal\.key is damaged \(5 bytes\)/, /a\.sealed is damaged or was sealed with another key/]);
});

t.test('a file of one name under another', async (t) => {
  const { directory, store } = await openIn(t);
  store.save('a', bytes('one'));
  store.save('b', bytes('two'));
  writeFileSync(join(directory, 'b.sealed'), readFileSync(join(directory, 'a.sealed')));
  t.equal(store.load('b'), null, 'is not taken');
});

const texts = (list: readonly Uint8Array[] | undefined): (string | null)[] | undefined => list?.map(text);

t.test('journal: what was appended comes back in order, behind its own file only', async (t) => {
  const { directory, store } = await openIn(t);
  t.equal(store.append('gdoi', bytes('early')), false, 'nothing to append to');
  store.save('gdoi', bytes('one'));
  t.equal(store.append('gdoi', bytes('a')), true);
  t.equal(store.append('gdoi', bytes('')), true);
  let again = await SealedStore.open(directory);
  t.same(texts(again.loadWithJournal('gdoi')?.entries), ['a', '']);
  t.equal(again.append('gdoi', bytes('c')), true, 'goes on after a restart');
  t.same(texts(again.loadWithJournal('gdoi')?.entries), ['a', '', 'c']);
  t.equal(statSync(join(directory, 'gdoi.sealed.journal')).mode & 0o777, 0o600);
  // A crash between the writing of a new file and the emptying of its journal leaves the entries of the old one.
  const old = readFileSync(join(directory, 'gdoi.sealed.journal'));
  again.save('gdoi', bytes('two'));
  writeFileSync(join(directory, 'gdoi.sealed.journal'), old);
  again = await SealedStore.open(directory);
  const loaded = again.loadWithJournal('gdoi');
  t.equal(text(loaded?.bytes ?? null), 'two');
  t.same(loaded?.entries, [], 'not of this file');
  again.append('gdoi', bytes('z'));
  t.same(texts((await SealedStore.open(directory)).loadWithJournal('gdoi')?.entries), ['z']);
  t.same(again.names(), ['gdoi']);
  again.remove('gdoi');
  t.same(readdirSync(directory), ['seal.key']);
});

t.test('journal: a cut end never counted, everything else that is wrong damages the state', async (t) => {
  const { directory, store } = await openIn(t);
  const [path, sealed] = ['gdoi.sealed.journal', 'gdoi.sealed'].map((file) => join(directory, file));
  store.save('gdoi', bytes('state'));
  const ends = [0];
  for (const entry of ['first', 'second', 'third']) {
    store.append('gdoi', bytes(entry));
    ends.push(statSync(path).size);
  }
  const whole = readFileSync(path);
  const kept = readFileSync(sealed);
  const load = async () => (await SealedStore.open(directory, () => undefined)).loadWithJournal('gdoi');
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const full = ends.filter((end) => end > 0 && end <= length).length;
    t.equal((await load())?.entries.length, full, `cut at ${length}`);
    writeFileSync(path, Buffer.concat([whole.subarray(0, length), Buffer.alloc(100)]));
    if (ends.includes(length)) t.equal((await load())?.entries.length, full, `zeros behind ${length}`);
    writeFileSync(sealed, kept);
  }
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] ^= 1;
    writeFileSync(path, damaged);
    t.equal(await load(), null, `byte ${at}`);
    writeFileSync(sealed, kept);
  }
  const [a, b] = [whole.subarray(0, ends[1]), whole.subarray(ends[1], ends[2])];
  writeFileSync(path, Buffer.concat([b, a]));
  t.equal(await load(), null, 'another order');
});

t.test('journal: appending behind a cut end replaces it', async (t) => {
  const { directory, store } = await openIn(t);
  store.save('gdoi', bytes('state'));
  store.append('gdoi', bytes('first'));
  store.append('gdoi', bytes('a longer second one'));
  const path = join(directory, 'gdoi.sealed.journal');
  truncateSync(path, statSync(path).size - 3);
  const again = await SealedStore.open(directory);
  t.same(texts(again.loadWithJournal('gdoi')?.entries), ['first']);
  again.append('gdoi', bytes('x'));
  t.same(texts((await SealedStore.open(directory)).loadWithJournal('gdoi')?.entries), ['first', 'x']);
});
