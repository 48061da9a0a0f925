import { describe, expect, it } from 'vitest';
import type { PeerView } from '../call/call';
import { lossOf } from './lost';

const peer = (level: PeerView['level'], quietSince?: number): PeerView => ({
  participant: 'p',
  stream: {} as MediaStream,
  connected: true,
  level,
  quietSince,
});

describe('what a person is told about the line', () => {
  it('is nothing while picture and sound come', () => {
    expect(lossOf({ is: 'joined' }, [peer('good')], 10_000)).toEqual({ is: 'none' });
    expect(lossOf({ is: 'joined' }, [], 10_000)).toEqual({ is: 'none' });
  });

  it('is nothing for a cut that mends itself within 2 s', () => {
    expect(lossOf({ is: 'lost', since: 8_500 }, [peer('good')], 10_000)).toEqual({ is: 'none' });
  });

  it('is that only the service is away while picture and sound go on', () => {
    expect(lossOf({ is: 'lost', since: 3_000 }, [peer('good')], 10_000)).toEqual({ is: 'service', seconds: 7 });
  });

  it('is that the line is lost when nothing comes any more, counted from then', () => {
    expect(lossOf({ is: 'joined' }, [peer('lost', 4_000)], 10_000)).toEqual({ is: 'line', seconds: 6 });
    expect(lossOf({ is: 'joined' }, [peer('lost', 4_000), peer('good')], 10_000)).toEqual({ is: 'none' });
    expect(lossOf({ is: 'lost', since: 3_000 }, [], 10_000)).toEqual({ is: 'line', seconds: 7 });
  });
});
