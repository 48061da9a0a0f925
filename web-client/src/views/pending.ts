import type { Own } from '../signal/outbox';
import type { DurableMessage } from '../signal/types';

/** What a person decides, and waits for the room to do. */
const DECISIONS = ['admit', 'deny', 'hold', 'remove', 'lock', 'extend', 'end', 'undo_end', 'reopen'] as const;
export type Decision = (typeof DECISIONS)[number];

/** A decision that is not in the log yet. */
export interface Pending {
  session: string;
  c: number;
  what: Decision;
  /** About whom. */
  participant: string | undefined;
}

/** Most are in the log before anybody has read a notice. */
const NOTICE_AFTER_MS = 1_000;

export function pendingOf(own: Own[], now_ms: number): Pending[] {
  return own.flatMap(({ session, c, at_ms, acked, message }) =>
    acked || !isDecision(message.type) || now_ms - at_ms < NOTICE_AFTER_MS
      ? []
      : [{ session, c, what: message.type, participant: 'participant' in message ? message.participant : undefined }],
  );
}

/** How many lines of text wait to be sent. */
export function linesWaiting(own: Own[]): number {
  return own.filter(({ acked, message }) => !acked && message.type === 'chat').length;
}

function isDecision(type: DurableMessage['type']): type is Decision {
  return (DECISIONS as readonly string[]).includes(type);
}
