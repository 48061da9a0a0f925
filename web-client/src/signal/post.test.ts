import { describe, expect, it } from 'vitest';
import { SESSION, World } from './testing/world';

const sentC = (world: World): (number | undefined)[] => world.socket.of('chat').map(({ c }) => c);
const chat = (id: string) => ({ type: 'chat', id, text: id, to: 'staff' }) as const;

describe('messages that are not acknowledged', () => {
  it('go out after waits that double up to 8 s while nothing moves', async () => {
    const world = await World.joined();
    const at: number[] = [];
    world.client.send(chat('a'));
    for (let ms = 0; ms < 40_000; ms += 500) {
      if (ms % 2_000 === 0) world.socket.say({ type: 'pong', server_time_ms: 0 });
      const before = sentC(world).length;
      world.env.pass(500);
      if (sentC(world).length > before) at.push(world.env.time);
    }
    expect(at).toEqual([1_000, 3_000, 7_000, 15_000, 23_000, 31_000, 39_000]);
  });

  it('begin with the shortest wait again when an acknowledgement moves, and not when it does not', async () => {
    const world = await World.joined();
    for (const id of ['a', 'b']) world.client.send(chat(id));
    world.env.pass(3_000);
    world.socket.say({ type: 'pong', server_time_ms: 0 });
    world.ack(0);
    const before = sentC(world).length;
    world.env.pass(3_900);
    expect(sentC(world)).toHaveLength(before);
    world.socket.say({ type: 'pong', server_time_ms: 0 });
    world.ack(1);
    world.env.pass(1_000);
    expect(sentC(world).slice(before)).toEqual([2]);
  });

  it('begin with the shortest wait again after a welcome', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.env.pass(3_000);
    world.socket.on.close(4000);
    world.env.pass(0);
    await world.opened();
    world.welcome({ resumed: 'full' });
    world.env.pass(1_000);
    expect(sentC(world)).toEqual([1, 1]);
  });

  it('go out at once when the log can be reached again', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.env.pass(3_000);
    world.socket.say({ type: 'degraded' });
    world.env.pass(3_000);
    expect(sentC(world)).toHaveLength(3);
    world.socket.say({ type: 'recovered' });
    expect(sentC(world)).toHaveLength(4);
    world.env.pass(1_000);
    expect(sentC(world)).toHaveLength(5);
  });
});

describe('messages', () => {
  it('that are refused are still told with the reason, also by the next life of the page, until that is dismissed', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.client.send(chat('b'));
    world.socket.say({ type: 'error', code: 'too_large', for_c: 1 });
    const refused = { code: 'too_large', message: { type: 'chat', text: 'a' } };
    expect(world.own).toMatchObject([{ c: 1, message: { type: 'nop' }, refused }, { c: 2 }]);
    world.env.pass(50);
    const next = new World(world.saved.at(-1));
    next.client.start();
    expect(next.own[0]).toMatchObject({ session: SESSION, c: 1, refused });
    next.client.dismiss(SESSION, 1);
    expect(next.own[0]).not.toHaveProperty('refused');
    next.env.pass(50);
    expect(next.saved.at(-1)?.[0]?.entries[0]).toEqual({ c: 1, at_ms: 0, message: { type: 'nop' } });
  });

  it('that are taken back are told no longer', async () => {
    const world = await World.joined();
    world.client.send(chat('a'));
    world.client.withdraw(SESSION, 1);
    expect(world.own[0]).not.toHaveProperty('refused');
  });
});
