import { describe, expect, it } from 'vitest';
import { MARKS_KEPT } from './place';
import { HOST, ME, waitingRoom, World } from './testing/world';

const locked = (s: number, p: number, is = true) => ({
  type: 'locked',
  s,
  p,
  chain: `${s}`.padStart(16, '0'),
  from: HOST,
  session: 'hOsTpAgE00000001',
  c: s,
  locked: is,
});
const muteAsked = (s: number, p: number, c: number, session = 'hOsTpAgE00000001') => ({
  type: 'ask_mute',
  s,
  p,
  chain: `${s}`.padStart(16, '0'),
  from: HOST,
  session,
  c,
});

async function resume(world: World): Promise<void> {
  world.env.pass(0);
  await world.opened();
}

describe('frames', () => {
  it('are taken when p ≤ last < s', async () => {
    const world = await World.joined(10);
    world.socket.say(locked(12, 8));
    expect(world.client.room?.locked).toBe(true);
  });

  it('are dropped when s ≤ last', async () => {
    const world = await World.joined(10);
    world.socket.say(locked(10, 9));
    expect(world.client.room?.locked).toBe(false);
    expect(world.acts).toEqual([]);
  });

  it('after a gap bring the client to resume from its place', async () => {
    const world = await World.joined(10);
    world.socket.say(locked(14, 12));
    expect(world.client.state.is).toBe('lost');
    expect(world.client.room?.locked).toBe(false);
    await resume(world);
    expect(world.socket.of('hello')[0]).toMatchObject({ last: { s: 10 } });
    world.welcome({ s: 14, resumed: 'full' });
    world.socket.say(locked(12, 10, true));
    world.socket.say(locked(14, 12, false));
    expect(world.client.room?.locked).toBe(false);
    expect(world.client.state.is).toBe('joined');
  });

  it('of an unknown type or form are skipped but counted', async () => {
    const world = await World.joined(10);
    world.socket.say({ type: 'novelty', s: 11, p: 10, chain: '000000000000000b' });
    world.socket.say({ type: 'locked', s: 12, p: 11, chain: '000000000000000c' });
    world.socket.say(locked(13, 12));
    expect(world.client.room?.locked).toBe(true);
    expect(world.client.skipped).toBe(2);
    world.env.pass(1_000);
    expect(world.socket.of('ack').at(-1)).toEqual({ type: 'ack', s: 13, chain: '0000000000000013' });
  });

  it('that are no JSON object are skipped', async () => {
    const world = await World.joined(10);
    for (const text of ['{', '[]', '"text"', '{"type":"pong","s":"x"}']) world.socket.on.text(text);
    expect(world.client.skipped).toBe(4);
    expect(world.client.state.is).toBe('joined');
  });
});

