import type { Timers } from './types';

/** The longest wait before a message goes out again, in `retransmit_ms`. */
const LONGEST_RETRANSMIT = 8;

/** The wait before a message goes out again for the `n`th time, counted from 0: twice as long after each that moved nothing. */
export function retransmitDelay(n: number, timers: Timers): number {
  return timers.retransmit_ms * Math.min(2 ** n, LONGEST_RETRANSMIT);
}

/** The wait before reconnect number `n`, counted from 0: none, then 250·2ⁿ ± 50 %, at most `reconnect_max_ms`. */
export function reconnectDelay(n: number, random: number, timers: Timers): number {
  if (n === 0) return 0;
  const usual = timers.reconnect_min_ms * 2 ** Math.min(n - 1, 30);
  return Math.min(timers.reconnect_max_ms, usual * (0.5 + random));
}
