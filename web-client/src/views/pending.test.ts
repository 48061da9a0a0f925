import { expect, it } from 'vitest';
import type { Own } from '../signal/outbox';
import type { DurableMessage } from '../signal/types';
import { linesWaiting, pendingOf } from './pending';

const own = (c: number, message: DurableMessage, more: Partial<Own> = {}): Own => ({
  ...{ session: 'a', c, at_ms: 1_000, acked: false, message },
  ...more,
});
const said: Own[] = [
  own(1, { type: 'admit', participant: 'p' }, { acked: true }),
  own(2, { type: 'admit', participant: 'q' }),
  own(3, { type: 'media', mic: true, camera: true, screen: false, signing: false }),
  own(4, { type: 'chat', id: '4', text: 'x', to: '*' }),
  own(5, { type: 'nop' }),
  own(6, { type: 'end' }, { at_ms: 1_500 }),
];

it('a decision that the log does not have after a second is told, and nothing else', () => {
  expect(pendingOf(said, 1_999)).toEqual([]);
  expect(pendingOf(said, 2_000)).toEqual([{ session: 'a', c: 2, what: 'admit', participant: 'q' }]);
  expect(pendingOf(said, 2_500).map(({ what }) => what)).toEqual(['admit', 'end']);
});

it('lines that wait are counted', () => {
  expect(linesWaiting(said)).toBe(1);
});
