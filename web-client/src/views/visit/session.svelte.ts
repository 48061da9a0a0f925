import { type Peek, peekLink, type Progress, type Redeemed, redeemLink, reportProgress } from '../../api/client';
import { canCall } from '../../call/acquire';
import { warmUp } from '../../call/warm';
import { texts } from '../../i18n/visit';
import { ServerClock } from '../../schedule/clock';
import { RoomState, type Who } from '../room.svelte';
import { tellProgress } from './progress';
import { forget, recall, remember } from './remember';

/** Where the person stands on the way into the visit. */
export type Stage =
  'loading' | 'unreachable' | 'unknown' | 'elsewhere' | 'cancelled' | 'unsupported' | 'link' | 'check' | 'room';

/** What went wrong with the last press of the main button. */
export type Trouble = 'unreachable' | 'refused';

const TRY_AGAIN_MS = 3_000;

/** The way of one person from a link into a visit. */
export class VisitSession {
  stage = $state<Stage>('loading');
  peek = $state.raw<Peek>();
  busy = $state(false);
  /** Camera and microphone were asked for, with whatever answer. */
  checked = $state(false);
  trouble = $state<Trouble>();
  readonly clock = new ServerClock();
  readonly room = new RoomState(this.clock);
  readonly #token: string;
  #knocked = false;

  constructor(token: string) {
    this.#token = token;
  }

  /** Looks at the link and changes nothing by that. A page that was in the visit goes straight back. */
  async start(): Promise<void> {
    if (!this.#token) return this.#become('unknown');
    const asked = Date.now();
    const peek = await peekLink(this.#token);
    if (peek.is === 'unreachable' || (peek.is === 'problem' && peek.status >= 500)) {
      this.#become('unreachable');
      setTimeout(() => void this.start(), TRY_AGAIN_MS);
      return;
    }
    if (peek.is === 'problem') return this.#become('unknown');
    this.peek = peek.data;
    if (typeof peek.data.now_ms === 'number') this.clock.set(peek.data.now_ms, asked, Date.now());
    if (peek.data.bound === 'elsewhere') return this.#become('elsewhere');
    if (peek.data.status === 'cancelled') return this.#become('cancelled');
    if (!canCall()) return this.#become('unsupported');
    const who = peek.data.bound === 'here' ? await recall(this.#token) : undefined;
    if (!who) return this.#become('link');
    await Promise.all([this.#warm(), this.#enter(who)]);
  }

  /** The first press: the browser asks for camera and microphone, and nothing is redeemed yet. */
  async check(): Promise<void> {
    this.busy = true;
    void this.#tellCheck();
    await Promise.all([this.#open(), this.#warm()]);
    this.busy = false;
    this.#become('check');
  }

  /** The check may be on a device that the person does not come with, so it binds none. A bound one says that it is there. */
  async #tellCheck(): Promise<void> {
    if (this.peek?.bound !== 'here') return;
    const redeemed = await redeemLink(this.#token);
    if (redeemed.is === 'ok') this.#tell(redeemed.data, 'testing');
  }

  #tell({ visit, participant }: Redeemed, reached: Progress): void {
    void tellProgress((step) => reportProgress(visit, participant, step), reached);
  }

  /** Asks again for what did not work. */
  async again(): Promise<void> {
    this.busy = true;
    await this.#open();
    this.busy = false;
  }

  /** "I'm ready": only now the link is bound to this device. */
  async ready(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.trouble = undefined;
    const redeemed = await redeemLink(this.#token);
    this.busy = false;
    if (redeemed.is === 'unreachable') {
      this.trouble = 'unreachable';
    } else if (redeemed.is === 'problem') {
      if (redeemed.code === 'other_device') this.#become('elsewhere');
      else if (redeemed.code === 'link_unknown') this.#become('unknown');
      else if (redeemed.code === 'visit_cancelled') this.#become('cancelled');
      else this.trouble = 'refused';
    } else {
      const { visit, participant, zone } = redeemed.data;
      const who = { visit, participant, zone, language: texts.lang };
      this.#tell(redeemed.data, 'checked_in');
      await remember(this.#token, who);
      await this.#enter(who);
    }
  }

  leave(): void {
    this.room.leave({ type: 'bye' });
  }

  /** `moveHere`: from the window that has the visit now. */
  async comeBack(moveHere: boolean): Promise<void> {
    this.#knocked = false;
    await this.room.again(moveHere);
  }

  async #enter(who: Who): Promise<void> {
    this.#become('room');
    this.room.onAct = (message) => {
      if (message.type === 'notice' && message.kind === 'revoked') forget();
      if (message.type === 'ended' || message.type === 'removed' || message.type === 'denied') forget();
    };
    await Promise.all([this.#open(), this.room.join(who)]);
  }

  /** Tells staff that the person is here, once for each life of the page. */
  knock(): void {
    const { room, link, media } = this.room;
    if (this.#knocked || link.is !== 'joined' || room?.state !== 'waiting' || !this.checked) return;
    this.#knocked = true;
    this.room.send({ type: 'knock', device: media.check });
  }

  async #open(): Promise<void> {
    await this.room.media.open();
    this.checked = true;
  }

  async #warm(): Promise<void> {
    await warmUp((config) => new RTCPeerConnection(config)).catch(() => undefined);
  }

  #become(stage: Stage): void {
    this.stage = stage;
  }
}
