import { beforeEach, describe, expect, it } from 'vitest';
import { type FakeEnv, HOST, ME, waitingRoom } from '../signal/testing/world';
import type { DurableMessage } from '../signal/types';
import type { Call } from './call';
import { CallWorld, peer, roomWith, settle } from './testing/call';
import type { FakePc } from './testing/pc';

let world: CallWorld;
let env: FakeEnv;
let pcs: FakePc[];
let sent: DurableMessage[];
let call: Call;

const of = <T extends DurableMessage['type']>(type: T) => world.of(type);
const pc = (): FakePc => world.pc;
const offer = (generation: number) => ({ type: 'sdp', pc: 'av', generation, kind: 'offer', sdp: 'theirs' }) as const;

beforeEach(() => {
  world = new CallWorld();
  ({ env, pcs, sent, call } = world);
});

describe('the first offer', () => {
  it('is made by the side that the server names', async () => {
    call.sync(roomWith(peer));
    await settle();
    expect(of('sdp')).toEqual([{ type: 'sdp', to: HOST, pc: 'av', generation: 1, kind: 'offer', sdp: 'local new' }]);
  });

  it('is waited for by the other side, which answers with what it has', async () => {
    call.sync(roomWith({ ...peer, offerer: false }));
    await settle();
    expect(sent).toEqual([]);
    const video = { kind: 'video' } as MediaStreamTrack;
    call.setTracks({ audio: undefined, video });
    call.act(offer(1), { from: HOST });
    await settle();
    expect(of('sdp')).toMatchObject([{ kind: 'answer', generation: 1 }]);
    expect(pc().getTransceivers()).toMatchObject([
      { kind: 'audio', direction: 'sendrecv', sender: { track: null } },
      { kind: 'video', direction: 'sendrecv', sender: { track: video } },
    ]);
  });
});

describe('generations', () => {
  it('that are over are not heard', async () => {
    call.sync(roomWith({ ...peer, offerer: false, generation: 3 }));
    call.act(offer(2), { from: HOST });
    call.act({ type: 'ice', pc: 'av', generation: 2, candidates: [{ candidate: 'candidate:1' }] }, { from: HOST });
    await settle();
    expect(sent).toEqual([]);
    expect(pc().remoteDescription).toBeNull();
  });

  it('that begin bring a new connection, with the same offerer', async () => {
    call.sync(roomWith(peer));
    await settle();
    call.sync(roomWith({ ...peer, generation: 2 }));
    await settle();
    expect(pcs.map(({ connectionState }) => connectionState)).toEqual(['closed', 'new']);
    expect(of('sdp').map(({ generation }) => generation)).toEqual([1, 2]);
  });

  it('that stay the same keep the connection through a snapshot', async () => {
    call.sync(roomWith(peer));
    await settle();
    pc().become('connected');
    call.sync(roomWith({ ...peer }));
    expect(pcs).toHaveLength(1);
    expect(pc().connectionState).toBe('connected');
  });

  it('of another media connection are none of this one', async () => {
    call.sync(roomWith({ ...peer, offerer: false }));
    call.act({ ...offer(1), pc: 'screen' }, { from: HOST });
    await settle();
    expect(sent).toEqual([]);
  });
});

describe('a connection that stays new', () => {
  it('is reset with the next generation, with more time at each try', async () => {
    call.sync(roomWith(peer));
    await settle();
    env.pass(1_199);
    expect(of('reset')).toEqual([]);
    env.pass(1);
    expect(of('reset')).toEqual([{ type: 'reset', to: HOST, pc: 'av', generation: 2 }]);
    env.pass(2_399);
    expect(of('reset')).toHaveLength(1);
    env.pass(1);
    expect(of('reset').at(-1)).toMatchObject({ generation: 3 });
  });

  it('is not reset once it connects, nor while nobody is there to answer', async () => {
    call.sync(roomWith(peer));
    await settle();
    pc().become('connecting');
    env.pass(10_000);
    expect(of('reset')).toEqual([]);

    call.sync(roomWith({ ...peer, generation: 2, presence: { is: 'reconnecting', since_ms: 0 } }));
    env.pass(10_000);
    expect(of('reset')).toEqual([]);
    call.sync(roomWith({ ...peer, generation: 2 }));
    world.joined = false;
    env.pass(10_000);
    expect(of('reset')).toEqual([]);
    world.joined = true;
    env.pass(1_200);
    expect(of('reset')).toMatchObject([{ generation: 3 }]);
  });

  it('that both sides reset at once ends in the same generation', async () => {
    call.sync(roomWith(peer));
    await settle();
    env.pass(1_200);
    call.sync(roomWith({ ...peer, generation: 2 }));
    expect(pcs).toHaveLength(2);
  });
});

