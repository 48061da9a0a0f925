import { describe, expect, it } from 'vitest';
import { reconnectDelay } from './backoff';
import { HOST, SESSION, World } from './testing/world';
import { USUAL_TIMERS } from './types';

describe('a line that is lost', () => {
  it.each([4000, 4001, 4002, 4008, 4009, 4050, 1006, 1001])('comes back after close code %i', async (code) => {
    const world = await World.joined();
    world.socket.on.close(code);
    expect(world.client.state.is).toBe('lost');
    world.env.pass(code === 4008 ? 1_000 : 0);
    await world.opened();
    world.welcome({ resumed: 'full' });
    expect(world.client.state.is).toBe('joined');
  });

  it.each([
    [4100, 'auth'],
    [4101, 'expired'],
    [4102, 'removed'],
    [4103, 'denied'],
    [4104, 'ended'],
    [4109, 'superseded'],
    [4150, 'unknown'],
  ] as const)('stops after close code %i: %s', async (code, reason) => {
    const world = await World.joined();
    world.socket.on.close(code);
    expect(world.client.state).toEqual({ is: 'stopped', reason });
    world.env.pass(60_000);
    expect(world.sockets).toHaveLength(1);
    expect(world.cleared).toBe(['removed', 'denied', 'ended', 'expired'].includes(reason));
  });

  it.each(['cancelled', 'revoked'] as const)('stops with the reason that a notice gave: %s', async (kind) => {
    for (const [code, reason] of [
      [4100, kind],
      [4101, kind],
      [4104, 'ended'],
    ] as const) {
      const world = await World.joined();
      world.socket.say({ type: 'notice', kind, s: 11, p: 10, chain: '000000000000000b', session: 'o:row', c: 1 });
      expect(world.client.state.is).toBe('joined');
      world.socket.on.close(code);
      expect(world.client.state).toEqual({ is: 'stopped', reason });
      expect(world.cleared).toBe(true);
    }
  });

  it('waits 0, then 250·2ⁿ ± 50 %, at most 5 s', () => {
    expect(reconnectDelay(0, 0.9, USUAL_TIMERS)).toBe(0);
    expect(reconnectDelay(1, 0, USUAL_TIMERS)).toBe(125);
    expect(reconnectDelay(1, 1, USUAL_TIMERS)).toBe(375);
    expect(reconnectDelay(3, 0.5, USUAL_TIMERS)).toBe(1_000);
    for (let n = 0; n < 100; n++) expect(reconnectDelay(n, 1, USUAL_TIMERS)).toBeLessThanOrEqual(5_000);
  });

  it('does not spin when each welcome is followed by a close', async () => {
    const world = await World.joined();
    world.socket.on.close(4000);
    world.env.pass(0);
    await world.opened();
    world.welcome({ resumed: 'full' });
    world.socket.on.close(4000);
    world.env.pass(249);
    expect(world.sockets).toHaveLength(2);
    world.env.pass(1);
    expect(world.sockets).toHaveLength(3);
  });

  it('tells since when, and how often it was tried', async () => {
    const world = await World.joined();
    world.env.pass(3_000);
    world.socket.say({ type: 'pong', server_time_ms: 0 });
    world.socket.on.close(1006);
    expect(world.client.state).toEqual({ is: 'lost', since: 3_000, tries: 0, restart: false });
    world.env.pass(0);
    world.socket.on.close(1006);
    world.env.pass(250);
    world.socket.on.close(1006);
    expect(world.client.state).toEqual({ is: 'lost', since: 3_000, tries: 2, restart: false });
  });

  it('comes back at once when the network does, and waits little again after that', async () => {
    const world = await World.joined();
    for (let n = 0; n < 6; n++) {
      world.socket.on.close(1006);
      world.env.pass(5_000);
    }
    world.socket.on.close(1006);
    const before = world.sockets.length;
    world.client.wake();
    expect(world.sockets).toHaveLength(before + 1);
    world.socket.on.close(1006);
    world.env.pass(0);
    expect(world.sockets).toHaveLength(before + 2);
  });

  it('does not hang in a try that began in the network before', async () => {
    const world = await World.joined();
    world.socket.on.close(1006);
    world.env.pass(0);
    const hanging = world.socket;
    world.env.pass(2_999);
    world.client.wake();
    expect(world.sockets).toHaveLength(2);
    world.env.pass(1);
    world.client.wake();
    expect(world.sockets).toHaveLength(3);
    expect(hanging.closed).toBe(true);
  });

  it('waits after close code 4008', async () => {
    const world = await World.joined();
    world.socket.on.close(4008);
    world.env.pass(999);
    expect(world.sockets).toHaveLength(1);
    world.env.pass(1);
    expect(world.sockets).toHaveLength(2);
  });

  it('is not tried again before retry_after_ms', async () => {
    const world = await World.joined();
    world.socket.say({ type: 'error', code: 'rate_limited', retry_after_ms: 7_000 });
    world.socket.on.close(4008);
    world.client.wake();
    world.env.pass(6_999);
    expect(world.sockets).toHaveLength(1);
    world.env.pass(1);
    expect(world.sockets).toHaveLength(2);
  });

  it('gives up a socket on which no welcome comes', async () => {
    const world = new World();
    world.client.start();
    const first = await world.opened();
    world.env.pass(2 * USUAL_TIMERS.hello_ms);
    expect(first.closed).toBe(true);
    expect(world.client.state.is).toBe('lost');
  });

  it('does not hear a socket that was replaced', async () => {
    const world = await World.joined();
    const old = world.socket;
    old.on.close(1006);
    world.env.pass(0);
    await world.opened();
    world.welcome({ resumed: 'full' });
    const sent = old.sent.length;
    old.say({ type: 'locked', s: 11, p: 10, chain: 'ffffffffffffffff', from: HOST, locked: true });
    old.say({ type: 'ack', session: SESSION, c: 0, back: true });
    old.on.open();
    old.on.close(4104);
    expect(world.client.state.is).toBe('joined');
    expect(world.client.room?.locked).toBe(false);
    expect(old.sent).toHaveLength(sent);
  });
});

