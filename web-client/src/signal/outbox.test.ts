import { describe, expect, it } from 'vitest';
import type { Box } from './outbox';
import { Outbox } from './outbox';
import { ME, SESSION, World } from './testing/world';

const sentC = (world: World): (number | undefined)[] => world.socket.of('chat').map(({ c }) => c);
const chat = (id: string) => ({ type: 'chat', id, text: id, to: 'staff' }) as const;

describe('durable messages', () => {
  it('are numbered from 1 and sent once joined', async () => {
    const world = new World();
    world.client.start();
    world.client.send(chat('a'));
    await world.opened();
    expect(sentC(world)).toEqual([]);
    world.welcome();
    world.client.send(chat('b'));
    expect(sentC(world)).toEqual([1, 2]);
  });

  it('go out again every retransmit_ms while unacknowledged', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.client.send(chat('b'));
    world.env.pass(1_000);
    expect(sentC(world)).toEqual([1, 2, 1, 2]);
    world.ack(1);
    world.env.pass(1_000);
    expect(sentC(world)).toEqual([1, 2, 1, 2, 2]);
    world.ack(2);
    world.socket.say({ type: 'pong', server_time_ms: 0 });
    world.env.pass(1_900);
    expect(sentC(world)).toHaveLength(5);
  });

  it('above what welcome acknowledges go out again after a resume, even below what was acknowledged before', async () => {
    const world = await World.joined();
    for (const id of ['a', 'b', 'c']) world.client.send(chat(id));
    world.ack(2);
    world.socket.on.close(4000);
    world.env.pass(0);
    await world.opened();
    world.welcome({ resumed: 'full', acked: { [SESSION]: 1 } });
    expect(sentC(world)).toEqual([2, 3]);
  });

  it('go out again after ack{back}', async () => {
    const world = await World.joined();
    for (const id of ['a', 'b', 'c']) world.client.send(chat(id));
    world.ack(3);
    world.ack(1);
    expect(sentC(world)).toEqual([1, 2, 3]);
    world.ack(1, { back: true });
    expect(sentC(world)).toEqual([1, 2, 3, 2, 3]);
  });

  it('wait while limits.in_flight are unacknowledged', async () => {
    const world = await World.joined(10, undefined, { limits: { in_flight: 2 } });
    for (const id of ['a', 'b', 'c', 'd']) world.client.send(chat(id));
    expect(sentC(world)).toEqual([1, 2]);
    world.ack(1);
    expect(sentC(world)).toEqual([1, 2, 3]);
    world.ack(3);
    expect(sentC(world)).toEqual([1, 2, 3, 4]);
  });

  it('that are refused leave a nop under their number', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.socket.say({
      type: 'refused',
      s: 11,
      p: 10,
      chain: 'ffffffffffffffff',
      from: ME,
      session: SESSION,
      c: 1,
      for_c: 1,
      code: 'not_admitted',
    });
    world.env.pass(1_000);
    expect(world.socket.of('nop')).toEqual([{ type: 'nop', c: 1 }]);
    expect(world.acts.at(-1)?.message.type).toBe('refused');
  });

  it('that could not be read leave a nop, those that only came too early do not', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.client.send(chat('b'));
    world.socket.say({ type: 'error', code: 'bad_message', for_c: 1 });
    world.socket.say({ type: 'error', code: 'store_unavailable', for_c: 2 });
    world.env.pass(1_000);
    expect(world.socket.sent.slice(-2)).toMatchObject([
      { type: 'nop', c: 1 },
      { type: 'chat', c: 2 },
    ]);
  });

  it('above a limit get no number', async () => {
    const world = await World.joined(10, undefined, { limits: { chat_chars: 3 } });
    expect(world.client.send(chat('long'))).toBeUndefined();
    expect(world.client.send(chat('a'))).toBe(1);
  });
});

describe('an older life of the page', () => {
  const older: Box[] = [
    {
      session: 'oLdErPage0000001',
      next_c: 4,
      acked: 1,
      entries: [1, 2, 3].map((c) => ({ c, message: chat(`old${c}`) })),
    },
  ];

  it('keeps its session and numbers, and goes out first', async () => {
    const world = new World(older);
    world.client.start();
    world.client.send(chat('new'));
    const socket = await world.opened();
    expect(socket.of('hello')[0]?.outbox).toEqual([
      { session: 'oLdErPage0000001', first_c: 1, next_c: 4 },
      { session: SESSION, first_c: 1, next_c: 2 },
    ]);
    world.welcome({ acked: { oLdErPage0000001: 2 } });
    expect(socket.of('chat').map(({ c, session }) => [session, c])).toEqual([
      ['oLdErPage0000001', 3],
      [undefined, 1],
    ]);
  });

  it('is kept for the next one, with what this page numbered', async () => {
    const world = new World(older);
    world.client.start();
    await world.opened();
    world.welcome();
    world.client.send(chat('new'));
    world.env.pass(50);
    expect(world.saved.at(-1)?.map(({ session, next_c }) => [session, next_c])).toEqual([
      ['oLdErPage0000001', 4],
      [SESSION, 2],
    ]);
  });
});

describe('the outbox', () => {
  it('keeps 300 after they were acknowledged', () => {
    const outbox = new Outbox(SESSION);
    for (let n = 0; n < 400; n++) outbox.push({ type: 'nop' });
    outbox.acknowledge(SESSION, 350, false);
    expect(outbox.ranges()).toEqual([{ session: SESSION, first_c: 51, next_c: 401 }]);
    outbox.acknowledge(SESSION, 60, true);
    expect(outbox.take(32)[0]).toContain('"c":61');
  });

  it('never has more in flight than the limit', () => {
    const outbox = new Outbox(SESSION);
    for (let n = 0; n < 50; n++) outbox.push({ type: 'nop' });
    expect(outbox.take(32)).toHaveLength(32);
    outbox.rewind();
    expect(outbox.take(32)).toHaveLength(32);
    expect(outbox.inFlight()).toBe(32);
  });
});

describe('leaving', () => {
  it('says bye, waits until the log has it, and stops', async () => {
    const world = await World.joined();
    world.client.leave({ type: 'bye' });
    world.client.leave({ type: 'bye' });
    expect(world.socket.of('bye')).toEqual([{ type: 'bye', c: 1 }]);
    expect(world.client.state.is).toBe('joined');
    world.ack(1);
    expect(world.client.state).toEqual({ is: 'stopped', reason: 'left' });
    expect(world.socket.closed).toBe(true);
    expect(world.released).toBe(true);
  });

  it('does not wait for ever', async () => {
    const world = await World.joined();
    world.client.leave({ type: 'bye' });
    world.env.pass(1_000);
    expect(world.client.state.is).toBe('stopped');
  });
});
