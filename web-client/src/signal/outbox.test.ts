import { describe, expect, it } from 'vitest';
import type { Box } from './outbox';
import { Outbox } from './outbox';
import { ME, SESSION, World } from './testing/world';
import type { DurableMessage } from './types';

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

  it('go out again after retransmit_ms while unacknowledged', async () => {
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

  it('that are refused a second time, after a resync, are no news', async () => {
    const refused = (s: number, p: number) => ({
      ...{ type: 'refused', s, p, chain: 'ffffffffffffffff', from: ME, session: SESSION, c: 1, for_c: 1 },
      code: 'not_admitted',
    });
    const world = await World.joined();
    world.client.send(chat('a'));
    world.socket.say(refused(11, 10));
    world.socket.say({ type: 'resync', s: 12, chain: '0', why: 'mended', acked: { [SESSION]: 1 } });
    world.socket.say(refused(11, 10));
    world.snapshot(12);
    expect(world.acts.map(({ message }) => message.type)).toEqual(['refused']);
  });

  it('are paused for retry_after_ms', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.socket.say({ type: 'error', code: 'rate_limited', for_c: 1, retry_after_ms: 2_500 });
    world.client.send(chat('b'));
    world.env.pass(2_499);
    expect(sentC(world)).toEqual([1]);
    world.env.pass(1);
    expect(sentC(world)).toEqual([1, 1, 2]);
    world.env.pass(1_000);
    expect(sentC(world)).toEqual([1, 1, 2, 1, 2]);
  });

  it('that a log asks for, but are held no longer, are told by a new claim', async () => {
    const world = await World.joined();
    for (let n = 0; n < 400; n++) world.client.send(chat('a'));
    world.ack(400);
    world.ack(20, { back: true });
    expect(world.client.state.is).toBe('lost');
    world.env.pass(0);
    expect((await world.opened()).of('hello')[0]?.outbox).toEqual([{ session: SESSION, first_c: 101, next_c: 401 }]);
    world.welcome({ resumed: 'full', acked: { [SESSION]: 100 } });
    expect(sentC(world)).toEqual(Array.from({ length: 32 }, (_, n) => 101 + n));
  });

  it('are told with what became of them', async () => {
    const world = await World.joined();
    world.env.pass(700);
    world.client.send(chat('a'));
    world.client.send(chat('b'));
    expect(world.own).toMatchObject([
      { session: SESSION, c: 1, at_ms: 700, acked: false },
      { c: 2, acked: false },
    ]);
    world.ack(1);
    expect(world.own.map(({ acked }) => acked)).toEqual([true, false]);
  });
});

describe('a message that is taken back', () => {
  it('goes out as nop under its number, also where it was sent before', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.client.send(chat('b'));
    expect(world.client.withdraw(SESSION, 1)).toBe(true);
    expect(world.own.map(({ message }) => message.type)).toEqual(['nop', 'chat']);
    world.env.pass(1_000);
    expect(world.socket.sent.slice(-2)).toMatchObject([
      { type: 'nop', c: 1 },
      { type: 'chat', c: 2 },
    ]);
    expect(world.client.send(chat('c'))).toBe(3);
  });

  it('stays when the log has it', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.ack(1);
    expect(world.client.withdraw(SESSION, 1)).toBe(false);
    expect(world.own[0]?.message.type).toBe('chat');
  });

  it('is kept as nop for the next life of the page', () => {
    const world = new World();
    world.client.start();
    world.client.send(chat('a'));
    world.client.withdraw(SESSION, 1);
    world.env.pass(50);
    expect(world.saved.at(-1)?.[0]?.entries.map(({ message }) => message.type)).toEqual(['nop']);
  });
});

describe('what is not as it must be gets no number', () => {
  const limits = { chat_chars: 3, sdp_bytes: 10, ice_batch: 1, frame_bytes: 400 };
  const sdp = (text: string) =>
    ({ type: 'sdp', to: ME, pc: 'av', generation: 1, kind: 'offer', sdp: text }) as const satisfies DurableMessage;
  const candidate = { candidate: 'candidate:1' };
  it.each<[string, DurableMessage]>([
    ['a long text', chat('long')],
    ['no text', chat('')],
    ['a long name', { ...chat('a'), id: 'i'.repeat(65) }],
    ['a long line for a person', { type: 'admit', participant: ME, message: 'long' }],
    ['a long description', sdp('12345678901')],
    ['many candidates', { type: 'ice', to: ME, pc: 'av', generation: 1, candidates: [candidate, candidate] }],
    ['many minutes', { type: 'extend', minutes: 61 }],
    ['a short number', { type: 'call_me', number: '1' }],
  ])('%s', async (_, message) => {
    const world = await World.joined(10, undefined, { limits });
    expect(world.client.send(message)).toBeUndefined();
    expect(world.client.send(chat('a'))).toBe(1);
  });

  it('a description that is long only in its frame', async () => {
    const world = await World.joined(10, undefined, { limits: { ...limits, sdp_bytes: 300 } });
    expect(world.client.send(sdp('x'.repeat(150)))).toBe(1);
    expect(world.client.send(sdp('\r\n'.repeat(75)))).toBeUndefined();
  });

  it('anything once all is over', async () => {
    const world = await World.joined();
    world.socket.on.close(4104);
    expect(world.client.send(chat('a'))).toBeUndefined();
  });
});

describe('an older life of the page', () => {
  const older: Box[] = [
    {
      session: 'oLdErPage0000001',
      next_c: 4,
      acked: 1,
      entries: [1, 2, 3].map((c) => ({ c, at_ms: 0, message: chat(`old${c}`) })),
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

  it('is sent whole before the own messages, however little may be in flight', async () => {
    const world = new World(older);
    world.client.start();
    world.client.send(chat('new'));
    await world.opened();
    world.welcome({ acked: { oLdErPage0000001: 0 }, limits: { in_flight: 2 } });
    expect(sentC(world)).toEqual([1, 2]);
    world.socket.say({ type: 'ack', session: 'oLdErPage0000001', c: 2 });
    expect(sentC(world)).toEqual([1, 2, 3, 1]);
  });

  it('learns that one of its messages was refused', async () => {
    const world = new World(older);
    world.client.start();
    await world.opened();
    world.welcome({ s: 30, acked: { oLdErPage0000001: 3 } });
    world.socket.say({
      ...{ type: 'refused', s: 20, p: 12, chain: 'ffffffffffffffff', from: ME, session: 'oLdErPage0000001', c: 2 },
      ...{ for_c: 2, code: 'not_admitted' },
    });
    world.snapshot(30, undefined, { oLdErPage0000001: 3 });
    expect(world.acts).toMatchObject([{ message: { type: 'refused', for_c: 2 } }]);
    expect(world.own.map(({ message }) => message.type)).toEqual(['chat', 'nop', 'chat']);
  });

  it('is one of 16 that hello may name', () => {
    const boxes = Array.from({ length: 20 }, (_, n) => ({ session: `page${n}`, next_c: 1, acked: 0, entries: [] }));
    expect(new Outbox(SESSION, boxes).ranges().map(({ session }) => session)).toEqual([
      ...Array.from({ length: 15 }, (_, n) => `page${n + 5}`),
      SESSION,
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
