import type en from './desk.en.json';
import { Texts } from './texts.svelte';

export type Key = keyof typeof en;

/** The texts of staff. */
export const texts = new Texts<Key>({ en: () => import('./desk.en.json') });

export const t = texts.t;