describe('marks', () => {
  it('let a frame act once for each number of a session', async () => {
    const world = await World.joined(10);
    world.socket.say(muteAsked(11, 10, 5));
    world.socket.say(muteAsked(12, 11, 5));
    world.socket.say(muteAsked(13, 12, 6));
    expect(world.acts.map(({ header }) => header.c)).toEqual([5, 6]);
  });

  it('of a continuing page are its own, whatever the snapshot says', async () => {
    const world = await World.joined(10);
    world.socket.say(muteAsked(11, 10, 5));
    world.socket.say({ type: 'resync', s: 20, chain: '0', why: 'mended', acked: {} });
    world.socket.say(muteAsked(12, 3, 5));
    world.socket.say(muteAsked(15, 12, 6));
    world.snapshot(20, { ...waitingRoom, locked: true }, { hOsTpAgE00000001: 9 });
    world.socket.say(muteAsked(21, 20, 7));
    expect(world.acts.map(({ header }) => header.c)).toEqual([5, 6, 7]);
    expect(world.client.room?.locked).toBe(true);
  });

  it('of a new page are those of the snapshot', async () => {
    const world = new World();
    world.client.start();
    await world.opened();
    world.welcome({ s: 10 });
    world.snapshot(10, waitingRoom, { hOsTpAgE00000001: 5 });
    world.socket.say(muteAsked(11, 10, 5));
    world.socket.say(muteAsked(12, 11, 6));
    expect(world.acts.map(({ header }) => header.c)).toEqual([6]);
  });

  it('are not kept of what the log says itself, which acts when it is taken and not when it comes again', async () => {
    const names = ['k:hOsTpAgE00000001', 'p:hOsTpAgE00000001:1:left', 'd:1000'];
    const world = await World.joined(10);
    names.forEach((name, n) => world.socket.say(muteAsked(11 + n, 10 + n, 1, name)));
    world.socket.say(muteAsked(14, 13, 1, 'o:row'));
    expect(world.acts).toHaveLength(4);
    world.socket.say({ type: 'resync', s: 20, chain: '0', why: 'mended', acked: {} });
    names.forEach((name, n) => world.socket.say(muteAsked(11 + n, 10 + n, 1, name)));
    world.snapshot(20);
    expect(world.acts).toHaveLength(4);
    world.socket.on.close(1006);
    await resume(world);
    expect(world.socket.of('hello')[0]?.marks).toEqual({ 'o:row': 1 });
  });

  it('of a snapshot are not kept of what the log says itself', async () => {
    const world = new World();
    world.client.start();
    await world.opened();
    world.welcome({ s: 10 });
    world.snapshot(10, waitingRoom, { 'k:hOsTpAgE00000001': 1, hOsTpAgE00000001: 5 });
    world.socket.on.close(1006);
    await resume(world);
    expect(world.socket.of('hello')[0]?.marks).toEqual({ hOsTpAgE00000001: 5 });
  });

  it('leave hello below 64 KiB, however many pages came and went; those of who spoke last stay', async () => {
    const world = await World.joined(10);
    const name = (n: number): string => `${n}`.padStart(64, 'p');
    let at = 10;
    const ask = (c: number, session?: string): void => world.socket.say(muteAsked(++at, at - 1, c, session));
    for (let n = 1; n <= 950; n++) {
      ask(Number.MAX_SAFE_INTEGER, name(n));
      if (n % 200 === 0) ask(n);
    }
    world.socket.on.close(1006);
    await resume(world);
    const [hello] = world.socket.of('hello');
    expect(new TextEncoder().encode(JSON.stringify(hello)).length).toBeLessThan(48 * 1_024);
    expect(hello?.marks).toMatchObject({ hOsTpAgE00000001: 800, [name(950)]: Number.MAX_SAFE_INTEGER });
    expect(Object.keys(hello?.marks ?? {})).toHaveLength(MARKS_KEPT);
  });
});

describe('a resync', () => {
  it('replays what is kept, then the snapshot replaces the state', async () => {
    const world = await World.joined(10, { ...waitingRoom, locked: true });
    world.socket.on.close(1006);
    await resume(world);
    world.welcome({ s: 7, resumed: 'resync' });
    world.socket.say({ type: 'resync', s: 7, chain: '0', why: 'not_in_log', acked: {} });
    world.socket.say({ ...locked(5, 0), type: 'extended', extended_min: 5 });
    expect(world.client.room).toEqual({ ...waitingRoom, locked: true });
    world.snapshot(7, { ...waitingRoom, extended_min: 10 });
    expect(world.client.room).toEqual({ ...waitingRoom, extended_min: 10 });
    world.socket.say(locked(8, 5, true));
    expect(world.client.room?.locked).toBe(true);
  });

  it('brings back what the repaired log does not have', async () => {
    const world = await World.joined(10);
    world.client.send({ type: 'knock', device: { camera: 'ok', microphone: 'ok', speaker: 'unknown' } });
    world.ack(1);
    world.socket.say({ type: 'resync', s: 9, chain: '0', why: 'mended', acked: { pAtIeNtPage0001: 0 } });
    expect(world.socket.of('knock')).toHaveLength(2);
  });
});

