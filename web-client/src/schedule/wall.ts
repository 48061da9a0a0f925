/** A wall time as the server tells it, such as `2026-12-01T19:00`. It carries no zone: show it only beside one. */
export type Wall = string;

/** The wall time as a `Date` whose UTC fields are those of the wall, for `Intl` with `timeZone: 'UTC'`. */
export function wallDate(wall: Wall): Date {
  const [, year, month, day, hour, minute] = /^(\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(wall) ?? [];
  return new Date(Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)));
}

/** The wall time at an instant where the clocks are `offset_s` ahead of UTC. */
export function wallAt(at_ms: number, offset_s: number): Wall {
  return new Date(at_ms + offset_s * 1_000).toISOString().slice(0, 16);
}

/** `UTC+3`, `UTC−8`, `UTC+5:45`. */
export function offsetLabel(offset_s: number): string {
  if (offset_s === 0) return 'UTC';
  const minutes = Math.abs(Math.round(offset_s / 60));
  const rest = minutes % 60;
  return `UTC${offset_s < 0 ? '−' : '+'}${Math.floor(minutes / 60)}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
}

/** How far the clocks of a zone are ahead of UTC at an instant, from the browser's own data: only for the present moment. */
export function offsetNow(zone: string, at_ms: number): number {
  const parts = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at_ms);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return Math.round((wall - at_ms) / 1_000);
}

/** Days from the date of one wall time to that of another. */
export function daysBetween(from: Wall, to: Wall): number {
  const day = (wall: Wall): number => Math.floor(wallDate(wall).getTime() / 86_400_000);
  return day(to) - day(from);
}

/** A readable place of a zone name, where the server gave none. */
export function cityOf(zone: string): string {
  return (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');
}
