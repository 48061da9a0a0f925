import { ticketFor } from '../api/ticket';
import type { PeerView } from '../call/call';
import { LocalMedia, type MediaState } from '../call/media';
import { playTone } from '../call/sound';
import { Visit } from '../call/visit';
import type { ServerClock } from '../schedule/clock';
import { browserEnv, type Env, newSession } from '../signal/env';
import { type Keep, openKeep } from '../signal/keep';
import type { LinkState } from '../signal/link';
import type { Box, Own } from '../signal/outbox';
import { openSocket } from '../signal/socket';
import type { DurableMessage, RoomView, ServerMessage } from '../signal/types';

export interface Who {
  visit: string;
  participant: string;
  zone: string;
  language: string;
}

/** What the page of a visit shows, kept by the visit that runs behind it. */
export class RoomState {
  readonly media = new LocalMedia();
  readonly clock: ServerClock;
  link = $state.raw<LinkState>({ is: 'idle' });
  room = $state.raw<RoomView>();
  peers = $state.raw<PeerView[]>([]);
  devices = $state.raw<MediaState>(this.media.state);
  /** What this page said, and whether the log has it. */
  own = $state.raw<Own[]>([]);
  /** Lines of others that came while the messages were closed. */
  unread = $state(0);
  chatOpen = $state(false);
  /** A line that came with the last decision about this person. */
  message = $state<string>();
  /** Staff asked to mute. */
  muteAsked = $state(false);
  /** Both move on once a second: for what is counted, and for what is told in the server's time. */
  now = $state(browserEnv.now());
  serverNow = $state(Date.now());
  /** Called with each frame that acts, for what only one of the pages does. */
  onAct: (message: ServerMessage) => void = () => undefined;

  #who: Who | undefined;
  #visit: Visit | undefined;
  #kept: { keep: Keep; older: Box[] } | undefined;
  readonly #ticking: ReturnType<typeof setInterval>;

  constructor(clock: ServerClock) {
    this.clock = clock;
    this.serverNow = clock.now();
    this.media.watch((state) => (this.devices = state));
    this.#ticking = setInterval(() => this.tick(), 1_000);
  }

  tick(): void {
    this.now = browserEnv.now();
    this.serverNow = this.clock.now();
  }

  async join(who: Who, moveHere = false): Promise<void> {
    this.#who = who;
    this.link = { is: 'connecting' };
    this.#kept ??= await openKeep(who.participant);
    const { keep, older } = this.#kept;
    const env: Env = { ...browserEnv, date: () => this.clock.now() };
    this.#visit = new Visit(
      {
        visit: who.visit,
        seat: who.participant,
        session: newSession(),
        older,
        open: await openSocket(),
        ticket: () => ticketFor(who.visit, who.participant),
        env,
        keep,
        moveHere,
        about: { capabilities: { trickle: true, rollback: canRollBack() }, zone: who.zone, locale: who.language },
      },
      this.media,
      {
        link: (state) => this.#onLink(state),
        room: (room) => {
          this.tick();
          this.room = room;
        },
        peers: (peers) => (this.peers = peers),
        act: (message) => this.#onAct(message),
        own: (own) => (this.own = own),
      },
    );
  }

  /** Who this is in the room. */
  get me(): string {
    return this.#who?.participant ?? '';
  }

  /** After leaving, an end or a move to another window: as a new page would. `moveHere`: whoever has the seat now. */
  async again(moveHere = false): Promise<void> {
    const boxes = this.#visit?.client.boxes;
    if (this.#kept && boxes) this.#kept.older = boxes;
    this.room = undefined;
    this.message = undefined;
    if (this.#who) await Promise.all([this.media.open(), this.join(this.#who, moveHere)]);
  }

  takeover(): void {
    this.#visit?.client.takeover();
  }

  send(message: DurableMessage): boolean {
    return this.#visit?.send(message) ?? false;
  }

  /** A line for everybody in the visit. False if it is too long. */
  say(text: string): boolean {
    return this.send({ type: 'chat', id: newSession(), text, to: '*' });
  }

  /** Takes back what the log does not have yet. */
  withdraw({ session, c }: Pick<Own, 'session' | 'c'>): void {
    this.#visit?.client.withdraw(session, c);
  }

  /** A line that was refused is taken up again, or was read. */
  dismiss({ session, c }: Pick<Own, 'session' | 'c'>): void {
    this.#visit?.client.dismiss(session, c);
  }

  openChat(open: boolean): void {
    this.chatOpen = open;
    this.unread = 0;
  }

  leave(...last: DurableMessage[]): void {
    this.#visit?.leave(...last);
    this.media.release();
  }

  close(): void {
    this.leave({ type: 'bye' });
    clearInterval(this.#ticking);
  }

  async setMic(on: boolean): Promise<void> {
    this.muteAsked = false;
    await this.media.setMic(on);
  }

  #onLink(state: LinkState): void {
    this.tick();
    this.link = state;
    if (state.is === 'stopped') this.media.release();
  }

  #onAct(message: ServerMessage): void {
    const mine = 'participant' in message && message.participant === this.#who?.participant;
    if (mine && 'message' in message) this.message = message.message ?? undefined;
    if (mine && message.type === 'admitted') playTone();
    if (message.type === 'chat' && !this.chatOpen) this.unread++;
    if (message.type === 'ask_mute') this.muteAsked = this.devices.micOn;
    this.onAct(message);
  }
}

/** Safari rolls back, but does not come out of it well enough to be the polite side. */
function canRollBack(): boolean {
  const { userAgent } = navigator;
  return !/AppleWebKit/.test(userAgent) || /Chrom(e|ium)\//.test(userAgent);
}
