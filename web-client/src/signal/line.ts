import { reconnectDelay } from './backoff';
import { type StopReason, stopReason } from './codes';
import type { Cancel, Env } from './env';
import type { OpenSocket, Socket } from './socket';
import { type Hello, type Timers, USUAL_TIMERS } from './types';

/** What asking for a ticket gave. `later`: the service was not reached. */
export type TicketAnswer = { is: 'ticket'; ticket: string } | { is: 'refused'; reason: StopReason } | { is: 'later' };

export type Credential = Pick<Hello, 'ticket' | 'secret'>;

export interface LineOptions {
  open: OpenSocket;
  ticket: () => Promise<TicketAnswer>;
  env: Env;
}

interface LineEvents {
  /** The socket is open: what to say first. */
  hello(credential: Credential): string;
  text(text: string): void;
  lost(): void;
  stopped(reason: StopReason): void;
}

/** One socket at a time. Whatever a replaced one still says is not heard; a lost one comes back after a wait. */
export class Line {
  timers: Timers = USUAL_TIMERS;
  /** Stands for a ticket once the seat is the page's. */
  secret: string | undefined;

  readonly #with: LineOptions;
  readonly #on: LineEvents;
  #socket: Socket | undefined;
  #life = 0;
  #failures = 0;
  #joinedAt: number | undefined;
  #deadline: Cancel | undefined;
  #retry: Cancel | undefined;

  constructor(options: LineOptions, on: LineEvents) {
    this.#with = options;
    this.#on = on;
  }

  connect(): void {
    this.drop();
    const life = this.#life;
    this.#deadline = this.#with.env.after(2 * this.timers.hello_ms, () => this.lose());
    if (this.secret !== undefined) return this.#open({ secret: this.secret });
    void this.#with.ticket().then((answer) => {
      if (life !== this.#life) return;
      switch (answer.is) {
        case 'ticket':
          return this.#open({ ticket: answer.ticket });
        case 'refused':
          return this.#on.stopped(answer.reason);
        case 'later':
          return this.lose();
      }
    });
  }

  /** The seat is the page's. */
  joined(): void {
    this.#deadline?.();
    this.#joinedAt = this.#with.env.now();
  }

  send(text: string): void {
    this.#socket?.send(text);
  }

  /** Lets the socket go and comes back after the usual wait, or `atLeast`. */
  lose(atLeast = 0): void {
    const { env } = this.#with;
    // A line that fails right after each welcome must not be tried without a pause.
    if (this.#joinedAt !== undefined && env.now() - this.#joinedAt > this.timers.reconnect_max_ms) this.#failures = 0;
    this.#joinedAt = undefined;
    this.drop();
    const wait = Math.max(reconnectDelay(this.#failures++, env.random(), this.timers), atLeast);
    this.#retry = env.after(wait, () => this.connect());
    this.#on.lost();
  }

  /** Ends a wait before a reconnect. */
  hurry(): void {
    if (this.#retry) this.connect();
  }

  drop(): void {
    this.#life++;
    this.#deadline?.();
    this.#retry?.();
    this.#deadline = this.#retry = undefined;
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(credential: Credential): void {
    const life = this.#life;
    const heard = (act: () => void): void => {
      if (life === this.#life) act();
    };
    this.#socket = this.#with.open({
      open: () => heard(() => this.send(this.#on.hello(credential))),
      text: (text) => heard(() => this.#on.text(text)),
      close: (code) => heard(() => this.#onClose(code)),
    });
  }

  #onClose(code: number): void {
    const reason = stopReason(code);
    if (reason) this.#on.stopped(reason);
    else this.lose();
  }
}
