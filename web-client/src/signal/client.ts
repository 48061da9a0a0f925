import { tooLarge } from './check';
import type { StopReason } from './codes';
import type { Cancel, Env } from './env';
import { Heartbeat } from './heartbeat';
import type { Keep } from './keep';
import { type Credential, Line, type LineOptions } from './line';
import { type Box, Outbox } from './outbox';
import { parseFrame } from './parse';
import { Place } from './place';
import { reduce } from './reduce';
import type {
  DurableMessage,
  ErrorCode,
  Header,
  Hello,
  PassingMessage,
  RoomView,
  ServerFrame,
  ServerMessage,
} from './types';
import { type Limits, type Timers, USUAL_LIMITS, USUAL_TIMERS } from './types';

export type LinkState =
  | { is: 'idle' }
  | { is: 'connecting' }
  | { is: 'joined' }
  /** Comes back by itself; `since` in `env.now()`. */
  | { is: 'lost'; since: number }
  /** Another page has the seat: the person is asked. */
  | { is: 'taken'; holder: string }
  | { is: 'stopped'; reason: StopReason };

export interface Watcher {
  state?(state: LinkState): void;
  room?(room: RoomView): void;
  /** A frame whose cause is new to this page, after `room`. */
  act?(message: ServerMessage, header: Header): void;
}

export interface Options extends LineOptions {
  visit: string;
  seat: string;
  session: string;
  older: Box[];
  keep: Keep;
  about: Pick<Hello, 'capabilities' | 'zone' | 'locale'>;
}

type Welcome = Extract<ServerMessage, { type: 'welcome' }>;
type Fault = Extract<ServerMessage, { type: 'error' }>;

/** Answers to `hello` after which coming back changes nothing. */
const FINAL: Partial<Record<ErrorCode, StopReason>> = {
  forbidden: 'auth',
  unauthorized: 'auth',
  too_late: 'expired',
  room_ended: 'ended',
};
/** After these the message still stands: it is sent again by the timer. */
const RESENT: ReadonlySet<ErrorCode> = new Set(['gap', 'rate_limited', 'store_unavailable', 'internal']);

const ACK_EVERY_MS = 1_000;
const KEEP_AFTER_MS = 50;
const GOODBYE_MS = 1_000;

/** One page's seat in a visit's room: joins, keeps its messages until the log has them, comes back by itself. */
export class SignalClient {
  limits: Limits = USUAL_LIMITS;
  /** Frames of a type or form that this client does not know. */
  skipped = 0;

  readonly #with: Options;
  readonly #env: Env;
  readonly #line: Line;
  readonly #outbox: Outbox;
  readonly #place = new Place();
  readonly #heartbeat: Heartbeat;
  readonly #watchers = new Set<Watcher>();
  #state: LinkState = { is: 'idle' };
  #room: RoomView | undefined;
  #attempt = 0;
  #takeover: string | undefined;
  #leaving: Cancel | undefined;
  #retransmit: Cancel | undefined;
  #ack: Cancel | undefined;
  #drain: Cancel | undefined;
  #save: Cancel | undefined;

