import type { Header, Position } from './types';

/** What to do with a frame that has a place in the room's log. */
export type Verdict = 'take' | 'replay' | 'drop' | 'gap';

/** `hello` carries the marks, and a frame has 64 KiB: a session's mark takes at most 90 bytes of them. */
export const MARKS_KEPT = 256;

/** Where the client stands in the room's log, and what has acted already. */
export class Place {
  last: Position | undefined;
  /** By session, whose was moved last comes last. */
  readonly #marks = new Map<string, number>();
  /** False between `resync`, or a new page's `welcome`, and the snapshot: frames then only replay. */
  #placed = false;

  get marks(): Record<string, number> {
    return Object.fromEntries(this.#marks);
  }

  /** `full`: the missed frames follow. Otherwise a snapshot does. */
  welcome(full: boolean): void {
    this.#placed = full && this.last !== undefined;
  }

  resync(): void {
    this.#placed = false;
  }

  /**
   * A new page takes the snapshot's marks as its own; a continuing one keeps its own. True if the log is shorter than the
   * client knew it: it lost its history.
   */
  snapshot(header: Header, marks: Record<string, number>): boolean {
    const before = this.last;
    if (before === undefined) {
      for (const [session, c] of Object.entries(marks)) this.#mark(session, c);
    }
    if (isPosition(header)) this.last = { s: header.s, chain: header.chain };
    this.#placed = true;
    return before !== undefined && before.s > (this.last?.s ?? 0);
  }

  judge(header: Header): Verdict {
    const { s, p } = header;
    if (typeof s !== 'number' || typeof p !== 'number') return 'take';
    if (!this.#placed || !this.last) return 'replay';
    if (s <= this.last.s) return 'drop';
    if (p > this.last.s) return 'gap';
    if (isPosition(header)) this.last = { s: header.s, chain: header.chain };
    return 'take';
  }

  /** Whether the frame's cause is new to this page. Asked once for each frame that is taken or replayed. */
  acts({ session, c, p }: Header, verdict: Verdict): boolean {
    if (typeof session !== 'string' || typeof c !== 'number' || typeof p !== 'number') return true;
    // The log's own entries are many and each has a name of its own: no mark could be kept for all of them.
    if (isOfTheLog(session)) return verdict === 'take';
    if (c <= (this.#marks.get(session) ?? 0)) return false;
    this.#mark(session, c);
    return true;
  }

  #mark(session: string, c: number): void {
    if (isOfTheLog(session)) return;
    const mark = Math.max(c, this.#marks.get(session) ?? 0);
    this.#marks.delete(session);
    this.#marks.set(session, mark);
    for (const oldest of this.#marks.keys()) {
      if (this.#marks.size <= MARKS_KEPT) return;
      this.#marks.delete(oldest);
    }
  }
}

/** Claims, presence and deadlines. */
function isOfTheLog(session: string): boolean {
  return ['k:', 'p:', 'd:'].some((name) => session.startsWith(name));
}

function isPosition(header: Header): header is Header & Position {
  return typeof header.s === 'number' && typeof header.chain === 'string';
}
