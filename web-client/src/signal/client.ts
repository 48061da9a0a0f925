import { outOfBounds } from './check';
import { OVER, RESENT, type StopReason } from './codes';
import type { Cancel, Env } from './env';
import { Heartbeat } from './heartbeat';
import { helloText } from './hello';
import { Inbox } from './inbox';
import type { LinkState, Options, Watcher } from './link';
import { type Credential, Line } from './line';
import { type Box, type Moved, Outbox } from './outbox';
import { parseFrame } from './parse';
import { Post } from './post';
import type { DurableMessage, ErrorCode, Header, Of, PassingMessage, RoomView, ServerFrame } from './types';
import { type Limits, type ServerMessage, type Timers, USUAL_LIMITS, USUAL_TIMERS } from './types';

/** One page's seat in a visit's room: joins, keeps its messages until the log has them, comes back by itself. */
export class SignalClient {
  limits: Limits = USUAL_LIMITS;
  /** Frames of a type or form that this client does not know. */
  skipped = 0;

  readonly #with: Options;
  readonly #env: Env;
  readonly #line: Line;
  readonly #outbox: Outbox;
  readonly #post: Post;
  readonly #inbox: Inbox;
  readonly #heartbeat: Heartbeat;
  readonly #watchers = new Set<Watcher>();
  #state: LinkState = { is: 'idle' };
  #restart = false;
  #attempt = 0;
  #moveHere: boolean;
  #takeover: string | undefined;
  #leaving: Cancel | undefined;
  /** What the room said of the booking or the link, which a close code can't say. */
  #voided: 'cancelled' | 'revoked' | undefined;
  #ack: Cancel | undefined;

