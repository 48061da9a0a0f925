import type { Header, Position } from './types';

/** What to do with a frame that has a place in the room's log. */
export type Verdict = 'take' | 'replay' | 'drop' | 'gap';

/** Where the client stands in the room's log, and what has acted already. */
export class Place {
  last: Position | undefined;
  #marks = new Map<string, number>();
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
  acts({ session, c }: Header): boolean {
    if (typeof session !== 'string' || typeof c !== 'number') return true;
    if (c <= (this.#marks.get(session) ?? 0)) return false;
    this.#mark(session, c);
    return true;
  }

  #mark(session: string, c: number): void {
    this.#marks.set(session, Math.max(c, this.#marks.get(session) ?? 0));
  }
}

function isPosition(header: Header): header is Header & Position {
  return typeof header.s === 'number' && typeof header.chain === 'string';
}
