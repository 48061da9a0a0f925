/** A text, or one for each plural form of its language. `{name}` takes a value. */
export type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Catalogue = Record<string, Text>;
export type Values = Record<string, string | number>;

const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur']);
// First strong isolate and its end (Unicode UAX #9).
const ISOLATE = String.fromCodePoint(0x2068);
const POP = String.fromCodePoint(0x2069);
const RTL_LETTERS = /[\p{Script=Arabic}\p{Script=Hebrew}]/u;

/** The language of the page, and the texts in it. Each language is a file of its own that is loaded when chosen. */
export class Texts<K extends string> {
  lang = $state('en');
  #catalogue = $state.raw<Catalogue>({});
  readonly #load: Record<string, () => Promise<{ default: Catalogue }>>;

  constructor(load: Record<string, () => Promise<{ default: Catalogue }>>) {
    this.#load = load;
  }

  get languages(): string[] {
    return Object.keys(this.#load);
  }

  get rtl(): boolean {
    return RIGHT_TO_LEFT.has(this.lang);
  }

  /** The first of the wished languages that there is, else English. */
  pick(wished: readonly string[]): string {
    const bases = wished.map((tag) => tag.toLowerCase().split('-')[0] ?? '');
    return bases.find((base) => base in this.#load) ?? 'en';
  }

  async use(lang: string): Promise<void> {
    const load = this.#load[lang];
    if (!load) return;
    this.#catalogue = (await load()).default;
    this.lang = lang;
    document.documentElement.lang = lang;
    document.documentElement.dir = this.rtl ? 'rtl' : 'ltr';
  }

  /** A text in the language of the page; `n` chooses its plural form. */
  t = (key: K, values: Values = {}): string => {
    const text = this.#catalogue[key] ?? key;
    const form = typeof text === 'string' ? text : this.#plural(text, Number(values.n ?? 0));
    return form.replace(/\{(\w+)\}/g, (_, name: string) => this.#value(values[name] ?? ''));
  };

  #plural(forms: Partial<Record<Intl.LDMLPluralRule, string>>, n: number): string {
    return forms[new Intl.PluralRules(this.lang).select(n)] ?? forms.other ?? '';
  }

  /** A name in another script must not turn the line round it. */
  #value(value: string | number): string {
    if (typeof value === 'number') return new Intl.NumberFormat(`${this.lang}-u-nu-latn`).format(value);
    return this.rtl || RTL_LETTERS.test(value) ? `${ISOLATE}${value}${POP}` : value;
  }
}