  constructor(options: Options) {
    this.#with = options;
    this.#env = options.env;
    this.#moveHere = options.moveHere ?? false;
    this.#outbox = new Outbox(options.session, options.older);
    this.#line = new Line(options, {
      hello: (credential) => this.#hello(credential),
      text: (text, seated) => this.#onText(text, seated),
      lost: () => this.#onLost(),
      stopped: (reason) => this.#stop(reason),
    });
    this.#post = new Post({
      env: options.env,
      outbox: this.#outbox,
      write: (frame) => this.#line.send(frame),
      keep: (boxes) => options.keep.save(boxes),
      timers: () => this.timers,
      limits: () => this.limits,
    });
    this.#inbox = new Inbox({
      seat: options.seat,
      room: (room, forgetful) => {
        for (const watcher of this.#watchers) watcher.room?.(room, forgetful);
      },
      act: (message, header) => this.#act(message, header),
      refused: (for_c, code, session = options.session) =>
        this.#outbox.has(session) ? this.#void(session, for_c, code) : undefined,
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
    return this.#inbox.room;
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
    this.#tellOwn();
    this.#line.connect();
  }

  /** Numbers a message and sends it, now or when the line is back. `undefined`: it is above a limit, or all is over. */
  send(message: DurableMessage): number | undefined {
    if (this.#state.is === 'stopped' || outOfBounds(message, this.limits)) return undefined;
    const c = this.#outbox.push(message, this.#env.date());
    this.#changed();
    this.#post.flush();
    return c;
  }

  /** Takes a message back that is not in the log: `nop` goes out under its number. False if it is too late for that. */
  withdraw(session: string, c: number): boolean {
    const done = this.#outbox.withdraw(session, c);
    if (done) this.#changed();
    return done;
  }

  /** What was refused need not be shown any longer. */
  dismiss(session: string, c: number): void {
    if (this.#outbox.dismiss(session, c)) this.#changed();
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
    if (this.#state.is === 'taken') this.#takeFrom(this.#state.holder);
  }

  /** Says the last words, waits a moment until they are in the log, and stops. */
  leave(...last: DurableMessage[]): void {
    if (this.#state.is === 'stopped' || this.#leaving) return;
    for (const message of last) this.send(message);
    if (this.#state.is !== 'joined' || this.#outbox.settled) return this.#stop('left');
    this.#leaving = this.#env.after(this.timers.retransmit_ms, () => this.#stop('left'));
  }

  /** Keeps the outboxes for the next life of the page; also to be called when the page is hidden. */
  persist(): void {
    if (this.#state.is !== 'stopped') this.#post.keep();
  }

  #become(state: LinkState): void {
    this.#state = state;
    for (const watcher of this.#watchers) watcher.state?.(state);
  }

  /** The outbox changed. */
  #changed(): void {
    this.#post.keepSoon();
    this.#tellOwn();
  }

  #tellOwn(): void {
    const { messages } = this.#outbox;
    for (const watcher of this.#watchers) watcher.own?.(messages);
  }

  #hello(credential: Credential): string {
    const box = { attempt: ++this.#attempt, outbox: this.#outbox.ranges() };
    return helloText(this.#with, { ...box, ...credential, takeover: this.#takeover }, this.#inbox);
  }

  #takeFrom(holder: string): void {
    this.#takeover = holder;
    this.#become({ is: 'connecting' });
    this.#line.connect();
  }

  #quiet(): void {
    this.#heartbeat.stop();
    this.#post.close();
    this.#ack?.();
    this.#ack = undefined;
  }

  #onLost(): void {
    this.#quiet();
    if (this.#leaving) return this.#stop('left');
    const since = this.#state.is === 'lost' ? this.#state.since : this.#env.now();
    this.#become({ is: 'lost', since, tries: this.#line.tries, restart: this.#restart });
  }

  #stop(given: StopReason): void {
    const reason = given === 'auth' || given === 'expired' ? (this.#voided ?? given) : given;
    this.#quiet();
    this.#line.drop();
    this.#leaving?.();
    this.persist();
    if (OVER.has(reason)) this.#with.keep.clear();
    this.#with.keep.release();
    this.#become({ is: 'stopped', reason });
  }

  #onText(text: string, seated: boolean): void {
    if (seated) this.#heartbeat.heard();
    const frame = parseFrame(text);
    if (!frame?.message) this.skipped++;
    if (!frame) return;
    if (!seated) this.#onAnswer(frame);
    else if (!this.#isOfTheLine(frame)) this.#onPlaced(frame);
  }

  /** What comes on a socket before it has the seat. */
  #onAnswer({ message }: ServerFrame): void {
    if (message?.type === 'welcome') this.#onWelcome(message);
    else if (message?.type === 'error') this.#onTurnedAway(message);
  }

  #onWelcome(message: Of<'welcome'>): void {
    this.#line.timers = { ...USUAL_TIMERS, ...message.timers };
    this.#line.secret = message.secret;
    this.#line.joined();
    this.limits = { ...USUAL_LIMITS, ...message.limits };
    this.#takeover = undefined;
    this.#moveHere = this.#restart = false;
    this.#inbox.welcome(message.resumed === 'full');
    this.#quiet();
    const moved = this.#note(message.acked, true);
    this.#post.open();
    this.#heartbeat.start(this.timers);
    this.#become({ is: 'joined', degraded: false });
    this.#goOn(moved);
  }

  /** Most answers say by their close code whether to come back; these say when, or from whom the seat may be taken. */
  #onTurnedAway({ code, holder, retry_after_ms }: Of<'error'>): void {
    if (code === 'seat_taken' && holder) {
      this.#line.drop();
      const wanted = this.#moveHere;
      this.#moveHere = false;
      return wanted ? this.#takeFrom(holder) : this.#become({ is: 'taken', holder });
    }
    if (typeof retry_after_ms !== 'number' && code !== 'token_expired') return;
    this.#line.tryAgain(retry_after_ms ?? 0);
    if (code === 'too_early') this.#become({ is: 'early', opens: this.#env.now() + (retry_after_ms ?? 0) });
  }

  /** What is about the line or the whole room, and has no place among the room's frames. */
  #isOfTheLine({ header, message }: ServerFrame): boolean {
    switch (message?.type) {
      case 'resync':
        this.#inbox.resync();
        this.#acknowledged(message.acked, true);
        return true;
      case 'snapshot':
        this.#inbox.snapshot(header, message.marks, message.room);
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
        this.#restart = message.restart;
        if (!message.restart) this.#line.renewWithin(message.within_ms);
        return true;
      case 'degraded':
      case 'recovered':
        this.#become({ is: 'joined', degraded: message.type === 'degraded' });
        if (message.type === 'recovered') this.#post.recovered();
        return true;
      case 'welcome':
      case 'pong':
        return true;
      default:
        return false;
    }
  }

  #acknowledged(acked: Record<string, number>, back: boolean): void {
    this.#goOn(this.#note(acked, back));
  }

  /** What the log has. With `back` it may be less than was acknowledged before. */
  #note(acked: Record<string, number>, back: boolean): Moved[] {
    const moved = Object.entries(acked).map(([session, c]) => this.#outbox.acknowledge(session, c, back));
    if (moved.includes('back')) this.#inbox.forgot();
    return moved;
  }

  #goOn(moved: Moved[]): void {
    if (this.#leaving && this.#outbox.settled) return this.#stop('left');
    if (moved.includes('short')) return this.#line.lose();
    if (moved.some((how) => how !== 'same')) {
      this.#post.moved();
      this.#changed();
    }
    this.#post.flush();
  }

  #onError(message: Of<'error'>, header: Header): void {
    const { code, for_c, retry_after_ms } = message;
    if (typeof retry_after_ms === 'number') {
      this.#post.pause(retry_after_ms);
      this.#line.holdOff(retry_after_ms);
    }
    if (typeof for_c === 'number' && !RESENT.has(code)) this.#void(header.session ?? this.#with.session, for_c, code);
    this.#act(message, header);
  }

  #void(session: string, c: number, code: ErrorCode): boolean {
    const done = this.#outbox.void(session, c, code);
    if (done) this.#changed();
    return done;
  }

  #onPlaced(frame: ServerFrame): void {
    const verdict = this.#inbox.take(frame);
    if (verdict === 'gap') this.#line.lose();
    else if (verdict === 'take' && typeof frame.header.s === 'number') this.#ackSoon();
  }

  #act(message: ServerMessage, header: Header): void {
    if (message.type === 'notice' && (message.kind === 'cancelled' || message.kind === 'revoked'))
      this.#voided = message.kind;
    for (const watcher of this.#watchers) watcher.act?.(message, header);
  }

  #ackSoon(): void {
    this.#ack ??= this.#env.after(this.timers.retransmit_ms, () => {
      this.#ack = undefined;
      if (this.#inbox.last) this.sendPassing({ type: 'ack', ...this.#inbox.last });
    });
  }
}
