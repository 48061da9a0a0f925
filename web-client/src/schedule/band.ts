import type { Wall } from './wall';

/** What an hour of the day means to the person whose clock shows it. */
export type Band = 'day' | 'early' | 'late' | 'night';

export function bandOf(wall: Wall): Band {
  const hour = Number(wall.slice(11, 13));
  if (hour >= 8 && hour < 20) return 'day';
  if (hour >= 6 && hour < 8) return 'early';
  if (hour >= 20 && hour < 23) return 'late';
  return 'night';
}
