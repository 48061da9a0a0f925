import { SignalClient } from '../signal/client';
import type { LinkState, Options } from '../signal/link';
import type { Own } from '../signal/outbox';
import type { DurableMessage, Header, RoomView, ServerMessage } from '../signal/types';
import { Call, type PeerView } from './call';
import type { LocalMedia } from './media';

export interface VisitEvents {
  link(state: LinkState): void;
  room(room: RoomView): void;
  peers(peers: PeerView[]): void;
  act(message: ServerMessage, header: Header): void;
  own(messages: Own[]): void;
}

/** One person in one visit: the seat in the room, the media connections and the own devices, kept together. */
export class Visit {
  readonly client: SignalClient;
  readonly #call: Call;
  readonly #media: LocalMedia;
  readonly #undo: (() => void)[] = [];
  #told = '';
  #lostAt: number | undefined;

  constructor(options: Options, media: LocalMedia, on: VisitEvents) {
    const client = new SignalClient(options);
    this.client = client;
    this.#media = media;
    this.#call = new Call({
      env: options.env,
      createPc: (config) => new RTCPeerConnection(config),
      changed: (peers) => on.peers(peers),
      signal: {
        send: (message) => void client.send(message),
        get joined() {
          return client.state.is === 'joined';
        },
        get timers() {
          return client.timers;
        },
        get limits() {
          return client.limits;
        },
      },
    });
    client.watch({
      state: (state) => {
        if (state.is === 'stopped') this.#close();
        if (state.is === 'lost') this.#lostAt ??= state.since;
        if (state.is === 'joined') this.#onReturn(options.env.now());
        on.link(state);
      },
      room: (room, forgetful) => {
        this.#call.sync(room, forgetful);
        this.#tellMedia();
        on.room(room);
      },
      act: (message, header) => {
        this.#call.act(message, header);
        on.act(message, header);
      },
      own: (messages) => on.own(messages),
    });
    this.#undo.push(
      media.watch(() => {
        this.#call.setTracks(media.tracks);
        this.#tellMedia();
      }),
      listen(window, 'online', () => {
        client.wake();
        this.#call.restart();
      }),
      listen(document, 'visibilitychange', () =>
        document.visibilityState === 'visible' ? client.wake() : client.persist(),
      ),
      listen(window, 'pagehide', () => client.persist()),
    );
    client.start();
  }

  /** False if the message is above a limit, or all is over. */
  send(message: DurableMessage): boolean {
    return this.client.send(message) !== undefined;
  }

  /** Goes away on purpose, and lets the devices be. */
  leave(...last: DurableMessage[]): void {
    this.#close();
    this.client.leave(...last);
  }

  #close(): void {
    this.#call.close();
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** Whoever was away for longer than a lease may have been taken for gone, and their devices for off. */
  #onReturn(now: number): void {
    const away = this.#lostAt === undefined ? 0 : now - this.#lostAt;
    this.#lostAt = undefined;
    if (away < this.client.timers.lease_ms) return;
    this.#told = '';
    this.#tellMedia();
  }

  /** Tells the room what the own devices do, once it may hear it and whenever that changes. */
  #tellMedia(): void {
    if (this.client.room?.state !== 'admitted' || this.client.room.phase.is === 'ended') return;
    const { told } = this.#media;
    const text = JSON.stringify(told);
    if (text === this.#told) return;
    this.#told = text;
    this.client.send({ type: 'media', ...told });
  }
}

function listen(target: EventTarget, type: string, act: () => void): () => void {
  target.addEventListener(type, act);
  return () => target.removeEventListener(type, act);
}
