import { describe, expect, it } from 'vitest';
import { ServerClock } from './clock';
import { countdown, isSaid } from './countdown';
import { cityOf, daysBetween, offsetLabel, offsetNow, wallAt, wallDate } from './wall';

describe('wall times', () => {
  it('keep their fields', () => {
    expect(wallDate('2026-12-01T19:00').toISOString()).toBe('2026-12-01T19:00:00.000Z');
    expect(wallDate('2026-12-01T24:00').toISOString()).toBe('2026-12-02T00:00:00.000Z');
  });

  it('come from an instant and an offset', () => {
    expect(wallAt(Date.UTC(2026, 11, 1, 16), 3 * 3_600)).toBe('2026-12-01T19:00');
    expect(wallAt(Date.UTC(2026, 11, 1, 16), -8 * 3_600)).toBe('2026-12-01T08:00');
  });

  it('know the day after', () => {
    expect(daysBetween('2026-12-01T16:30', '2026-12-02T08:30')).toBe(1);
    expect(daysBetween('2026-12-02T00:10', '2026-12-01T23:50')).toBe(-1);
  });
});

it.each([
  [10_800, 'UTC+3'],
  [-28_800, 'UTC−8'],
  [20_700, 'UTC+5:45'],
  [-12_600, 'UTC−3:30'],
  [0, 'UTC'],
])('an offset of %i s is called %s', (offset, label) => {
  expect(offsetLabel(offset)).toBe(label);
});

it('the offset of a zone follows its clock changes', () => {
  expect(offsetNow('America/Los_Angeles', Date.UTC(2026, 11, 1, 16))).toBe(-28_800);
  expect(offsetNow('America/Los_Angeles', Date.UTC(2026, 6, 1, 16))).toBe(-25_200);
  expect(offsetNow('Asia/Kathmandu', Date.UTC(2026, 6, 1, 16))).toBe(20_700);
});

it('a zone has a readable place', () => {
  expect(cityOf('America/Argentina/Buenos_Aires')).toBe('Buenos Aires');
});

describe('a countdown', () => {
  const at = (minutes: number) => countdown(minutes * 60_000, 0);
  it('speaks in the unit that people would', () => {
    expect(at(12)).toEqual({ is: 'minutes', n: 12 });
    expect(at(150)).toEqual({ is: 'hours', n: 2 });
    expect(at(72 * 60)).toEqual({ is: 'days', n: 3 });
    expect(at(0)).toEqual({ is: 'now' });
    expect(at(-3)).toEqual({ is: 'since', n: 3 });
  });

  it('is said aloud at 10, 5 and 1 minutes and at the start', () => {
    expect([12, 10, 6, 5, 1, 0, -3].filter((minutes) => isSaid(at(minutes)))).toEqual([10, 5, 1, 0]);
  });
});

it('the server’s clock is told from half the way of an answer', () => {
  const clock = new ServerClock();
  const now = Date.now();
  clock.set(now + 3_600_000, now - 200, now);
  expect(Math.abs(clock.now() - Date.now() - 3_600_100)).toBeLessThan(50);
});
