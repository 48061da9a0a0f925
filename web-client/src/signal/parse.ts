import type { Header, ServerFrame, ServerMessage } from './types';

type Kind = 'text' | 'number' | 'flag' | 'object' | 'list';
type Form = Record<string, Kind>;

/** What each type must carry. Anything else about a frame may be newer than this client. */
const FORMS: Record<ServerMessage['type'], Form> = {
  welcome: {
    secret: 'text',
    acked: 'object',
    resumed: 'text',
    server_time_ms: 'number',
    timers: 'object',
    limits: 'object',
  },
  resync: { why: 'text', acked: 'object' },
  snapshot: { marks: 'object', room: 'object' },
  ack: {},
  joined: { member: 'object' },
  updated: {},
  left: { participant: 'text', why: 'text' },
  knocked: { waiting: 'object' },
  admitted: { participant: 'text' },
  denied: { participant: 'text' },
  held: { participant: 'text' },
  sdp: { pc: 'text', generation: 'number', kind: 'text', sdp: 'text' },
  ice: { pc: 'text', generation: 'number', candidates: 'list' },
  reset: { pc: 'text', generation: 'number' },
  media: { media: 'object' },
  chat: { id: 'text', text: 'text', to: 'text' },
  role: { participant: 'text', role: 'text' },
  ask_mute: {},
  locked: { locked: 'flag' },
  extended: { extended_min: 'number' },
  removed: { participant: 'text' },
  stepped_out: { participant: 'text' },
  ending: { until_ms: 'number' },
  end_undone: {},
  ended: { reopen_until_ms: 'number' },
  reopened: { room: 'object' },
  call_requested: { participant: 'text', number: 'text' },
  refused: { for_c: 'number', code: 'text' },
  notice: { kind: 'text' },
  ice_servers: { servers: 'list', expires_at_ms: 'number' },
  drain: { within_ms: 'number', restart: 'flag' },
  degraded: {},
  recovered: {},
  error: { code: 'text' },
  pong: { server_time_ms: 'number' },
  desk_snapshot: { visits: 'list' },
  desk: { visit: 'text', state: 'text', since_ms: 'number' },
};

const HEADER: Record<keyof Header, Kind> = {
  s: 'number',
  p: 'number',
  chain: 'text',
  from: 'text',
  session: 'text',
  c: 'number',
  at: 'number',
};

/** Reads a text frame, leniently. `undefined`: it is no frame at all. */
export function parseFrame(text: string): ServerFrame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const header: Record<string, unknown> = {};
  for (const [field, kind] of Object.entries(HEADER)) {
    const is = value[field];
    if (is === undefined || is === null) continue;
    if (!matches(is, kind)) return undefined;
    header[field] = is;
  }
  const form =
    typeof value.type === 'string' && value.type in FORMS ? FORMS[value.type as ServerMessage['type']] : null;
  const known = form !== null && Object.entries(form).every(([field, kind]) => matches(value[field], kind));
  return { header, message: known ? (value as ServerMessage) : undefined };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function matches(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return Number.isSafeInteger(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
  }
}