describe('candidates', () => {
  it('are collected for 50 ms, at most 20 in a message', async () => {
    call.sync(roomWith(peer));
    await settle();
    for (let n = 0; n < 45; n++) pc().found(n);
    expect(of('ice').map(({ candidates }) => candidates.length)).toEqual([20, 20]);
    env.pass(50);
    expect(of('ice').map(({ candidates }) => candidates.length)).toEqual([20, 20, 5]);
    expect(of('ice')[0]?.candidates[0]).toEqual({ candidate: 'candidate:0', sdp_mid: '0', sdp_m_line_index: 0 });
  });

  it('go into the description for a side that does not trickle', async () => {
    call.sync(roomWith({ ...peer, capabilities: { trickle: false, rollback: true } }));
    await settle();
    pc().found(1);
    expect(sent).toEqual([]);
    pc().iceGatheringState = 'complete';
    pc().onicegatheringstatechange?.();
    await settle();
    expect(sent).toMatchObject([{ type: 'sdp', kind: 'offer' }]);
  });

  it('that come before the description wait for it', async () => {
    call.sync(roomWith({ ...peer, offerer: false }));
    call.act(
      { type: 'ice', pc: 'av', generation: 1, candidates: [{ candidate: 'candidate:1' }, { candidate: '' }] },
      { from: HOST },
    );
    await settle();
    expect(pc().added).toEqual([]);
    call.act(offer(1), { from: HOST });
    await settle();
    expect(pc().added).toMatchObject([{ candidate: 'candidate:1' }]);
  });
});

describe('offers that meet in mid-call', () => {
  it.each([
    [true, 'answer'],
    [false, 'offer'],
  ] as const)('polite %s: the last word is its %s', async (polite, kind) => {
    call.sync(roomWith({ ...peer, polite }));
    await settle();
    call.act(offer(1), { from: HOST });
    await settle();
    expect(of('sdp').at(-1)?.kind).toBe(kind);
  });
});

describe('a room whose log lost its history', () => {
  const flowing = async (generation: number): Promise<void> => {
    call.sync(roomWith({ ...peer, generation }));
    await settle();
    call.act({ ...offer(generation), kind: 'answer' }, { from: HOST });
    await settle();
    pc().become('connected');
  };

  it('leaves the connection with somebody who has not come back yet, and it goes on when they do', async () => {
    await flowing(3);
    call.sync(roomWith(), true);
    expect(pc().connectionState).toBe('connected');
    expect(world.views).toMatchObject([{ participant: HOST, member: { name: 'Dr Amara Okafor' } }]);
    call.sync({ ...roomWith(), locked: true });
    expect(pc().connectionState).toBe('connected');
    call.sync(roomWith({ ...peer, generation: 1 }));
    env.pass(60_000);
    expect(pcs).toHaveLength(1);
    expect(pc().connectionState).toBe('connected');
    pc().restartIce();
    await settle();
    expect(of('sdp').at(-1)).toMatchObject({ kind: 'offer', generation: 1 });
  });

  it('calls a connection by its new number where the other was back first', async () => {
    await flowing(3);
    call.sync(roomWith({ ...peer, generation: 1 }), true);
    pc().found(1);
    env.pass(50);
    expect(pcs).toHaveLength(1);
    expect(of('ice').at(-1)).toMatchObject({ generation: 1 });
  });

  it('does not keep it for longer than a seat is waited for', async () => {
    await flowing(1);
    call.sync(roomWith(), true);
    env.pass(44_999);
    expect(pc().connectionState).toBe('connected');
    env.pass(1);
    expect(pc().connectionState).toBe('closed');
    expect(world.views).toEqual([]);
  });

  it('does not keep one that does not flow', async () => {
    call.sync(roomWith(peer));
    await settle();
    call.sync(roomWith(), true);
    expect(pc().connectionState).toBe('closed');
  });

  it.each([
    { type: 'held', participant: HOST },
    { type: 'removed', participant: HOST },
    { type: 'stepped_out', participant: HOST },
    { type: 'left', participant: HOST, why: 'bye' },
  ] as const)('does not keep it when $type says that they went', async (message) => {
    await flowing(1);
    call.sync(roomWith(), true);
    call.act(message, {});
    expect(pc().connectionState).toBe('closed');
    expect(world.views).toEqual([]);
  });

  it('does not keep it when the person is out, or all is over', async () => {
    await flowing(1);
    call.sync(roomWith(), true);
    call.sync({ ...waitingRoom, state: 'held' }, true);
    expect(pc().connectionState).toBe('closed');
  });

  it('is found out by an offer of another connection: that is a new page', async () => {
    const fingerprint = (is: string): string => `v=0\r\na=fingerprint:sha-256 ${is}\r\n`;
    call.sync(roomWith({ ...peer, offerer: false }));
    call.act({ ...offer(1), sdp: fingerprint('AA:01') }, { from: HOST });
    await settle();
    call.act({ ...offer(1), sdp: `${fingerprint('AA:01')}a=ice-ufrag:2\r\n` }, { from: HOST });
    await settle();
    expect(pcs).toHaveLength(1);
    call.act({ ...offer(1), sdp: fingerprint('BB:02') }, { from: HOST });
    await settle();
    expect(pcs).toHaveLength(2);
    expect(pc().remoteDescription?.sdp).toContain('BB:02');
  });
});

it('is silent about a person whom the room does not name', async () => {
  call.sync(roomWith());
  call.act(offer(1), { from: ME });
  await settle();
  expect(pcs).toEqual([]);
});
