import { retransmitDelay } from './backoff';
import type { Cancel, Env } from './env';
import type { Box, Outbox } from './outbox';
import type { Limits, Timers } from './types';

interface Options {
  env: Env;
  outbox: Outbox;
  /** To the socket that has the seat. */
  write(frame: string): void;
  keep(boxes: readonly Box[]): void;
  timers(): Timers;
  limits(): Limits;
}

const KEEP_AFTER_MS = 50;

/** Brings what the outbox holds into the log: in order, again and again until it is acknowledged. */
export class Post {
  readonly #with: Options;
  #open = false;
  #notBefore = 0;
  #again: Cancel | undefined;
  /** How often everything went out again since the log moved. */
  #repeats = 0;
  #resume: Cancel | undefined;
  #save: Cancel | undefined;

  constructor(options: Options) {
    this.#with = options;
  }

  /** A socket has the seat: everything that is not acknowledged goes out on it. */
  open(): void {
    this.#with.outbox.rewind();
    this.#open = true;
    this.#repeats = 0;
  }

  close(): void {
    this.#open = false;
    this.#again?.();
    this.#resume?.();
    this.#again = this.#resume = undefined;
  }

  /** The server wants nothing for a while. */
  pause(ms: number): void {
    const { env } = this.#with;
    this.#notBefore = Math.max(this.#notBefore, env.now() + ms);
    this.#resume?.();
    this.#resume = env.after(this.#notBefore - env.now(), () => this.flush());
  }

  /** The log has moved: what was waited for is not waited for any longer. */
  moved(): void {
    this.#again?.();
    this.#again = undefined;
    this.#repeats = 0;
  }

  /** The log can be reached again: what it did not take goes out at once. */
  recovered(): void {
    this.moved();
    this.#with.outbox.rewind();
    this.flush();
  }

  flush(): void {
    const { env, outbox } = this.#with;
    if (!this.#open || env.now() < this.#notBefore) return;
    for (const frame of outbox.take(this.#with.limits().in_flight)) this.#with.write(frame);
    if (this.#again || outbox.inFlight() === 0) return;
    this.#again = env.after(retransmitDelay(this.#repeats, this.#with.timers()), () => {
      this.#again = undefined;
      if (env.now() >= this.#notBefore) this.#repeats++;
      outbox.rewind();
      this.flush();
    });
  }

  /** The outbox changed: it is kept in a moment. */
  keepSoon(): void {
    this.#save ??= this.#with.env.after(KEEP_AFTER_MS, () => this.keep());
  }

  /** Keeps the outbox for the next life of the page. */
  keep(): void {
    this.#save?.();
    this.#save = undefined;
    this.#with.keep(this.#with.outbox.boxes);
  }
}
