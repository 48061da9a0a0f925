import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type ClientMessage = Schemas['ClientMessage'];
export type ServerMessage = Schemas['ServerMessage'];
export type Header = Schemas['Header'];
export type RoomView = Schemas['RoomView'];
export type Member = Schemas['Member'];
export type Waiting = Schemas['Waiting'];
export type ChatLine = Schemas['ChatLine'];
export type Media = Schemas['Media'];
export type Role = Schemas['Role'];
export type DeviceCheck = Schemas['DeviceCheck'];
export type DeviceState = Schemas['DeviceState'];
export type IceCandidate = Schemas['IceCandidate'];
export type IceServer = Schemas['IceServer'];
export type OutboxRange = Schemas['OutboxRange'];
export type Position = Schemas['Position'];
export type ErrorCode = Schemas['ErrorCode'];
export type Hello = Schemas['Hello'];
export type Timers = Schemas['Timers'];
export type Limits = Schemas['Limits'];
export type DeskVisit = Schemas['DeskVisit'];
export type DeskState = Schemas['DeskState'];

/** The server's message of that type. */
export type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

type PassingType = 'hello' | 'ack' | 'ice_servers' | 'quality' | 'ping' | 'simulate';
/** Not numbered and not resent. */
export type PassingMessage = Extract<ClientMessage, { type: PassingType }>;
/** Numbered by its session and kept until the log has it. */
export type DurableMessage = Exclude<ClientMessage, { type: PassingType }>;

/** Where a frame stands, and what it says; `undefined` for a type or form that this client does not know. */
export interface ServerFrame {
  header: Header;
  message: ServerMessage | undefined;
}

/** Used until `welcome` tells the server's own. */
export const USUAL_TIMERS: Timers = {
  hello_ms: 5_000,
  ping_ms: 4_000,
  dead_ms: 3_000,
  server_ping_ms: 5_000,
  server_dead_ms: 20_000,
  write_stall_ms: 5_000,
  retransmit_ms: 1_000,
  reconnect_min_ms: 250,
  reconnect_max_ms: 5_000,
  beat_ms: 5_000,
  lease_ms: 15_000,
  reconnecting_ms: 45_000,
  still_new_ms: 1_200,
  ice_coalesce_ms: 50,
  undo_end_ms: 10_000,
  reopen_ms: 1_800_000,
};

export const USUAL_LIMITS: Limits = {
  frame_bytes: 65_536,
  sdp_bytes: 49_152,
  chat_bytes: 16_384,
  chat_chars: 4_000,
  ice_batch: 20,
  messages_per_s: 30,
  burst: 120,
  in_flight: 32,
  admitted: 4,
};
