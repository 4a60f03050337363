// `show crypto gdoi gm replay`: time-based anti-replay of each group.

import type { MemberGroupState } from '../../control/api/snapshot.js';
import { formatMoment } from './system.js';

const secs = (value: number): string => `${value.toFixed(2)} secs`;

function renderErrors(errors: MemberGroupState['replay']['errors']): string[] {
  if (errors.length === 0) return ['    No TBAR errors detected'];
  return errors.map(({ at, source, ownSeconds, peerSeconds, windowSeconds }) => {
    const peer = peerSeconds === null ? 'none' : secs(peerSeconds);
    return `    ${formatMoment(new Date(at))}: src=${source}; my_pst=${secs(ownSeconds)}; peer_pst=${peer}; win=${windowSeconds} secs`;
  });
}

export function renderReplay({ group, replay, counters }: MemberGroupState): string[] {
  const head = [`Anti-replay Information For Group ${group}:`, 'Timebased Replay:'];
  if (!replay.enabled) return [...head, '         is not enabled', ' '];
  return [
    ...head,
    `Replay Value : ${secs(replay.pseudotimeSeconds ?? 0)}`,
    `Input Packets : ${counters.timeAccepted} Output Packets : ${counters.timeSent}`,
    `Input Error Packets : ${counters.timeRefused} Output Error Packets : 0`,
    `Time Sync Error : ${replay.timeSyncErrors} Max time delta : ${secs(replay.maxTimeDeltaSeconds)}`,
    ' ',
    ' ',
    'TBAR Error History (sampled at 10pak/min):',
    ...renderErrors(replay.errors),
    ' ',
  ];
}
