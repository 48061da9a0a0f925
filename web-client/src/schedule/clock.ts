/** The server's clock, told from its last answer: the device's own may be wrong by hours. */
export class ServerClock {
  #ahead = 0;

  /** An answer that was asked for at `asked` and came at `came` (both `Date.now()`) says `now_ms`. */
  set(now_ms: number, asked: number, came: number): void {
    this.#ahead = now_ms - (asked + came) / 2;
  }

  now(): number {
    return Date.now() + this.#ahead;
  }
}
