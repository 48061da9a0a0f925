import { describe, expect, it } from 'vitest';
import type { PeerView } from '../call/call';
import type { LinkState } from '../signal/link';
import type { Member } from '../signal/types';
import { lossOf } from './lost';

const peer = (level: PeerView['level'], quietSince?: number): PeerView => ({
  participant: 'p',
  member: {} as Member,
  stream: {} as MediaStream,
  connected: true,
  level,
  quietSince,
});

const JOINED: LinkState = { is: 'joined', degraded: false };
const lost = (since: number): LinkState => ({ is: 'lost', since, tries: 2, restart: false });

describe('what a person is told about the line', () => {
  it('is nothing while picture and sound come', () => {
    expect(lossOf(JOINED, [peer('good')], 10_000)).toEqual({ is: 'none' });
    expect(lossOf(JOINED, [], 10_000)).toEqual({ is: 'none' });
  });

  it('is nothing for a cut that mends itself within 2 s', () => {
    expect(lossOf(lost(8_500), [peer('good')], 10_000)).toEqual({ is: 'none' });
  });

  it('is that only the service is away while picture and sound go on', () => {
    expect(lossOf(lost(3_000), [peer('good')], 10_000)).toEqual({
      is: 'service',
      seconds: 7,
      tries: 2,
      restart: false,
    });
  });

  it('is that the line is lost when nothing comes any more, counted from then', () => {
    expect(lossOf(JOINED, [peer('lost', 4_000)], 10_000)).toEqual({ is: 'line', seconds: 6, tries: 0, restart: false });
    expect(lossOf(JOINED, [peer('lost', 4_000), peer('good')], 10_000)).toEqual({ is: 'none' });
    expect(lossOf(lost(3_000), [], 10_000)).toEqual({ is: 'line', seconds: 7, tries: 2, restart: false });
  });

  it('is that the service keeps nothing, while it is there', () => {
    expect(lossOf({ is: 'joined', degraded: true }, [peer('good')], 10_000)).toEqual({ is: 'degraded' });
  });
});
