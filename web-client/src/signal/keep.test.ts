import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openKeep } from './keep';
import type { Box } from './outbox';

const SEAT = 'seat';
const KEY = `hg:outbox:${SEAT}`;
const box = (session: string, more: Partial<Box> = {}): Box => ({ session, next_c: 1, acked: 0, entries: [], ...more });
const entry = (c: number, text = 'x') =>
  ({ c, at_ms: 0, message: { type: 'chat', id: `${c}`, text, to: '*' } }) as const;

/** What all tabs of a browser share. */
class Locks {
  readonly #held = new Map<string, Promise<unknown>>();

  async request(name: string, ...rest: unknown[]): Promise<unknown> {
    const act = rest.at(-1) as () => unknown;
    const signal = rest.length > 1 ? (rest[0] as { signal: AbortSignal }).signal : undefined;
    const before = this.#held.get(name);
    if (before && signal) {
      const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      await Promise.race([before, aborted]);
    }
    const held = Promise.resolve(act());
    this.#held.set(name, held);
    await held;
    this.#held.delete(name);
    return held;
  }
}

let storage: Map<string, string>;
let room: number;

/** Another tab: `copied` is what `sessionStorage` has there at its start. */
function tab(copied = new Map<string, string>()): void {
  storage = copied;
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => storage.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (value.length > room) throw new Error('QuotaExceededError');
      storage.set(key, value);
    },
    removeItem: (key: string) => storage.delete(key),
  });
}

beforeEach(() => {
  room = Infinity;
  vi.stubGlobal('navigator', { locks: new Locks() });
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    const gone = new AbortController();
    queueMicrotask(() => queueMicrotask(() => gone.abort()));
    return gone.signal;
  });
  tab();
});

describe('the next life of a page', () => {
  it('gets what the one before kept', async () => {
    const first = await openKeep(SEAT);
    expect(first.older).toEqual([]);
    first.keep.save([box('a', { next_c: 3, acked: 1, entries: [entry(2)] })]);
    first.keep.release();
    await Promise.resolve();
    expect((await openKeep(SEAT)).older).toEqual([box('a', { next_c: 3, acked: 1, entries: [entry(2)] })]);
  });

  it('gets nothing of another seat, and nothing that is no outbox', async () => {
    (await openKeep('other')).keep.save([box('a')]);
    expect((await openKeep(SEAT)).older).toEqual([]);
    storage.set(KEY, '[{"session":"a"},7]');
    expect((await openKeep(SEAT)).older).toEqual([]);
    storage.set(KEY, '{');
    expect((await openKeep(SEAT)).older).toEqual([]);
  });

  it('gets nothing after the end', async () => {
    const { keep } = await openKeep(SEAT);
    keep.save([box('a')]);
    keep.clear();
    expect(storage.size).toBe(0);
  });
});

describe('a duplicated tab', () => {
  it('is a new session while the first one lives', async () => {
    (await openKeep(SEAT)).keep.save([box('a')]);
    tab(new Map(storage));
    const second = await openKeep(SEAT);
    expect(second.older).toEqual([]);
    second.keep.save([box('b')]);
    expect(storage.get(KEY)).toContain('"b"');
  });

  it('is the heir of one that is gone', async () => {
    const { keep } = await openKeep(SEAT);
    keep.save([box('a')]);
    const copy = new Map(storage);
    keep.release();
    await Promise.resolve();
    tab(copy);
    expect((await openKeep(SEAT)).older).toEqual([box('a')]);
  });

  it('of a page that began another session is told apart by that one', async () => {
    const { keep } = await openKeep(SEAT);
    keep.save([box('a')]);
    keep.save([box('a'), box('b')]);
    await Promise.resolve();
    tab(new Map(storage));
    expect((await openKeep(SEAT)).older).toEqual([]);
  });
});

describe('a storage that is full', () => {
  it('keeps what the log does not have', async () => {
    const { keep } = await openKeep(SEAT);
    const long = 'x'.repeat(1_000);
    room = 1_500;
    keep.save([box('a', { next_c: 4, acked: 2, entries: [entry(1, long), entry(2, long), entry(3)] })]);
    keep.release();
    await Promise.resolve();
    expect((await openKeep(SEAT)).older).toEqual([box('a', { next_c: 4, acked: 2, entries: [entry(3)] })]);
  });

  it('stops nothing', async () => {
    const { keep } = await openKeep(SEAT);
    room = 0;
    expect(() => keep.save([box('a', { next_c: 2, entries: [entry(1)] })])).not.toThrow();
  });
});
