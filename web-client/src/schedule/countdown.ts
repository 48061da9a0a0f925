/** How a start stands to now, in whole minutes that people say. */
export type Countdown = { is: 'days' | 'hours' | 'minutes'; n: number } | { is: 'now' } | { is: 'since'; n: number };

const MINUTE = 60_000;

export function countdown(start_ms: number, now_ms: number): Countdown {
  const minutes = Math.ceil((start_ms - now_ms) / MINUTE);
  if (minutes > 48 * 60) return { is: 'days', n: Math.floor(minutes / (24 * 60)) };
  if (minutes >= 120) return { is: 'hours', n: Math.floor(minutes / 60) };
  if (minutes > 0) return { is: 'minutes', n: minutes };
  const since = Math.floor((now_ms - start_ms) / MINUTE);
  return since < 1 ? { is: 'now' } : { is: 'since', n: since };
}

/** Whole seconds that are left. */
export function secondsTo(until_ms: number, now_ms: number): number {
  return Math.max(0, Math.round((until_ms - now_ms) / 1_000));
}

/** The minutes at which a countdown is said aloud; in between it only changes in silence. */
const SAID = new Set([10, 5, 1]);

export function isSaid(count: Countdown): boolean {
  return count.is === 'now' || (count.is === 'minutes' && SAID.has(count.n));
}
