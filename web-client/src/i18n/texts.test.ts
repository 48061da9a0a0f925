import { beforeEach, expect, it, vi } from 'vitest';
import { Texts } from './texts.svelte';

type Key = 'hello' | 'minutes' | 'missing';
let texts: Texts<Key>;

beforeEach(() => {
  vi.stubGlobal('document', { documentElement: {} });
  texts = new Texts<Key>({
    en: () =>
      Promise.resolve({ default: { hello: 'Hello {name}', minutes: { one: '{n} minute', other: '{n} minutes' } } }),
    ar: () =>
      Promise.resolve({
        default: { hello: 'مرحبا {name}', minutes: { two: 'دقيقتان', few: '{n} دقائق', other: '{n} دقيقة' } },
      }),
  });
});

it('values and plural forms stand where the text wants them', async () => {
  await texts.use('en');
  expect(texts.t('hello', { name: 'Amara' })).toBe('Hello Amara');
  expect([1, 2].map((n) => texts.t('minutes', { n }))).toEqual(['1 minute', '2 minutes']);
  await texts.use('ar');
  expect([2, 5, 11].map((n) => texts.t('minutes', { n }))).toEqual(['دقيقتان', '5 دقائق', '11 دقيقة']);
});

it('a name in another script does not turn the line', async () => {
  await texts.use('en');
  expect(texts.t('hello', { name: 'مريم' })).toBe('Hello \u2068مريم\u2069');
  await texts.use('ar');
  expect(texts.t('hello', { name: 'Amara' })).toBe('مرحبا \u2068Amara\u2069');
});

it('the page runs in the direction of its language', async () => {
  await texts.use('ar');
  expect(document.documentElement).toMatchObject({ lang: 'ar', dir: 'rtl' });
  await texts.use('en');
  expect(document.documentElement).toMatchObject({ lang: 'en', dir: 'ltr' });
});

it('the first wished language that there is is taken, else English', () => {
  expect(texts.pick(['de-CH', 'ar-SA', 'en'])).toBe('ar');
  expect(texts.pick(['de', ''])).toBe('en');
});
