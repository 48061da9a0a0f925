import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DeskClient, type DeskLink } from './desk';
import type { TicketAnswer } from './line';
import { FakeEnv, FakeSocket } from './testing/world';
import { type DeskVisit, USUAL_TIMERS } from './types';

const ONE = '01938000-0000-7000-8000-00000000000a';
const TWO = '01938000-0000-7000-8000-00000000000b';
const row = (visit: string, state: DeskVisit['state'], since_ms = 1): DeskVisit => ({ visit, state, since_ms });

class DeskWorld {
  readonly env = new FakeEnv();
  readonly sockets: FakeSocket[] = [];
  readonly links: DeskLink[] = [];
  readonly changes: (string | undefined)[] = [];
  visits: ReadonlyMap<string, DeskVisit> = new Map();
  tickets = 0;
  answer: TicketAnswer = { is: 'ticket', ticket: 'ticket' };
  readonly client = new DeskClient(
    {
      session: 'deskOfSomebody01',
      open: (on) => {
        const socket = new FakeSocket(on);
        this.sockets.push(socket);
        return socket;
      },
      ticket: () => {
        this.tickets++;
        return Promise.resolve(this.answer);
      },
      env: this.env,
    },
    {
      link: (link) => this.links.push(link),
      visits: (visits, changed) => {
        this.visits = visits;
        this.changes.push(changed && `${changed.visit === ONE ? 'one' : 'two'} ${changed.state}`);
      },
    },
  );

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  get link(): DeskLink['is'] | undefined {
    return this.links.at(-1)?.is;
  }

  /** Lets the ticket arrive. */
  async answered(): Promise<void> {
    for (let n = 0; n < 4; n++) await Promise.resolve();
  }

  async opened(): Promise<void> {
    await this.answered();
    this.socket.on.open();
  }

  snapshot(...visits: DeskVisit[]): void {
    this.socket.say({ type: 'desk_snapshot', at: 1, visits });
  }

  change(visit: DeskVisit, at: number, s = 0): void {
    this.socket.say({ type: 'desk', at, s, ...visit });
  }

  static async open(...visits: DeskVisit[]): Promise<DeskWorld> {
    const world = new DeskWorld();
    world.client.start();
    await world.opened();
    world.snapshot(...visits);
    return world;
  }
}