  constructor(options: Options) {
    this.#with = options;
    this.#env = options.env;
    this.#outbox = new Outbox(options.session, options.older);
    this.#line = new Line(options, {
      hello: (credential) => this.#hello(credential),
      text: (text) => this.#onText(text),
      lost: () => this.#onLost(),
      stopped: (reason) => this.#stop(reason),
    });
    this.#heartbeat = new Heartbeat(
      options.env,
      () => this.sendPassing({ type: 'ping' }),
      () => this.#line.lose(),
    );
  }

  get state(): LinkState {
    return this.#state;
  }

  get room(): RoomView | undefined {
    return this.#room;
  }

  get seat(): string {
    return this.#with.seat;
  }

  get timers(): Timers {
    return this.#line.timers;
  }

  /** What a later session of this page holds as its older ones. */
  get boxes(): Box[] {
    return [...this.#outbox.boxes];
  }

  watch(watcher: Watcher): Cancel {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  start(): void {
    if (this.#state.is !== 'idle') return;
    this.persist();
    this.#become({ is: 'connecting' });
    this.#line.connect();
  }

  /** Numbers a message and sends it, now or when the line is back. `undefined`: it is above a limit. */
  send(message: DurableMessage): number | undefined {
    if (tooLarge(message, this.limits)) return undefined;
    const c = this.#outbox.push(message);
    this.#save ??= this.#env.after(KEEP_AFTER_MS, () => this.persist());
    this.#flush();
    return c;
  }

  /** Sends what is not worth keeping, if the line is there. */
  sendPassing(message: PassingMessage): void {
    if (this.#state.is === 'joined') this.#line.send(JSON.stringify(message));
  }

  /** The network came back, or the page is looked at again. */
  wake(): void {
    if (this.#state.is === 'joined') this.#heartbeat.probe();
    else this.#line.hurry();
  }

  /** The person said to move the visit here. */
  takeover(): void {
    if (this.#state.is !== 'taken') return;
    this.#takeover = this.#state.holder;
    this.#become({ is: 'connecting' });
    this.#line.connect();
  }

  /** Says the last words, waits a moment until they are in the log, and stops. */
  leave(...last: DurableMessage[]): void {
    if (this.#state.is === 'stopped' || this.#leaving) return;
    for (const message of last) this.send(message);
    if (this.#state.is !== 'joined' || this.#outbox.settled) return this.#stop('left');
    this.#leaving ??= this.#env.after(GOODBYE_MS, () => this.#stop('left'));
  }

  /** Keeps the outboxes for the next life of the page; also to be called when the page is hidden. */
  persist(): void {
    this.#save?.();
    this.#save = undefined;
    if (this.#state.is === 'stopped') return;
    this.#with.keep.save(this.#outbox.boxes);
  }

  #become(state: LinkState): void {
    this.#state = state;
    for (const watcher of this.#watchers) watcher.state?.(state);
  }

  #hello(credential: Credential): string {
    const { visit, seat, session, about } = this.#with;
    const { last, marks } = this.#place;
    const hello: Hello = {
      visit,
      seat,
      session,
      attempt: ++this.#attempt,
      outbox: this.#outbox.ranges(),
      ...credential,
      ...about,
    };
    if (last) Object.assign(hello, { last, marks });
    if (this.#takeover !== undefined) hello.takeover = this.#takeover;
    return JSON.stringify({ type: 'hello', ...hello });
  }

  #quiet(): void {
    this.#heartbeat.stop();
    for (const cancel of [this.#retransmit, this.#ack, this.#drain]) cancel?.();
    this.#retransmit = this.#ack = this.#drain = undefined;
  }

  #onLost(): void {
    this.#quiet();
    if (this.#leaving) return this.#stop('left');
    if (this.#state.is !== 'lost') this.#become({ is: 'lost', since: this.#env.now() });
  }

  #stop(reason: StopReason): void {
    this.#quiet();
    this.#line.drop();
    this.#leaving?.();
    this.persist();
    if (reason === 'ended' || reason === 'removed' || reason === 'denied') this.#with.keep.clear();
    this.#with.keep.release();
    this.#become({ is: 'stopped', reason });
  }

  #onText(text: string): void {
    this.#heartbeat.heard();
    const frame = parseFrame(text);
    if (!frame?.message) this.skipped++;
    if (frame && !this.#isOfTheLine(frame)) this.#onPlaced(frame);
  }

  /** What is about the line or the whole room, and has no place among the room's frames. */
  #isOfTheLine({ header, message }: ServerFrame): boolean {
    switch (message?.type) {
      case 'welcome':
        this.#onWelcome(message);
        return true;
      case 'resync':
        this.#place.resync();
        this.#acknowledged(message.acked, true);
        return true;
      case 'snapshot':
        this.#place.snapshot(header, message.marks);
        this.#enter(message.room);
        this.#ackSoon();
        return true;
      case 'ack':
        if (header.session && typeof header.c === 'number')
          this.#acknowledged({ [header.session]: header.c }, message.back === true);
        return true;
      case 'error':
        this.#onError(message, header);
        return true;
      case 'drain':
        if (!message.restart)
          this.#drain ??= this.#env.after(this.#env.random() * message.within_ms, () => this.#line.lose());
        return true;
      case 'pong':
        return true;
      default:
        return false;
    }
  }

  #onWelcome(message: Welcome): void {
    this.#line.timers = { ...USUAL_TIMERS, ...message.timers };
    this.#line.secret = message.secret;
    this.#line.joined();
    this.limits = { ...USUAL_LIMITS, ...message.limits };
    this.#takeover = undefined;
    this.#place.welcome(message.resumed === 'full');
    this.#outbox.rewind();
    this.#heartbeat.start(this.timers);
    this.#become({ is: 'joined' });
    this.#acknowledged(message.acked, true);
  }

  /** What the log has. With `back` it may be less than was acknowledged before. */
  #acknowledged(acked: Record<string, number>, back: boolean): void {
    let moved = false;
    for (const [session, c] of Object.entries(acked)) moved = this.#outbox.acknowledge(session, c, back) || moved;
    if (this.#leaving && this.#outbox.settled) return this.#stop('left');
    if (moved) {
      this.#retransmit?.();
      this.#retransmit = undefined;
    }
    this.#flush();
  }

  #onError(message: Fault, header: Header): void {
    const { code, for_c, holder } = message;
    if (typeof for_c === 'number' && !RESENT.has(code)) this.#outbox.void(header.session ?? this.#with.session, for_c);
    if (this.#state.is !== 'joined') {
      if (code === 'seat_taken' && holder) {
        this.#line.drop();
        return this.#become({ is: 'taken', holder });
      }
      const final = FINAL[code];
      return final ? this.#stop(final) : this.#line.lose(message.retry_after_ms ?? 0);
    }
    for (const watcher of this.#watchers) watcher.act?.(message, header);
  }

  #onPlaced({ header, message }: ServerFrame): void {
    const verdict = this.#place.judge(header);
    if (verdict === 'drop') return;
    if (verdict === 'gap') return this.#line.lose();
    const acts = this.#place.acts(header);
    if (typeof header.s === 'number') this.#ackSoon();
    if (!message) return;
    if (message.type === 'refused') this.#outbox.void(header.session ?? this.#with.session, message.for_c);
    if (verdict === 'take' && this.#room) this.#enter(reduce(this.#room, { header, message }, this.seat));
    if (acts) for (const watcher of this.#watchers) watcher.act?.(message, header);
  }

  #enter(room: RoomView): void {
    if (room === this.#room) return;
    this.#room = room;
    for (const watcher of this.#watchers) watcher.room?.(room);
  }

  #flush(): void {
    if (this.#state.is !== 'joined') return;
    for (const frame of this.#outbox.take(this.limits.in_flight)) this.#line.send(frame);
    if (this.#retransmit || this.#outbox.inFlight() === 0) return;
    this.#retransmit = this.#env.after(this.timers.retransmit_ms, () => {
      this.#retransmit = undefined;
      this.#outbox.rewind();
      this.#flush();
    });
  }

  #ackSoon(): void {
    this.#ack ??= this.#env.after(ACK_EVERY_MS, () => {
      this.#ack = undefined;
      if (this.#place.last) this.sendPassing({ type: 'ack', ...this.#place.last });
    });
  }
}
