import { expect, it } from 'vitest';
import type { Progress } from '../../api/client';
import { tellProgress } from './progress';

it('the desk is told each step up to the one that was reached, the next when the one before has arrived', async () => {
  const told: Progress[] = [];
  let arrived = (): void => undefined;
  const tell = (step: Progress): Promise<void> => {
    told.push(step);
    return new Promise((resolve) => (arrived = resolve));
  };
  const all = tellProgress(tell, 'checked_in');
  expect(told).toEqual(['opened']);
  arrived();
  await Promise.resolve();
  expect(told).toEqual(['opened', 'testing']);
  arrived();
  await Promise.resolve();
  arrived();
  await all;
  expect(told).toEqual(['opened', 'testing', 'checked_in']);
});

it('a page that is still at the check says no more than that', async () => {
  const told: Progress[] = [];
  await tellProgress((step) => Promise.resolve(told.push(step)), 'testing');
  expect(told).toEqual(['opened', 'testing']);
});