describe('the heartbeat', () => {
  it('asks every ping_ms and gives up after dead_ms without any frame', async () => {
    const world = await World.joined();
    world.env.pass(4_000);
    expect(world.socket.of('ping')).toHaveLength(1);
    world.socket.say({ type: 'pong', server_time_ms: 1 });
    world.env.pass(4_000);
    expect(world.socket.of('ping')).toHaveLength(2);
    world.env.pass(2_999);
    expect(world.client.state.is).toBe('joined');
    world.env.pass(1);
    expect(world.client.state.is).toBe('lost');
  });

  it('asks at once when the page is looked at again', async () => {
    const world = await World.joined();
    world.client.wake();
    expect(world.socket.of('ping')).toHaveLength(1);
  });

  it('takes the timers of welcome', async () => {
    const world = await World.joined(10, undefined, { timers: { ping_ms: 200, dead_ms: 150 } });
    world.env.pass(350);
    expect(world.client.state.is).toBe('lost');
  });
});

describe('a drain', () => {
  const draining = async (): Promise<World> => {
    const world = await World.joined();
    world.socket.say({ type: 'drain', within_ms: 10_000, restart: false });
    world.env.pass(4_999);
    expect(world.sockets).toHaveLength(1);
    world.env.pass(1);
    expect(world.sockets).toHaveLength(2);
    return world;
  };

  it('opens the new socket first, and closes the old one when the new one has the seat', async () => {
    const world = await draining();
    const [old] = world.sockets;
    const fresh = await world.opened();
    expect(fresh.of('hello')[0]).toMatchObject({ attempt: 2, secret: 'secret', last: { s: 10 } });
    old?.say({ type: 'locked', s: 11, p: 10, chain: '000000000000000b', locked: true });
    expect(world.client.room?.locked).toBe(true);
    world.client.send({ type: 'media', mic: false, camera: true, screen: false, signing: false });
    expect(old?.of('media')).toHaveLength(1);
    expect(old?.closed).toBe(false);
    world.welcome({ s: 11, resumed: 'full' });
    expect(old?.closed).toBe(true);
    expect(fresh.of('media')).toHaveLength(1);
    fresh.say({ type: 'locked', s: 11, p: 10, chain: '000000000000000b', locked: true });
    expect(world.states.map(({ is }) => is)).toEqual(['connecting', 'joined', 'joined']);
  });

  it('goes on trying beside the old socket, which is used as long as it lasts', async () => {
    const world = await draining();
    const [old] = world.sockets;
    (await world.opened()).on.close(4009);
    expect(world.client.state.is).toBe('joined');
    world.env.pass(0);
    expect(world.sockets).toHaveLength(3);
    old?.on.close(4009);
    expect(world.client.state.is).toBe('lost');
    await world.opened();
    world.welcome({ resumed: 'full' });
    expect(world.client.state.is).toBe('joined');
  });

  it('waits for the close where there is no other node, and knows that the service comes back', async () => {
    const world = await World.joined();
    world.socket.say({ type: 'drain', within_ms: 3_000, restart: true });
    world.env.pass(3_500);
    expect(world.sockets).toHaveLength(1);
    world.socket.on.close(4009);
    expect(world.client.state).toMatchObject({ is: 'lost', restart: true });
    world.env.pass(0);
    await world.opened();
    world.welcome({ resumed: 'full' });
    world.socket.on.close(1006);
    expect(world.client.state).toMatchObject({ is: 'lost', restart: false });
  });
});

it('a log that is away is told, until it is back', async () => {
  const world = await World.joined();
  world.socket.say({ type: 'degraded' });
  expect(world.client.state).toEqual({ is: 'joined', degraded: true });
  world.socket.say({ type: 'recovered' });
  expect(world.client.state).toEqual({ is: 'joined', degraded: false });
});
