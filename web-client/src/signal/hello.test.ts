import { describe, expect, it } from 'vitest';
import { SESSION, World } from './testing/world';

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
    world.refuse({ code: 'seat_taken', holder: 'oThErPage0000001' }, 4109);
    expect(world.client.state).toEqual({ is: 'taken', holder: 'oThErPage0000001' });
    world.env.pass(60_000);
    expect(world.sockets).toHaveLength(1);
    world.client.takeover();
    expect((await world.opened()).of('hello')[0]).toMatchObject({ takeover: 'oThErPage0000001', attempt: 2 });
    world.refuse({ code: 'seat_taken', holder: 'aThIrDpAgE000001' }, 4109);
    expect(world.client.state).toEqual({ is: 'taken', holder: 'aThIrDpAgE000001' });
  });

  it('does not ask once more who said already to bring the visit back', async () => {
    const world = new World([], { moveHere: true });
    world.client.start();
    await world.opened();
    world.refuse({ code: 'seat_taken', holder: 'oThErPage0000001' }, 4109);
    expect((await world.opened()).of('hello')[0]).toMatchObject({ takeover: 'oThErPage0000001' });
    world.refuse({ code: 'seat_taken', holder: 'aThIrDpAgE000001' }, 4109);
    expect(world.client.state).toEqual({ is: 'taken', holder: 'aThIrDpAgE000001' });
  });

  it('keeps the takeover through a lost socket, and forgets it with the welcome', async () => {
    const world = new World();
    world.client.start();
    await world.opened();
    world.refuse({ code: 'seat_taken', holder: 'oThErPage0000001' }, 4109);
    world.client.takeover();
    (await world.opened()).on.close(1006);
    world.env.pass(0);
    expect((await world.opened()).of('hello')[0]).toMatchObject({ takeover: 'oThErPage0000001' });
    world.welcome();
    world.socket.on.close(1006);
    world.env.pass(250);
    expect((await world.opened()).of('hello')[0]).not.toHaveProperty('takeover');
  });

  it('waits as long as too_early says, and says so', async () => {
    const world = new World();
    world.client.start();
    await world.opened();
    world.refuse({ code: 'too_early', retry_after_ms: 30_000 }, 4101);
    expect(world.client.state).toEqual({ is: 'early', opens: 30_000 });
    world.client.wake();
    world.env.pass(29_999);
    await Promise.resolve();
    expect(world.sockets).toHaveLength(1);
    world.env.pass(1);
    await world.opened();
    expect(world.sockets).toHaveLength(2);
  });

  it('comes back when the server said, if it could not read its store', async () => {
    const world = await World.joined();
    world.socket.on.close(4000);
    world.env.pass(0);
    await world.opened();
    world.refuse({ code: 'store_unavailable', retry_after_ms: 1_000 }, 4000);
    world.env.pass(999);
    expect(world.sockets).toHaveLength(2);
    world.env.pass(1);
    expect(world.sockets).toHaveLength(3);
  });

  it('fetches another ticket when the first was too old', async () => {
    const world = new World();
    world.client.start();
    await world.opened();
    world.refuse({ code: 'token_expired' }, 4100);
    world.env.pass(0);
    await world.opened();
    expect(world.tickets).toBe(2);
    expect(world.sockets).toHaveLength(2);
  });

  it('fetches a ticket when the secret is refused, and stops only when there is none', async () => {
    const world = await World.joined();
    world.socket.on.close(1006);
    world.env.pass(0);
    expect((await world.opened()).of('hello')[0]).toMatchObject({ secret: 'secret' });
    world.refuse({ code: 'unauthorized' }, 4100);
    expect(world.client.state.is).toBe('lost');
    world.env.pass(250);
    const hello = (await world.opened()).of('hello')[0];
    expect(hello).toMatchObject({ ticket: 'ticket', session: SESSION, last: { s: 10 } });
    expect(hello).not.toHaveProperty('secret');
    world.answer = { is: 'refused', reason: 'expired' };
    world.refuse({ code: 'unauthorized' }, 4100);
    expect(world.client.state).toEqual({ is: 'stopped', reason: 'auth' });
  });

  it.each([
    ['forbidden', 4102, 'removed'],
    ['forbidden', 4103, 'denied'],
    ['room_ended', 4104, 'ended'],
    ['too_late', 4101, 'expired'],
    ['bad_message', 4100, 'auth'],
  ] as const)('that is answered by %s and %i stops: %s', async (code, close, reason) => {
    const world = new World();
    world.client.start();
    await world.opened();
    world.refuse({ code }, close);
    expect(world.client.state).toEqual({ is: 'stopped', reason });
  });
});
