// Compiles the access lists of an idle bank (classifier.ts), in the main thread. A list that would take more than its share of words is walked: a hostile
// list costs time per packet, as without trees, but neither memory nor a pause.

import { AclShape, type Bank, BankCount, PortRow } from '../mem/shared.js';
import { Ace, Cap, CryptoEntry, FilterList, NatClause, PolicyClause, QosTest, QosTestKind, Sa } from '../tables/layout.js';
import { AclList } from './classifier.js';
import { ListCompiler } from './classifier-trees.js';

const enum Limit {
  /** Shorter lists are walked. */
  ShortList = 6,
  /** Words of a list, and more for each of its rows. */
  Words = 4096,
  WordsPerRow = 96,
  /** Rows of all lists: what comes then is walked. */
  Rows = 12288, // 3 * Cap.Aces
}

/** Compiles every list that rows name, each once, and fills the columns that say where. Call when all rows are written. */
export function buildClassifier(bank: Bank): void {
  const base = bank.index * AclShape.MaxWords;
  const known = new Map<number, number>();
  let used = 0;
  let rows = 0;
  /** @param at word of a row's AclFirst, the one before its AclCount */
  const listOf = (words: Int32Array, at: number): number => {
    const [first, count] = [words[at], words[at + 1]];
    const name = first * 2 ** 16 + count;
    const place = known.get(name) ?? base + used;
    if (known.has(name)) return place;
    rows += count; // every list has a head: room for as many as there can be
    used = rows > Limit.Rows ? writeHead(bank, used, first, count) : compileList(bank, base, used, first, count);
    known.set(name, place);
    return place;
  };
  const { counts, cryptoEntries, sas, natClauses, ports } = bank;
  for (let port = 0; port < Cap.Ports; port++) {
    for (const [side, first] of [PortRow.InFirst, PortRow.OutFirst].entries()) {
      const at = port * PortRow.Words + first;
      bank.filterLists[port * FilterList.Words + side] = ports[at + 1] < 0 ? -1 : listOf(ports, at);
    }
  }
  for (let i = 0; i < counts[BankCount.CryptoEntries]; i++)
    bank.entryLists[i] = listOf(cryptoEntries, i * CryptoEntry.Words + CryptoEntry.AclFirst);
  for (let i = 0; i < counts[BankCount.Sas]; i++)
    if (sas[i * Sa.Words + Sa.Serial] !== 0) bank.saLists[i] = listOf(sas, i * Sa.Words + Sa.AclFirst);
  for (let i = 0; i < counts[BankCount.NatClauses]; i++)
    if (natClauses[i * NatClause.Words + NatClause.AclCount] >= 0)
      bank.natLists[i] = listOf(natClauses, i * NatClause.Words + NatClause.AclFirst);
  for (let i = 0; i < counts[BankCount.PolicyClauses]; i++)
    bank.policyLists[i] = listOf(bank.policyClauses, i * PolicyClause.Words + PolicyClause.AclFirst);
  for (let i = 0; i < counts[BankCount.QosTests]; i++)
    if (bank.qosTests[i * QosTest.Words] === QosTestKind.List) bank.qosLists[i] = listOf(bank.qosTests, i * QosTest.Words + QosTest.A);
}

function asksFacts(aces: Int32Array, first: number, count: number): boolean {
  for (let row = first; row < first + count; row++) if (aces[row * Ace.Words + Ace.Mask] !== 0) return true;
  return false;
}

/** A list that is walked. @param at where its head goes @returns the first free word behind it */
function writeHead({ aces, aclWords }: Bank, at: number, first: number, count: number): number {
  aclWords[at + AclList.First] = first;
  aclWords[at + AclList.Count] = count;
  aclWords[at + AclList.Walk] = 1;
  aclWords[at + AclList.AsksFacts] = asksFacts(aces, first, count) ? 1 : 0;
  return at + AclList.Words;
}

/** The same, with its trees if they fit. */
function compileList(bank: Bank, base: number, at: number, first: number, count: number): number {
  const { aces, aclWords } = bank;
  const head = writeHead(bank, at, first, count);
  if (count <= Limit.ShortList) return head;
  const rows = Int32Array.from({ length: count }, (_, i) => first + i);
  const room = Math.min(AclShape.MaxWords - AclShape.Heads - head, Limit.Words + count * Limit.WordsPerRow);
  // Half for packets with ports, and what is left for the others.
  const half = head + (room >> 1);
  const middle = new ListCompiler(aces, aclWords, base, head, half, true, count).compile(at + AclList.WithPorts, rows);
  if (middle < 0) return head;
  const last = new ListCompiler(aces, aclWords, base, middle, head + room, false, count).compile(at + AclList.WithoutPorts, rows);
  if (last < 0) return head;
  aclWords[at + AclList.Walk] = 0;
  return last;
}
