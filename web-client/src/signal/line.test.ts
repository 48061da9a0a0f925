import { describe, expect, it } from 'vitest';
import { reconnectDelay } from './backoff';
import { SESSION, World } from './testing/world';
import { USUAL_TIMERS } from './types';

describe('hello', () => {
  it('carries a fresh ticket and the own session at first, the secret and the place on a resume', async () => {
    const world = new World();
    world.client.start();
    const first = await world.opened();
    expect(first.of('hello')[0]).toMatchObject({
      session: SESSION,
      attempt: 1,
      ticket: 'ticket',
      outbox: [{ session: SESSION, first_c: 1, next_c: 1 }],
    });
    expect(first.of('hello')[0]).not.toHaveProperty('last');
    world.welcome({ s: 4 });
    world.snapshot(4, undefined, { aBcDeFgH: 3 });
    first.on.close(4001);
    world.env.pass(0);
    const second = await world.opened();
    expect(second.of('hello')[0]).toMatchObject({
      attempt: 2,
      secret: 'secret',
      last: { s: 4 },
      marks: { aBcDeFgH: 3 },
    });
    expect(second.of('hello')[0]).not.toHaveProperty('ticket');
    expect(world.tickets).toBe(1);
  });

  it('stops when the ticket is refused and tries again when the service is not reached', async () => {
    const refused = new World();
    refused.answer = { is: 'refused', reason: 'auth' };
    refused.client.start();
    await Promise.resolve();
    await Promise.resolve();
    expect(refused.client.state).toEqual({ is: 'stopped', reason: 'auth' });

    const later = new World();
    later.answer = { is: 'later' };
    later.client.start();
    await Promise.resolve();
    await Promise.resolve();
    expect(later.client.state.is).toBe('lost');
    later.answer = { is: 'ticket', ticket: 'second' };
    later.env.pass(0);
    expect((await later.opened()).of('hello')[0]).toMatchObject({ ticket: 'second' });
  });

  it('asks the person when another page has the seat, and moves it only from that holder', async () => {
    const world = new World();
    world.client.start();
    await world.opened();
    world.socket.say({ type: 'error', code: 'seat_taken', holder: 'oThErPage0000001' });
    expect(world.client.state).toEqual({ is: 'taken', holder: 'oThErPage0000001' });
    world.env.pass(60_000);
    expect(world.sockets).toHaveLength(1);
    world.client.takeover();
    expect((await world.opened()).of('hello')[0]).toMatchObject({ takeover: 'oThErPage0000001', attempt: 2 });
  });

  it('waits as long as too_early says', async () => {
    const world = new World();
    world.client.start();
    await world.opened();
    world.socket.say({ type: 'error', code: 'too_early', retry_after_ms: 30_000 });
    world.env.pass(29_999);
    await Promise.resolve();
    expect(world.sockets).toHaveLength(1);
    world.env.pass(1);
    await world.opened();
    expect(world.sockets).toHaveLength(2);
  });
});

describe('a line that is lost', () => {
  it.each([4000, 4001, 4002, 4008, 4009, 1006, 1001])('comes back after close code %i', async (code) => {
    const world = await World.joined();
    world.socket.on.close(code);
    expect(world.client.state.is).toBe('lost');
    world.env.pass(0);
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
    expect(world.cleared).toBe(['removed', 'denied', 'ended'].includes(reason));
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

  it('comes back at once when the network does', async () => {
    const world = await World.joined();
    for (let n = 0; n < 6; n++) {
      world.socket.on.close(1006);
      world.env.pass(5_000);
    }
    world.socket.on.close(1006);
    const before = world.sockets.length;
    world.client.wake();
    expect(world.sockets).toHaveLength(before + 1);
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
    old.on.close(4104);
    old.say({ type: 'locked', s: 11, p: 10, chain: 'ffffffffffffffff', locked: true });
    expect(world.client.state.is).toBe('joined');
    expect(world.client.room?.locked).toBe(false);
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
  it('moves to another node within the window', async () => {
    const world = await World.joined();
    world.socket.say({ type: 'drain', within_ms: 10_000, restart: false });
    world.env.pass(4_999);
    expect(world.client.state.is).toBe('joined');
    world.env.pass(2);
    expect(world.client.state.is).not.toBe('joined');
  });

  it('waits for the close where there is no other node', async () => {
    const world = await World.joined();
    world.socket.say({ type: 'drain', within_ms: 3_000, restart: true });
    world.env.pass(3_500);
    expect(world.client.state.is).toBe('joined');
  });
});