describe('what is replayed before a snapshot', () => {
  it('acts when the room is known, and not before', async () => {
    const world = await World.joined(10);
    world.socket.say({ type: 'resync', s: 20, chain: '0', why: 'mended', acked: {} });
    world.socket.say(muteAsked(15, 12, 6));
    expect(world.acts).toEqual([]);
    world.snapshot(20);
    expect(world.acts.map(({ header }) => header.c)).toEqual([6]);
  });

  it('acts after the next one if the socket was lost meanwhile', async () => {
    const world = await World.joined(10);
    world.socket.say({ type: 'resync', s: 20, chain: '0', why: 'mended', acked: {} });
    world.socket.say(muteAsked(15, 12, 6));
    world.socket.on.close(1006);
    await resume(world);
    expect(world.socket.of('hello')[0]?.marks).toEqual({});
    world.welcome({ s: 20, resumed: 'resync' });
    world.socket.say({ type: 'resync', s: 20, chain: '0', why: 'not_in_log', acked: {} });
    world.socket.say(muteAsked(15, 12, 6));
    world.snapshot(20);
    expect(world.acts.map(({ header }) => header.c)).toEqual([6]);
  });

  it('is skipped and counted where its type is unknown', async () => {
    const world = await World.joined(10);
    world.socket.say({ type: 'resync', s: 20, chain: '0', why: 'mended', acked: {} });
    world.socket.say({ type: 'novelty', s: 15, p: 12, chain: '0', session: 'hOsTpAgE00000001', c: 6 });
    world.snapshot(20);
    world.socket.say(muteAsked(21, 20, 6));
    expect(world.acts).toEqual([]);
    expect(world.client.skipped).toBe(1);
  });
});

describe('a log that lost its history', () => {
  const resynced = async (world: World, s: number, acked: Record<string, number>): Promise<void> => {
    world.env.pass(5_001);
    world.socket.say({ type: 'pong', server_time_ms: 0 });
    world.socket.on.close(1006);
    await resume(world);
    world.welcome({ s, resumed: 'resync', acked });
    world.socket.say({ type: 'resync', s, chain: '0', why: 'not_in_log', acked });
    world.snapshot(s, { ...waitingRoom, extended_min: s });
  };

  it('is known by a head below the own place, or by less than it acknowledged', async () => {
    const world = await World.joined(10);
    world.client.send({ type: 'unknock' });
    world.ack(1);
    await resynced(world, 12, { pAtIeNtPage0001: 1 });
    await resynced(world, 11, { pAtIeNtPage0001: 1 });
    await resynced(world, 13, { pAtIeNtPage0001: 0 });
    await resynced(world, 14, { pAtIeNtPage0001: 0 });
    expect(world.forgetful).toEqual([false, false, true, true, false]);
  });

  it('is not meant by what the room tells afterwards', async () => {
    const world = await World.joined(10);
    await resynced(world, 4, {});
    world.socket.say(locked(5, 4));
    world.socket.say({ type: 'resync', s: 6, chain: '0', why: 'mended', acked: {} });
    world.snapshot(6, { ...waitingRoom, extended_min: 6 });
    expect(world.forgetful).toEqual([false, true, false, false]);
  });

  it('is remembered until the snapshot, also over another socket, unless that finds the own place', async () => {
    const world = await World.joined(10);
    world.client.send({ type: 'unknock' });
    world.ack(1);
    world.ack(0, { back: true });
    await resynced(world, 11, { pAtIeNtPage0001: 0 });
    world.ack(1);
    world.ack(0, { back: true });
    world.socket.on.close(1006);
    world.env.pass(250);
    await world.opened();
    world.welcome({ s: 11, resumed: 'full', acked: { pAtIeNtPage0001: 0 } });
    world.socket.say({ type: 'resync', s: 12, chain: '0', why: 'mended', acked: { pAtIeNtPage0001: 0 } });
    world.snapshot(12, { ...waitingRoom, extended_min: 12 });
    expect(world.forgetful).toEqual([false, true, false]);
  });
});

describe('ack', () => {
  it('tells the place at most once a second', async () => {
    const world = await World.joined(10);
    for (let s = 11; s < 20; s++) world.socket.say(locked(s, s - 1));
    expect(world.socket.of('ack')).toEqual([]);
    world.env.pass(1_000);
    expect(world.socket.of('ack')).toEqual([{ type: 'ack', s: 19, chain: '0000000000000019' }]);
    world.env.pass(2_000);
    expect(world.socket.of('ack')).toHaveLength(1);
  });

  it('of what is not the own seat changes nothing', async () => {
    const world = await World.joined(10);
    world.socket.say({ type: 'ack', session: 'sOmEbOdY', c: 4 });
    expect(world.client.seat).toBe(ME);
  });
});
