import { Texts } from './texts.svelte';
import type en from './visit.en.json';

export type Key = keyof typeof en;

/** The texts of patients, guests and interpreters. */
export const texts = new Texts<Key>({
  en: () => import('./visit.en.json'),
  ar: () => import('./visit.ar.json'),
});

export const t = texts.t;
