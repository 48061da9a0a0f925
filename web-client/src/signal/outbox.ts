import type { DurableMessage, ErrorCode, OutboxRange } from './types';

interface Entry {
  c: number;
  /** When it was numbered, milliseconds since 1970. */
  at_ms: number;
  message: DurableMessage;
  /** What was refused under this number, and why, until the person has done with it. */
  refused?: Refused;
}

export interface Refused {
  code: ErrorCode;
  message: DurableMessage;
}

/** What one session numbered. */
export interface Box {
  session: string;
  next_c: number;
  acked: number;
  entries: Entry[];
}

/** A message of this page or an older life of it. */
export interface Own extends Entry {
  session: string;
  /** It is in the log. */
  acked: boolean;
}

/**
 * What an acknowledgement changed. `short`: the log lacks messages that are held no longer; only a claim tells it not to wait
 * for them.
 */
export type Moved = 'same' | 'further' | 'back' | 'short';

/** How many stay after they were acknowledged: a log that lost its tail asks for them again. */
const KEPT = 300;
/** `hello` takes 16 sessions; the last is the page's own. */
const OLDER_SESSIONS = 15;

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

  /** All messages that are still held, in order. */
  get messages(): Own[] {
    return this.#boxes.flatMap(({ session, acked, entries }) =>
      entries.map((entry) => ({ ...entry, session, acked: entry.c <= acked })),
    );
  }

  push(message: DurableMessage, at_ms = 0): number {
    const c = this.#own.next_c++;
    this.#own.entries.push({ c, at_ms, message });
    return c;
  }

  ranges(): OutboxRange[] {
    return this.#boxes.map((box) => ({ session: box.session, first_c: firstOf(box), next_c: box.next_c }));
  }

  has(session: string): boolean {
    return this.#box(session) !== undefined;
  }

  /** The log has `session` up to `c`. Only `back` makes that lower than before. */
  acknowledge(session: string, c: number, back: boolean): Moved {
    const box = this.#box(session);
    if (!box) return 'same';
    const [least, before] = [firstOf(box) - 1, box.acked];
    const acked = Math.max(least, Math.min(back ? c : Math.max(before, c), box.next_c - 1));
    box.acked = acked;
    if (back && c < least) return 'short';
    if (acked < before) {
      this.#sent.set(session, acked);
      return 'back';
    }
    const done = box.entries.filter((entry) => entry.c <= acked).length;
    if (done > KEPT) box.entries.splice(0, done - KEPT);
    return acked > before ? 'further' : 'same';
  }

  /**
   * A refused message must not come back when the log is repaired: `nop` takes its number. False if that was done before,
   * or the message is not held. With `code`, what was refused is still to be shown.
   */
  void(session: string, c: number, code?: ErrorCode): boolean {
    const entry = this.#entry(session, c);
    if (!entry || entry.message.type === 'nop') return false;
    if (code) entry.refused = { code, message: entry.message };
    entry.message = { type: 'nop' };
    return true;
  }

  /** The person has seen what was refused. False if it is not held. */
  dismiss(session: string, c: number): boolean {
    const entry = this.#entry(session, c);
    if (!entry?.refused) return false;
    delete entry.refused;
    return true;
  }

  /** The same for a message that the person takes back. False if it is in the log already. */
  withdraw(session: string, c: number): boolean {
    const box = this.#box(session);
    return box !== undefined && c > box.acked && this.void(session, c);
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

  #box(session: string): Box | undefined {
    return this.#boxes.find((one) => one.session === session);
  }

  #entry(session: string, c: number): Entry | undefined {
    return this.#box(session)?.entries.find((one) => one.c === c);
  }

  #sentOf(box: Box): number {
    return Math.max(box.acked, this.#sent.get(box.session) ?? 0);
  }
}

/** The lowest number that can be sent again. */
function firstOf({ entries, next_c }: Box): number {
  return entries[0]?.c ?? next_c;
}