describe('the desk', () => {
  it('shows a ticket, and no seat', async () => {
    const world = await DeskWorld.open();
    expect(world.socket.of('hello')).toEqual([
      { type: 'hello', desk: true, session: 'deskOfSomebody01', attempt: 1, outbox: [], ticket: 'ticket' },
    ]);
    expect(world.links.map(({ is }) => is)).toEqual(['connecting', 'open']);
  });

  it('takes the snapshot and then each change', async () => {
    const world = await DeskWorld.open(row(ONE, 'scheduled'), row(TWO, 'waiting'));
    expect([...world.visits.values()].map(({ state }) => state)).toEqual(['scheduled', 'waiting']);
    const before = world.visits;
    world.change({ ...row(ONE, 'opened', 9), by: 'p' }, 5);
    world.change(row(TWO, 'in_visit'), 5, 3);
    expect(world.visits.get(ONE)).toEqual({ visit: ONE, state: 'opened', since_ms: 9, by: 'p' });
    expect(before.get(ONE)?.state).toBe('scheduled');
    expect(world.changes).toEqual([undefined, 'one opened', 'two in_visit']);
  });

  it('passes over what was overtaken, visit by visit', async () => {
    const world = await DeskWorld.open(row(ONE, 'scheduled'), row(TWO, 'scheduled'));
    world.change(row(ONE, 'waiting'), 9, 7);
    world.change(row(ONE, 'opened'), 8, 9);
    world.change(row(ONE, 'opened'), 9, 6);
    world.change(row(TWO, 'opened'), 3);
    world.change(row(ONE, 'in_visit'), 9, 8);
    expect(world.changes).toEqual([undefined, 'one waiting', 'two opened', 'one in_visit']);
  });

  it.each([4000, 4001, 4002, 4009, 1006])('comes back after close code %i, and the snapshot replaces', async (code) => {
    const world = await DeskWorld.open(row(ONE, 'waiting'), row(TWO, 'waiting'));
    world.change(row(ONE, 'in_visit'), 50, 50);
    world.socket.on.close(code);
    expect(world.link).toBe('lost');
    expect(world.visits.size).toBe(2);
    world.env.pass(0);
    await world.opened();
    world.snapshot(row(ONE, 'ended'));
    expect(world.link).toBe('open');
    expect([...world.visits.values()].map(({ state }) => state)).toEqual(['ended']);
    expect(world.tickets).toBe(2);
    expect(world.socket.of('hello')[0]?.attempt).toBe(2);
    // What is older than before the loss may be newer than the snapshot.
    world.change(row(ONE, 'waiting'), 20, 1);
    expect(world.visits.get(ONE)?.state).toBe('waiting');
  });

  it('waits longer each time, and tells since when', async () => {
    const world = await DeskWorld.open();
    world.env.pass(100);
    world.socket.on.close(1006);
    const since = world.env.time;
    world.answer = { is: 'later' };
    world.env.pass(0);
    await world.answered();
    expect(world.tickets).toBe(2);
    world.env.pass(249);
    await world.answered();
    expect(world.tickets).toBe(2);
    world.env.pass(1);
    await world.answered();
    expect(world.tickets).toBe(3);
    expect(world.links.at(-1)).toEqual({ is: 'lost', since });
    world.answer = { is: 'ticket', ticket: 'another' };
    world.client.wake();
    await world.opened();
    world.snapshot();
    expect(world.link).toBe('open');
  });

  it('says hello as the fixture has it', async () => {
    const fixture = new URL('../../../crates/protocol/fixtures/client/hello.desk.json', import.meta.url);
    const world = await DeskWorld.open();
    expect(world.socket.of('hello')).toEqual([JSON.parse(readFileSync(fixture, 'utf8'))]);
  });

  it('notices a line that went dead in silence', async () => {
    const world = await DeskWorld.open();
    world.env.pass(USUAL_TIMERS.ping_ms);
    expect(world.socket.of('ping')).toHaveLength(1);
    world.socket.say({ type: 'pong', server_time_ms: 1 });
    world.env.pass(USUAL_TIMERS.ping_ms + USUAL_TIMERS.dead_ms - 1);
    expect(world.link).toBe('open');
    world.env.pass(1);
    expect(world.link).toBe('lost');
  });

  it('asks for a sign of life when the page is looked at again', async () => {
    const world = await DeskWorld.open();
    world.client.wake();
    expect(world.socket.of('ping')).toHaveLength(1);
  });

  it('is signed out when no ticket is given', async () => {
    const world = await DeskWorld.open(row(ONE, 'waiting'));
    world.answer = { is: 'refused', reason: 'auth' };
    world.socket.on.close(4100);
    expect(world.link).toBe('lost');
    await world.answered();
    expect(world.link).toBe('signed_out');
    world.env.pass(60_000);
    world.client.wake();
    expect(world.sockets).toHaveLength(1);
  });

  it('fetches another ticket when one was not taken, but not without a pause', async () => {
    const world = new DeskWorld();
    world.client.start();
    await world.opened();
    world.socket.say({ type: 'error', code: 'token_expired' });
    world.socket.on.close(4100);
    world.env.pass(USUAL_TIMERS.reconnect_max_ms - 1);
    await world.answered();
    expect(world.tickets).toBe(1);
    world.env.pass(1);
    await world.opened();
    world.snapshot();
    expect(world.link).toBe('open');
  });

  it('is quiet once it is closed', async () => {
    const world = await DeskWorld.open();
    world.client.close();
    expect(world.socket.closed).toBe(true);
    world.env.pass(60_000);
    world.change(row(ONE, 'waiting'), 9);
    expect(world.changes).toEqual([undefined]);
    expect(world.sockets).toHaveLength(1);
  });
});
