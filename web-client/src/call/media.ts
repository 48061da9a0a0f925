import type { DeviceCheck, DeviceState, Media } from '../signal/types';
import { acquire, type Found, type Wanted } from './acquire';

export interface MediaState {
  camera: DeviceState;
  microphone: DeviceState;
  cameraOn: boolean;
  micOn: boolean;
  /** What the person sees of themself. */
  stream: MediaStream | undefined;
}

export interface Tracks {
  audio: MediaStreamTrack | undefined;
  video: MediaStreamTrack | undefined;
}

/** The person's own camera and microphone. */
export class LocalMedia {
  #state: MediaState = { camera: 'unknown', microphone: 'unknown', cameraOn: false, micOn: false, stream: undefined };
  #tracks: Tracks = { audio: undefined, video: undefined };
  /** Counts releases: what was asked for before one is let go when it comes. */
  #uses = 0;
  #opening: Promise<void> = Promise.resolve();
  readonly #watchers = new Set<(state: MediaState) => void>();

  get state(): MediaState {
    return this.#state;
  }

  get tracks(): Tracks {
    return this.#tracks;
  }

  /** For `media` in the room. */
  get told(): Media {
    return { mic: this.#state.micOn, camera: this.#state.cameraOn, screen: false, signing: false };
  }

  /** For `knock`. */
  get check(): DeviceCheck {
    return { camera: this.#state.camera, microphone: this.#state.microphone, speaker: 'unknown' };
  }

  watch(act: (state: MediaState) => void): () => void {
    this.#watchers.add(act);
    act(this.#state);
    return () => this.#watchers.delete(act);
  }

  /** Asks for what is wanted and not there yet, one question after another. */
  open(wanted: Wanted = { camera: true, microphone: true }): Promise<void> {
    this.#opening = this.#opening.then(() => this.#ask(wanted));
    return this.#opening;
  }

  async #ask(wanted: Wanted): Promise<void> {
    const missing = {
      camera: wanted.camera && !this.#tracks.video,
      microphone: wanted.microphone && !this.#tracks.audio,
    };
    if (!missing.camera && !missing.microphone) return;
    const use = this.#uses;
    const found = await acquire(navigator.mediaDevices, missing, navigator.permissions);
    if (use !== this.#uses) stop(found);
    else this.#take(found, missing);
  }

  /** A microphone that is off sends silence: coming back is instant. */
  async setMic(on: boolean): Promise<void> {
    if (on && !this.#tracks.audio) return this.open({ camera: false, microphone: true });
    if (this.#tracks.audio) this.#tracks.audio.enabled = on;
    this.#become({ micOn: on && this.#tracks.audio !== undefined });
  }

  /** A camera that is off is let go, so that its light goes out. */
  async setCamera(on: boolean): Promise<void> {
    if (on) return this.open({ camera: true, microphone: false });
    this.#tracks.video?.stop();
    this.#tracks = { ...this.#tracks, video: undefined };
    this.#become({ cameraOn: false, stream: undefined });
  }

  /** Lets both go. They can be opened again. */
  release(): void {
    this.#uses++;
    stop(this.#tracks);
    this.#tracks = { audio: undefined, video: undefined };
    this.#become({ cameraOn: false, micOn: false, stream: undefined });
  }

  #take(found: Found, wanted: Wanted): void {
    const changes: Partial<MediaState> = {};
    if (wanted.camera) {
      this.#tracks = { ...this.#tracks, video: found.video };
      changes.camera = found.camera;
      changes.cameraOn = found.video !== undefined;
      changes.stream = found.video && new MediaStream([found.video]);
      found.video?.addEventListener('ended', () => this.#lost(found.video));
    }
    if (wanted.microphone) {
      this.#tracks = { ...this.#tracks, audio: found.audio };
      changes.microphone = found.microphone;
      changes.micOn = found.audio !== undefined;
      found.audio?.addEventListener('ended', () => this.#lost(found.audio));
    }
    this.#become(changes);
  }

  /** The device was pulled out, or the permission was taken back. */
  #lost(track: MediaStreamTrack | undefined): void {
    if (track && track === this.#tracks.video) {
      this.#tracks = { ...this.#tracks, video: undefined };
      this.#become({ camera: 'missing', cameraOn: false, stream: undefined });
    } else if (track && track === this.#tracks.audio) {
      this.#tracks = { ...this.#tracks, audio: undefined };
      this.#become({ microphone: 'missing', micOn: false });
    }
  }

  #become(changes: Partial<MediaState>): void {
    this.#state = { ...this.#state, ...changes };
    for (const watcher of this.#watchers) watcher(this.#state);
  }
}

function stop({ audio, video }: Tracks): void {
  audio?.stop();
  video?.stop();
}
