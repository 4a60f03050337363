// `clear ip nat translation ...` as words of a session (NatRow of dataplane/tables/layout.ts): what they must be, and which bits count.

import { NatRow } from '../dataplane/tables/layout.js';
import type { NatFilter } from './config/exec-nat.js';

/** @returns both empty for every session */
export function natPattern(filter: NatFilter): [wanted: number[], mask: number[]] {
  const wanted = new Array<number>(NatRow.Words).fill(0);
  const mask = new Array<number>(NatRow.Words).fill(0);
  const ask = (word: NatRow, value: number | null, bits = -1, shift = 0): void => {
    if (value === null) return;
    wanted[word] |= (value << shift) | 0;
    mask[word] |= bits;
  };
  ask(NatRow.Protocol, filter.protocol);
  ask(NatRow.InsideAddress, filter.insideLocal);
  ask(NatRow.GlobalAddress, filter.insideGlobal);
  ask(NatRow.OutsideLocal, filter.outsideLocal);
  ask(NatRow.OutsideAddress, filter.outsideGlobal);
  ask(NatRow.InsidePorts, filter.insideLocalPort, 0xffff0000 | 0, 16);
  ask(NatRow.OutsidePorts, filter.insideGlobalPort, 0xffff0000 | 0, 16);
  ask(NatRow.InsidePorts, filter.outsideLocalPort, 0xffff);
  ask(NatRow.OutsidePorts, filter.outsideGlobalPort, 0xffff);
  return mask.every((bits) => bits === 0) ? [[], []] : [wanted, mask];
}
