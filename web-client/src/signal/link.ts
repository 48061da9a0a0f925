import type { StopReason } from './codes';
import type { Keep } from './keep';
import type { LineOptions } from './line';
import type { Box, Own } from './outbox';
import type { Header, Hello, RoomView, ServerMessage } from './types';

/** Where a page stands with its seat. */
export type LinkState =
  | { is: 'idle' }
  | { is: 'connecting' }
  /** `degraded`: the service can't keep anything at the moment; what is said waits. */
  | { is: 'joined'; degraded: boolean }
  /** Comes back by itself; `since` in `env.now()`. `restart`: the service said that it would be back. */
  | { is: 'lost'; since: number; tries: number; restart: boolean }
  /** Too early; the next try is at `opens`, in `env.now()`. */
  | { is: 'early'; opens: number }
  /** Another page has the seat: the person is asked. */
  | { is: 'taken'; holder: string }
  | { is: 'stopped'; reason: StopReason };

export interface Watcher {
  state?(state: LinkState): void;
  /** `forgetful`: the log lost its history; who is missing may only not have come back yet. */
  room?(room: RoomView, forgetful: boolean): void;
  /** A frame whose cause is new to this page, after `room`. */
  act?(message: ServerMessage, header: Header): void;
  /** What this page said, or what became of it, changed. */
  own?(messages: Own[]): void;
}

export interface Options extends LineOptions {
  visit: string;
  seat: string;
  session: string;
  older: Box[];
  keep: Keep;
  about: Pick<Hello, 'capabilities' | 'zone' | 'locale'>;
  /** The person said already that the visit is to be moved here. */
  moveHere?: boolean;
}
