import { describe, expect, it } from 'vitest';
import { type Judgement, LineWatch, type Sample } from './watch';

const usual: Sample = { now: 0, state: 'connected', received: 0, lost: 0, rtt_ms: 20, expected: true };

function play(watch: LineWatch, ...samples: Partial<Sample>[]): Judgement | undefined {
  return samples.map((sample) => watch.judge({ ...usual, ...sample })).at(-1);
}

describe('a line', () => {
  it('is good while packets come', () => {
    expect(play(new LineWatch(), { now: 0, received: 10 }, { now: 1_000, received: 60 })).toEqual({
      level: 'good',
      quietSince: undefined,
      act: 'nothing',
    });
  });

  it('is lost after 2 s without, and restarted after 3 s, then every 5 s, then built anew', () => {
    const watch = new LineWatch();
    play(watch, { now: 0, received: 10 });
    expect(play(watch, { now: 1_000, received: 10 })?.level).toBe('good');
    expect(play(watch, { now: 2_000, received: 10 })).toEqual({ level: 'lost', quietSince: 0, act: 'nothing' });
    const acts = [3, 4, 7, 8, 13, 18].map((s) => play(watch, { now: s * 1_000, received: 10 })?.act);
    expect(acts).toEqual(['restart', 'nothing', 'nothing', 'restart', 'restart', 'reset']);
    expect(play(watch, { now: 19_000, received: 20 })).toMatchObject({ level: 'good', act: 'nothing' });
  });

  it('is not lost when the other side sends nothing', () => {
    const watch = new LineWatch();
    play(watch, { now: 0, received: 10 });
    expect(play(watch, { now: 5_000, received: 10, expected: false })?.level).toBe('good');
  });

  it('that failed is restarted at once', () => {
    const watch = new LineWatch();
    play(watch, { now: 0, received: 10 });
    expect(play(watch, { now: 500, received: 10, state: 'failed' })).toMatchObject({ level: 'lost', act: 'restart' });
    expect(play(new LineWatch(), { state: 'failed' })).toMatchObject({ level: 'new', act: 'restart' });
  });

  it('is weak with more than 5 % lost, or a long way round', () => {
    const watch = new LineWatch();
    play(watch, { now: 0, received: 100 });
    expect(play(watch, { now: 1_000, received: 190, lost: 10 })?.level).toBe('weak');
    expect(play(watch, { now: 2_000, received: 290, lost: 10 })?.level).toBe('good');
    expect(play(watch, { now: 3_000, received: 390, lost: 10, rtt_ms: 900 })?.level).toBe('weak');
  });
});
