import { type Verdict, Place } from './place';
import { reduce } from './reduce';
import type { ErrorCode, Header, Position, RoomView, ServerFrame, ServerMessage } from './types';

interface Options {
  /** Whose room it is. */
  seat: string;
  /** `forgetful`: the log lost its history; who is missing may only not have come back yet. */
  room(room: RoomView, forgetful: boolean): void;
  act(message: ServerMessage, header: Header): void;
  /** A message of this page was refused. Whether that is news; `undefined` if it is of a session that the page does not hold. */
  refused(for_c: number, code: ErrorCode, session: string | undefined): boolean | undefined;
}

/** Takes the room's frames in order: the state follows each of them, and each cause acts once. */
export class Inbox {
  readonly #with: Options;
  readonly #place = new Place();
  #room: RoomView | undefined;
  /** Frames before a snapshot: they act when the room is known. */
  #replayed: ServerFrame[] = [];
  #forgetful = false;

  constructor(options: Options) {
    this.#with = options;
  }

  get room(): RoomView | undefined {
    return this.#room;
  }

  get last(): Position | undefined {
    return this.#place.last;
  }

  get marks(): Record<string, number> {
    return this.#place.marks;
  }

  /** `full`: the missed frames follow. Otherwise a snapshot does. */
  welcome(full: boolean): void {
    this.#place.welcome(full);
    this.#replayed = [];
    // Its history is the one that the client knows.
    if (full) this.#forgetful = false;
  }

  /** Every kept frame follows, and a snapshot. */
  resync(): void {
    this.#place.resync();
    this.#replayed = [];
  }

  /** The log has less than it said: what the next snapshot lacks may have been forgotten. */
  forgot(): void {
    this.#forgetful = true;
  }

  snapshot(header: Header, marks: Record<string, number>, room: RoomView): void {
    const shorter = this.#place.snapshot(header, marks);
    this.#enter(room, this.#forgetful || shorter);
    this.#forgetful = false;
    for (const frame of this.#replayed.splice(0)) this.#act(frame, 'replay');
  }

  /** `gap`: a frame before this one is missing. */
  take(frame: ServerFrame): Verdict {
    const { header, message } = frame;
    const verdict = this.#place.judge(header);
    if (verdict === 'replay') this.#replayed.push(frame);
    if (verdict !== 'take') return verdict;
    if (message && this.#room) this.#enter(reduce(this.#room, { header, message }, this.#with.seat), false);
    this.#act(frame, verdict);
    return verdict;
  }

  #enter(room: RoomView, forgetful: boolean): void {
    if (room === this.#room) return;
    this.#room = room;
    this.#with.room(room, forgetful);
  }

  /** Whether a refusal is news is known by the outbox, of every other frame by the marks. */
  #act({ header, message }: ServerFrame, verdict: Verdict): void {
    const isNew = this.#place.acts(header, verdict);
    const news =
      message?.type === 'refused'
        ? this.#with.refused(message.for_c, message.code, header.session ?? undefined)
        : undefined;
    if (message && (news ?? isNew)) this.#with.act(message, header);
  }
}
