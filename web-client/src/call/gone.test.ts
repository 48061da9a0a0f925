import { beforeEach, describe, expect, it } from 'vitest';
import { HOST } from '../signal/testing/world';
import { CallWorld, peer, roomWith, settle } from './testing/call';

let world: CallWorld;

beforeEach(() => {
  world = new CallWorld();
});

describe('a person who goes', () => {
  it.each(['held', 'removed', 'ended'] as const)('%s: the connection is closed at once', async (how) => {
    world.call.sync(roomWith(peer));
    await settle();
    world.call.sync(how === 'ended' ? { ...roomWith(peer), phase: { is: 'ended', reopen_until_ms: 1 } } : roomWith());
    expect(world.pc.connectionState).toBe('closed');
    expect(world.views).toEqual([]);
  });

  it('and said goodbye is not called again before coming back', async () => {
    world.call.sync(roomWith(peer));
    await settle();
    const gone = roomWith({ ...peer, presence: { is: 'left', why: 'bye' } });
    world.call.sync(gone);
    world.call.act({ type: 'left', participant: HOST, why: 'bye' }, {});
    world.call.sync(gone);
    expect(world.pc.connectionState).toBe('closed');
    expect(world.pcs).toHaveLength(1);
    world.call.sync(roomWith({ ...peer, generation: 2 }));
    expect(world.pcs).toHaveLength(2);
  });

  const lose = (generation = 1): void => {
    world.call.sync(roomWith({ ...peer, generation, presence: { is: 'left', why: 'lost' } }));
    world.call.act({ type: 'left', participant: HOST, why: 'lost' }, {});
  };

  it('and was only lost keeps the connection, also when the same page comes back', async () => {
    world.call.sync(roomWith(peer));
    await settle();
    world.pc.become('connected');
    lose();
    world.pc.become('disconnected');
    world.pc.become('connected');
    expect(world.views).toMatchObject([{ participant: HOST, connected: true }]);
    world.call.sync(roomWith(peer));
    expect(world.pcs).toHaveLength(1);
    expect(world.pc.connectionState).toBe('connected');
    expect(world.of('reset')).toEqual([]);
  });

  it('and was lost with the whole line has none when that fails, and a new one when they are back', async () => {
    world.call.sync(roomWith(peer));
    await settle();
    world.pc.become('connected');
    lose();
    world.pc.become('failed');
    expect(world.pc.connectionState).toBe('closed');
    expect(world.views).toEqual([]);
    world.call.sync(roomWith(peer));
    await settle();
    expect(world.pcs).toHaveLength(2);
    expect(world.of('sdp').map(({ generation }) => generation)).toEqual([1, 1]);
  });

  it.each(['new', 'connecting', 'failed'] as const)('and is lost while it is %s does not keep it', async (state) => {
    world.call.sync(roomWith(peer));
    await settle();
    world.pc.become(state);
    lose();
    expect(world.pc.connectionState).toBe('closed');
    expect(world.views).toEqual([]);
  });

  it('and comes back as a new page after being lost is called by a new connection', async () => {
    world.call.sync(roomWith(peer));
    await settle();
    world.pc.become('connected');
    lose();
    world.call.sync(roomWith({ ...peer, generation: 2 }));
    await settle();
    expect(world.pcs.map(({ connectionState }) => connectionState)).toEqual(['closed', 'new']);
  });
});
