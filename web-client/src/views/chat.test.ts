import { describe, expect, it } from 'vitest';
import type { Own } from '../signal/outbox';
import type { ChatLine, Member } from '../signal/types';
import { newest, saidIn } from './chat';

const line = (id: string, from: string, at_ms: number): ChatLine => ({ s: at_ms, id, from, text: id, to: '*', at_ms });
const own = (id: string, at_ms: number, acked: boolean): Own => ({
  ...{ session: 'a', c: 1, at_ms, acked },
  message: { type: 'chat', id, text: id, to: '*' },
});

describe('the messages of a visit', () => {
  it("have one's own between those of the others, by time", () => {
    const lines = saidIn([line('one', 'you', 1), line('three', 'you', 3)], [own('two', 2, true)], 'me');
    expect(lines.map(({ text, mine }) => [text, mine])).toEqual([
      ['one', false],
      ['two', true],
      ['three', false],
    ]);
  });

  it('have each line once, whether the room tells it or only the outbox holds it', () => {
    const lines = saidIn([line('one', 'me', 5)], [own('one', 1, true), own('two', 6, false)], 'me');
    expect(lines.map(({ text, waits }) => [text, waits])).toEqual([
      ['one', false],
      ['two', true],
    ]);
  });

  it('have a line of another by the same name too', () => {
    expect(saidIn([line('one', 'you', 5)], [own('one', 6, false)], 'me')).toHaveLength(2);
  });

  it('have no line without words', () => {
    expect(saidIn([{ ...line('one', 'you', 5), text: '', canned: 'late' }], [], 'me')).toEqual([]);
  });
});

it('the newest line is the last of another', () => {
  const members = [{ participant: 'you', name: 'Dr Amara Okafor' } as Member];
  expect(newest([line('one', 'you', 1), line('two', 'me', 2)], 'me', members)).toEqual({
    name: 'Dr Amara Okafor',
    text: 'one',
  });
  expect(newest([line('two', 'me', 2)], 'me', members)).toBeUndefined();
});
