import { reconnectDelay } from './backoff';
import { AUTH, RATE, type StopReason, stopReason } from './codes';
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
  /** A socket is open: what to say first. */
  hello(credential: Credential): string;
  /** `seated`: on the socket that has the seat; before, only `welcome` or an error comes. */
  text(text: string, seated: boolean): void;
  /** No socket has the seat. Told after each try that failed. */
  lost(): void;
  stopped(reason: StopReason): void;
}

/** One try to get the seat: a credential, a socket, a hello. */
interface Way {
  begun: number;
  socket?: Socket;
  bySecret?: boolean;
  /** Gives up when no welcome comes. */
  patience?: Cancel;
}

/**
 * The socket that has the seat, and the one that is to get it. Whatever a replaced one still says is not heard; a lost one
 * is followed by another after a wait.
 */
export class Line {
  timers: Timers = USUAL_TIMERS;
  /** Stands for a ticket once the seat is the page's. */
  secret: string | undefined;
  /** Tries since a socket had the seat. */
  tries = 0;

  readonly #with: LineOptions;
  readonly #on: LineEvents;
  #seated: Way | undefined;
  #coming: Way | undefined;
  #seatedAt = 0;
  #failures = 0;
  #retry: Cancel | undefined;
  #notBefore = 0;

  constructor(options: LineOptions, on: LineEvents) {
    this.#with = options;
    this.#on = on;
  }

  /** Begins anew. */
  connect(): void {
    this.drop();
    this.#begin();
  }

  /** Opens another socket beside the one that has the seat, which closes when the new one has it. */
  renewWithin(ms: number): void {
    const { env } = this.#with;
    this.#retry ??= env.after(env.random() * ms, () => this.#begin());
  }

  /** A welcome came: the new socket has the seat. */
  joined(): void {
    const way = this.#coming;
    if (!way) return;
    way.patience?.();
    this.#close(this.#seated);
    this.#seated = way;
    this.#coming = undefined;
    this.#seatedAt = this.#with.env.now();
    this.tries = 0;
  }

  send(text: string): void {
    this.#seated?.socket?.send(text);
  }

  /** The socket that had the seat is of no use any more. */
  lose(atLeast = 0): void {
    // A line that fails right after each welcome must not be tried without a pause.
    if (this.#with.env.now() - this.#seatedAt > this.timers.reconnect_max_ms) this.#failures = 0;
    this.#close(this.#seated);
    this.#seated = undefined;
    if (!this.#coming) this.#beginAfter(atLeast);
    this.#on.lost();
  }

  /** The try under way was turned away, for now. */
  tryAgain(atLeast = 0): void {
    this.#close(this.#coming);
    this.#coming = undefined;
    this.#beginAfter(atLeast);
    if (!this.#seated) this.#on.lost();
  }

  /** The server wants no new try before. */
  holdOff(ms: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#with.env.now() + ms);
  }

  /** The network changed, or somebody looks: ends a wait, and a try that may hang in the old network. */
  hurry(): void {
    this.#failures = 0;
    const now = this.#with.env.now();
    const hangs = this.#coming && now - this.#coming.begun >= this.timers.dead_ms;
    if ((hangs || this.#retry) && now >= this.#notBefore) this.#begin();
  }

  drop(): void {
    this.#retry?.();
    this.#close(this.#coming);
    this.#close(this.#seated);
    this.#retry = this.#coming = this.#seated = undefined;
  }

  #beginAfter(atLeast: number): void {
    const { env } = this.#with;
    this.holdOff(atLeast);
    const wait = Math.max(reconnectDelay(this.#failures++, env.random(), this.timers), this.#notBefore - env.now());
    this.#retry?.();
    this.#retry = env.after(wait, () => this.#begin());
  }

  #begin(): void {
    const { env, ticket } = this.#with;
    this.#retry?.();
    this.#retry = undefined;
    this.#close(this.#coming);
    const way: Way = { begun: env.now() };
    this.#coming = way;
    this.tries++;
    way.patience = env.after(2 * this.timers.hello_ms, () => this.tryAgain());
    if (this.secret !== undefined) {
      way.bySecret = true;
      return this.#open(way, { secret: this.secret });
    }
    void ticket().then((answer) => {
      if (way !== this.#coming) return;
      switch (answer.is) {
        case 'ticket':
          return this.#open(way, { ticket: answer.ticket });
        case 'refused':
          return this.#refused(answer.reason);
        case 'later':
          return this.tryAgain();
      }
    });
  }

  #open(way: Way, credential: Credential): void {
    const heard = (act: () => void): void => {
      if (way === this.#seated || way === this.#coming) act();
    };
    way.socket = this.#with.open({
      open: () => heard(() => way.socket?.send(this.#on.hello(credential))),
      text: (text) => heard(() => this.#on.text(text, way === this.#seated)),
      close: (code) => heard(() => this.#onClose(way, code)),
    });
  }

  #onClose(way: Way, code: number): void {
    const wait = code === RATE ? this.timers.retransmit_ms : 0;
    const reason = stopReason(code);
    if (way === this.#seated) return reason ? this.#on.stopped(reason) : this.lose(wait);
    if (code === AUTH && way.bySecret) {
      this.secret = undefined;
      return this.tryAgain();
    }
    return reason ? this.#refused(reason) : this.tryAgain(wait);
  }

  /** The seat is not given to the new socket. One that has it still keeps it as long as it lasts. */
  #refused(reason: StopReason): void {
    this.#close(this.#coming);
    this.#coming = undefined;
    if (!this.#seated) this.#on.stopped(reason);
  }

  #close(way: Way | undefined): void {
    way?.patience?.();
    way?.socket?.close();
  }
}
