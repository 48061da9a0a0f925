import { type Wall, wallDate } from '../schedule/wall';

/** Gregorian dates and one digit system: `ar-SA` alone gives neither. */
const tag = (lang: string): string => `${lang === 'en' ? 'en-GB' : lang}-u-ca-gregory-nu-latn`;

const format = (wall: Wall, lang: string, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(tag(lang), { timeZone: 'UTC', ...options }).format(wallDate(wall));

/** The time of day. */
export function clock(wall: Wall, lang: string): string {
  if (lang !== 'ar') return format(wall, lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  // Intl calls 00:00 "in the evening" in Arabic: midnight has words of its own.
  const [hour, minute] = [wall.slice(11, 13), wall.slice(14, 16)];
  if (hour === '00' || hour === '24') return minute === '00' ? '12:00 منتصف الليل' : `12:${minute} بعد منتصف الليل`;
  return format(wall, lang, { hour: 'numeric', minute: '2-digit', dayPeriod: 'long' });
}

/** Weekday and date, as long as on an invitation or as short as in a list. */
export function date(wall: Wall, lang: string, style: 'long' | 'short' = 'long'): string {
  const options: Intl.DateTimeFormatOptions =
    style === 'long'
      ? { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }
      : { weekday: 'short', day: 'numeric', month: 'short' };
  const text = format(wall, lang, options);
  return lang === 'en' ? text.replace(/^(\w+),/, '$1') : text;
}

/** The name of a language, in the language of the page. */
export function languageName(language: string, lang: string): string {
  return new Intl.DisplayNames([lang], { type: 'language' }).of(language) ?? language;
}
