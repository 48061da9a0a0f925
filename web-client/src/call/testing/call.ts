import { vi } from 'vitest';
import { FakeEnv, physician, waitingRoom } from '../../signal/testing/world';
import { type DurableMessage, type Member, type RoomView, USUAL_LIMITS, USUAL_TIMERS } from '../../signal/types';
import { Call, type PeerView, type Signal } from '../call';
import { FakePc } from './pc';

vi.stubGlobal(
  'MediaStream',
  class {
    addTrack(): void {}
  },
);

export const peer = physician;

export const roomWith = (...members: Member[]): RoomView => ({ ...waitingRoom, state: 'admitted', members });

/** Lets everything run that waits for nothing but its turn. */
export const settle = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await Promise.resolve();
};

/** A call with everything around it. */
export class CallWorld {
  readonly env = new FakeEnv();
  readonly pcs: FakePc[] = [];
  readonly sent: DurableMessage[] = [];
  views: PeerView[] = [];
  joined = true;
  readonly call: Call;

  constructor() {
    this.call = new Call({
      env: this.env,
      createPc: (config) => {
        const made = new FakePc(config);
        this.pcs.push(made);
        return made as unknown as RTCPeerConnection;
      },
      changed: (peers) => (this.views = peers),
      signal: this.#signal(),
    });
  }

  #signal(): Signal {
    const isJoined = (): boolean => this.joined;
    return {
      send: (message) => this.sent.push(message),
      get joined() {
        return isJoined();
      },
      timers: USUAL_TIMERS,
      limits: USUAL_LIMITS,
    };
  }

  /** The newest connection. */
  get pc(): FakePc {
    return this.pcs.at(-1) ?? new FakePc({});
  }

  of<T extends DurableMessage['type']>(type: T): Extract<DurableMessage, { type: T }>[] {
    return this.sent.filter((one): one is Extract<DurableMessage, { type: T }> => one.type === type);
  }
}
