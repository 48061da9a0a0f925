import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clock, date, languageName } from './time';

const catalogue = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8')) as Record<string, unknown>;

const holes = (text: unknown): string[] => [...new Set(JSON.stringify(text).match(/\{\w+\}/g) ?? [])].sort();

describe('the Arabic texts', () => {
  const en = catalogue('visit.en');
  const ar = catalogue('visit.ar');

  it('are those of the English ones', () => {
    expect(Object.keys(ar).sort()).toEqual(Object.keys(en).sort());
  });

  it('take the same values, but for a number that a plural form says in words', () => {
    for (const key of Object.keys(en)) expect(holes(ar[key]), key).toEqual(holes(en[key]));
  });
});

describe('times', () => {
  it('are Gregorian with Latin digits in every language', () => {
    expect(date('2026-12-01T19:00', 'en')).toBe('Tuesday 1 December 2026');
    expect(date('2026-12-01T08:00', 'en', 'short')).toBe('Tue 1 Dec');
    expect(date('2026-12-01T19:00', 'ar')).toContain('2026');
    expect(clock('2026-12-01T19:05', 'en')).toBe('19:05');
    expect(clock('2026-12-01T19:05', 'ar')).toContain('7:05');
  });

  it('call midnight by its name in Arabic', () => {
    expect(clock('2026-12-01T00:00', 'ar')).toBe('12:00 منتصف الليل');
    expect(clock('2026-12-01T00:10', 'ar')).toBe('12:10 بعد منتصف الليل');
  });
});

it('a language has a name in the language of the page', () => {
  expect(languageName('ar', 'en')).toBe('Arabic');
});
