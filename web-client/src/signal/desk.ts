import type { Cancel, Env } from './env';
import { Heartbeat } from './heartbeat';
import { type Credential, Line, type LineOptions } from './line';
import { parseFrame } from './parse';
import type { DeskVisit, Header, Hello } from './types';

/** Where a desk stands with its socket. */
export type DeskLink =
  | { is: 'connecting' }
  | { is: 'open' }
  /** Comes back by itself; `since` in `env.now()`. What is shown may be old. */
  | { is: 'lost'; since: number }
  /** Nobody is signed in any more. */
  | { is: 'signed_out' };

export interface DeskOptions extends LineOptions {
  session: string;
}

export const NO_VISITS: ReadonlyMap<string, DeskVisit> = new Map();

export interface DeskWatcher {
  link(link: DeskLink): void;
  /** How all visits stand, after a snapshot (`changed` absent) or after one of them changed. */
  visits(visits: ReadonlyMap<string, DeskVisit>, changed?: DeskVisit): void;
}

/** The desk's socket: a snapshot of all visits of the day, then each change; comes back by itself. */
export class DeskClient {
  readonly #env: Env;
  readonly #session: string;
  readonly #line: Line;
  readonly #heartbeat: Heartbeat;
  readonly #on: DeskWatcher;
  #link: DeskLink = { is: 'connecting' };
  #visits = new Map<string, DeskVisit>();
  /** Since the snapshot, of each visit: a change that is older than one that came counts no more. */
  #newest = new Map<string, { at: number; s: number }>();
  #attempt = 0;
  /** The service itself said that nobody is signed in. */
  #noTicket = false;
  #pause: Cancel | undefined;

  constructor(options: DeskOptions, on: DeskWatcher) {
    this.#env = options.env;
    this.#session = options.session;
    this.#on = on;
    const ticket = async () => {
      const answer = await options.ticket();
      this.#noTicket = answer.is === 'refused';
      return answer;
    };
    this.#line = new Line(
      { ...options, ticket },
      {
        hello: (credential) => this.#hello(credential),
        text: (text, seated) => this.#onText(text, seated),
        lost: () => this.#onLost(),
        stopped: () => this.#onStopped(),
      },
    );
    this.#heartbeat = new Heartbeat(
      options.env,
      () => this.#line.send(JSON.stringify({ type: 'ping' })),
      () => this.#line.lose(),
    );
  }

  start(): void {
    this.#on.link(this.#link);
    this.#line.connect();
  }

  /** The network came back, or the page is looked at again. */
  wake(): void {
    if (this.#link.is === 'open') this.#heartbeat.probe();
    else if (this.#link.is !== 'signed_out') this.#line.hurry();
  }

  close(): void {
    this.#pause?.();
    this.#heartbeat.stop();
    this.#line.drop();
  }

  #hello({ ticket }: Credential): string {
    const hello: Hello & { type: 'hello' } = {
      type: 'hello',
      desk: true,
      session: this.#session,
      attempt: ++this.#attempt,
      outbox: [],
      ...(ticket === undefined ? {} : { ticket }),
    };
    return JSON.stringify(hello);
  }

  #onText(text: string, seated: boolean): void {
    if (seated) this.#heartbeat.heard();
    const frame = parseFrame(text);
    const message = frame?.message;
    if (message?.type === 'desk_snapshot') this.#onSnapshot(message.visits, seated);
    else if (message?.type === 'desk') this.#onChange(message, frame?.header ?? {});
  }

  #onSnapshot(visits: DeskVisit[], seated: boolean): void {
    this.#visits = new Map(visits.map((visit) => [visit.visit, visit]));
    this.#newest.clear();
    if (!seated) {
      this.#line.joined();
      this.#heartbeat.start(this.#line.timers);
      this.#become({ is: 'open' });
    }
    this.#on.visits(new Map(this.#visits));
  }

  #onChange({ visit, state, since_ms, by }: DeskVisit, { at, s }: Header): void {
    const place = { at: at ?? 0, s: s ?? 0 };
    const newest = this.#newest.get(visit);
    if (newest && (place.at < newest.at || (place.at === newest.at && place.s < newest.s))) return;
    this.#newest.set(visit, place);
    const changed = { visit, state, since_ms, by: by ?? undefined };
    this.#visits.set(visit, changed);
    this.#on.visits(new Map(this.#visits), changed);
  }

  #onLost(): void {
    this.#heartbeat.stop();
    if (this.#link.is !== 'lost') this.#become({ is: 'lost', since: this.#env.now() });
  }

  /** A ticket that the socket does not take may only be too old: another one is fetched, and tells whether that is so. */
  #onStopped(): void {
    this.#line.drop();
    this.#heartbeat.stop();
    if (this.#noTicket) return this.#become({ is: 'signed_out' });
    const atOnce = this.#link.is === 'open';
    this.#onLost();
    if (atOnce) return this.#line.connect();
    this.#pause = this.#env.after(this.#line.timers.reconnect_max_ms, () => this.#line.connect());
  }

  #become(link: DeskLink): void {
    this.#link = link;
    this.#on.link(link);
  }
}
