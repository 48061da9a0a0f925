import type { DurableMessage, OutboxRange } from './types';

interface Entry {
  c: number;
  message: DurableMessage;
}

/** What one session numbered. */
export interface Box {
  session: string;
  next_c: number;
  acked: number;
  entries: Entry[];
}

/** How many stay after they were acknowledged: a log that lost its tail asks for them again. */
const KEPT = 300;
/** `hello` takes 16 sessions. */
const OLDER_SESSIONS = 8;

/** Numbers the page's own messages and holds those of its older lives, which keep their session and number. */
export class Outbox {
  readonly #boxes: Box[];
  readonly #own: Box;
  /** The highest number that went out on the present socket, by session. */
  readonly #sent = new Map<string, number>();

  constructor(session: string, older: Box[] = []) {
    this.#own = { session, next_c: 1, acked: 0, entries: [] };
    this.#boxes = [...older.slice(-OLDER_SESSIONS), this.#own];
  }

  /** All sessions, oldest first, to be kept for the next life of the page. */
  get boxes(): readonly Box[] {
    return this.#boxes;
  }

  push(message: DurableMessage): number {
    const c = this.#own.next_c++;
    this.#own.entries.push({ c, message });
    return c;
  }

  ranges(): OutboxRange[] {
    return this.#boxes.map(({ session, next_c, entries }) => ({ session, first_c: entries[0]?.c ?? next_c, next_c }));
  }

  /** The log has `session` up to `c`. Only `back` makes that lower than before. True if something changed. */
  acknowledge(session: string, c: number, back: boolean): boolean {
    const box = this.#boxes.find((one) => one.session === session);
    if (!box) return false;
    const acked = Math.min(back ? c : Math.max(box.acked, c), box.next_c - 1);
    if (acked === box.acked) return false;
    if (acked < box.acked) this.#sent.set(session, acked);
    box.acked = acked;
    const done = box.entries.filter((entry) => entry.c <= acked).length;
    if (done > KEPT) box.entries.splice(0, done - KEPT);
    return true;
  }

  /** A refused message must not come back when the log is repaired: `nop` takes its number. */
  void(session: string, c: number): void {
    const entry = this.#boxes.find((one) => one.session === session)?.entries.find((one) => one.c === c);
    if (entry) entry.message = { type: 'nop' };
  }

  /** A new socket, or a silent one: everything above `acked` goes out again. */
  rewind(): void {
    this.#sent.clear();
  }

  /** The next frames to go out, in order, while fewer than `in_flight` are unacknowledged. */
  take(in_flight: number): string[] {
    const frames: string[] = [];
    let room = in_flight - this.inFlight();
    for (const box of this.#boxes) {
      for (const { c, message } of box.entries) {
        if (c <= this.#sentOf(box)) continue;
        if (room-- <= 0) return frames;
        this.#sent.set(box.session, c);
        frames.push(JSON.stringify(box === this.#own ? { ...message, c } : { ...message, c, session: box.session }));
      }
    }
    return frames;
  }

  /** Sent on this socket and not acknowledged. */
  inFlight(): number {
    return this.#boxes.reduce((sum, box) => sum + this.#sentOf(box) - box.acked, 0);
  }

  get settled(): boolean {
    return this.#boxes.every((box) => box.acked === box.next_c - 1);
  }

  #sentOf(box: Box): number {
    return Math.max(box.acked, this.#sent.get(box.session) ?? 0);
  }
}
