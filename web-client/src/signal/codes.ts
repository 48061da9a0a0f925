import type { ErrorCode } from './types';

/** Why a client stopped for good. */
export type StopReason =
  'auth' | 'expired' | 'cancelled' | 'revoked' | 'removed' | 'denied' | 'ended' | 'superseded' | 'left' | 'unknown';

/** Close codes that the line itself answers. */
export const RATE = 4008;
export const AUTH = 4100;

const REASONS: Record<number, StopReason> = {
  [AUTH]: 'auth',
  4101: 'expired',
  4102: 'removed',
  4103: 'denied',
  4104: 'ended',
  4109: 'superseded',
};

/** Why a close code stops the client; `undefined` for one after which it comes back by itself. */
export function stopReason(code: number): StopReason | undefined {
  return code >= 4100 && code < 4200 ? (REASONS[code] ?? 'unknown') : undefined;
}

/** After these nothing of the visit is left to say. */
export const OVER: ReadonlySet<StopReason> = new Set(['ended', 'removed', 'denied', 'expired', 'cancelled', 'revoked']);

/** After these a message still stands: it is sent again by the timer. */
export const RESENT: ReadonlySet<ErrorCode> = new Set(['gap', 'rate_limited', 'store_unavailable', 'internal']);
