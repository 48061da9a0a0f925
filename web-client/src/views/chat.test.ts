import { describe, expect, it } from 'vitest';
import type { Own } from '../signal/outbox';
import type { ChatLine, Member } from '../signal/types';
import { linesUnsent, newest, saidIn, whyUnsent } from './chat';

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

  it('keep a line that was refused, with the reason, until its writer has done with it', () => {
    const { message, ...rest } = own('two', 2, true);
    const refused: Own = { ...rest, message: { type: 'nop' }, refused: { code: 'not_admitted', message } };
    const lines = saidIn([line('one', 'you', 1)], [refused], 'me');
    expect(lines[1]).toMatchObject({ text: 'two', mine: true, waits: false });
    expect(lines[1]?.refused).toEqual({ session: 'a', c: 1, why: 'not_admitted' });
    expect(linesUnsent([refused, own('three', 3, false)])).toBe(1);
    expect(saidIn([], [{ ...rest, message: { type: 'nop' } }], 'me')).toEqual([]);
  });

  it('give a reason that has no words of its own in general words', () => {
    expect([whyUnsent('room_ended'), whyUnsent('internal')]).toEqual(['room_ended', 'other']);
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
