import { type Options, SignalClient } from '../signal/client';
import type { LinkState } from '../signal/link';
import type { DurableMessage, Header, RoomView, ServerMessage } from '../signal/types';
import { Call, type PeerView } from './call';
import type { LocalMedia } from './media';

export interface VisitEvents {
  link(state: LinkState): void;
  room(room: RoomView): void;
  peers(peers: PeerView[]): void;
  act(message: ServerMessage, header: Header): void;
}

/** One person in one visit: the seat in the room, the media connections and the own devices, kept together. */
export class Visit {
  readonly client: SignalClient;
  readonly #call: Call;
  readonly #media: LocalMedia;
  readonly #undo: (() => void)[] = [];
  #told = '';

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
        on.link(state);
      },
      room: (room) => {
        this.#call.sync(room);
        this.#tellMedia();
        on.room(room);
      },
      act: (message, header) => {
        this.#call.act(message, header);
        on.act(message, header);
      },
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

  send(message: DurableMessage): void {
    this.client.send(message);
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
