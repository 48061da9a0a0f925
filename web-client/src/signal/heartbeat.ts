import type { Cancel, Env } from './env';
import type { Timers } from './types';

/** Asks for a sign of life and tells when none comes: a cut does not close a WebSocket. */
export class Heartbeat {
  readonly #env: Env;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #timers: Timers | undefined;
  #nextPing: Cancel | undefined;
  #deadline: Cancel | undefined;

  constructor(env: Env, ping: () => void, dead: () => void) {
    this.#env = env;
    this.#ping = ping;
    this.#dead = dead;
  }

  start(timers: Timers): void {
    this.stop();
    this.#timers = timers;
    this.#nextPing = this.#env.after(timers.ping_ms, () => this.#beat());
  }

  stop(): void {
    this.#nextPing?.();
    this.#deadline?.();
    this.#nextPing = this.#deadline = this.#timers = undefined;
  }

  /** Any frame is a sign of life. */
  heard(): void {
    this.#deadline?.();
    this.#deadline = undefined;
  }

  /** Asks now: the network may have changed. */
  probe(): void {
    if (this.#timers) this.#beat();
  }

  #beat(): void {
    const timers = this.#timers;
    if (!timers) return;
    this.#nextPing?.();
    this.#nextPing = this.#env.after(timers.ping_ms, () => this.#beat());
    this.#deadline ??= this.#env.after(timers.dead_ms, () => this.#dead());
    this.#ping();
  }
}
