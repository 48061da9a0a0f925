import { SignalClient } from '../client';
import type { LinkState, Options } from '../link';
import type { Env } from '../env';
import type { TicketAnswer } from '../line';
import type { Box, Own } from '../outbox';
import type { SocketEvents } from '../socket';
import type { ClientMessage, Header, Limits, Member, RoomView, ServerMessage, Timers } from '../types';

/** A clock that stands still until the test moves it. */
export class FakeEnv implements Env {
  time = 0;
  chance = 0.5;
  #timers: { at: number; act: () => void }[] = [];

  now(): number {
    return this.time;
  }

  date(): number {
    return this.time;
  }

  random(): number {
    return this.chance;
  }

  after(ms: number, act: () => void): () => void {
    const timer = { at: this.time + ms, act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Lets `ms` pass; what falls due runs in order. */
  pass(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.time = Math.max(this.time, next.at);
      next.act();
    }
    this.time = until;
  }
}

export type Sent = ClientMessage & { c?: number; session?: string };

/** The server's end of one socket. */
export class FakeSocket {
  readonly sent: Sent[] = [];
  closed = false;

  constructor(readonly on: SocketEvents) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Sent);
  }

  close(): void {
    this.closed = true;
  }

  say(frame: object): void {
    this.on.text(JSON.stringify(frame));
  }

  /** What was sent of one type. */
  of<T extends Sent['type']>(type: T): Extract<Sent, { type: T }>[] {
    return this.sent.filter((one): one is Extract<Sent, { type: T }> => one.type === type);
  }
}

export const CHAIN = '0123456789abcdef';
export const ME = '01938000-0000-7000-8000-000000000001';
export const HOST = '01938000-0000-7000-8000-000000000002';
export const SESSION = 'pAtIeNtPage0001';

export const waitingRoom: RoomView = {
  state: 'waiting',
  role: 'patient',
  phase: { is: 'open' },
  locked: false,
  extended_min: 0,
  members: [],
  waiting: [],
  chat: [],
};

export const physician: Member = {
  participant: HOST,
  role: 'host',
  name: 'Dr Amara Okafor',
  language: 'en',
  presence: { is: 'online' },
  media: { mic: true, camera: true, screen: false, signing: false },
  capabilities: { trickle: true, rollback: true },
  generation: 1,
  offerer: true,
  polite: true,
};

interface Welcome {
  s?: number;
  acked?: Record<string, number>;
  resumed?: 'full' | 'resync' | 'new';
  timers?: Partial<Timers>;
  limits?: Partial<Limits>;
}

/** One client with everything around it. */
export class World {
  readonly env = new FakeEnv();
  readonly sockets: FakeSocket[] = [];
  readonly saved: Box[][] = [];
  readonly acts: { message: ServerMessage; header: Header }[] = [];
  tickets = 0;
  answer: TicketAnswer = { is: 'ticket', ticket: 'ticket' };
  cleared = false;
  released = false;
  readonly states: LinkState[] = [];
  /** Of each room that was told: whether the log may have forgotten somebody. */
  readonly forgetful: boolean[] = [];
  own: Own[] = [];
  readonly options: Options;
  readonly client: SignalClient;

  constructor(older: Box[] = [], options: Partial<Options> = {}) {
    this.options = {
      visit: '01938000-0000-7000-8000-00000000000a',
      seat: ME,
      session: SESSION,
      older,
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
      keep: {
        save: (boxes) => this.saved.push(structuredClone([...boxes])),
        clear: () => (this.cleared = true),
        release: () => (this.released = true),
      },
      about: { capabilities: { trickle: true, rollback: true } },
      ...options,
    };
    this.client = new SignalClient(this.options);
    this.client.watch({
      state: (state) => this.states.push(state),
      room: (_, forgetful) => this.forgetful.push(forgetful),
      act: (message, header) => this.acts.push({ message, header }),
      own: (own) => (this.own = own),
    });
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  /** Opens the newest socket; `hello` is then sent. */
  async opened(): Promise<FakeSocket> {
    await Promise.resolve();
    await Promise.resolve();
    this.socket.on.open();
    return this.socket;
  }

  welcome({ s = 0, acked = {}, resumed = 'new', timers = {}, limits = {} }: Welcome = {}): void {
    this.socket.say({
      type: 'welcome',
      s,
      chain: CHAIN,
      session: SESSION,
      secret: 'secret',
      acked,
      resumed,
      server_time_ms: 0,
      timers,
      limits,
    });
  }

  snapshot(s: number, room: RoomView = waitingRoom, marks: Record<string, number> = {}): void {
    this.socket.say({ type: 'snapshot', s, chain: CHAIN, marks, room });
  }

  /** Turns the newest socket away. */
  refuse(error: object, code: number): void {
    this.socket.say({ type: 'error', ...error });
    this.socket.on.close(code);
  }

  /** A client that has joined and knows the room at `s`. */
  static async joined(s = 10, room = waitingRoom, welcome: Welcome = {}): Promise<World> {
    const world = new World();
    world.client.start();
    await world.opened();
    world.welcome({ s, ...welcome });
    world.snapshot(s, room);
    return world;
  }

  ack(c: number, more: object = {}): void {
    this.socket.say({ type: 'ack', session: SESSION, c, ...more });
  }
}
