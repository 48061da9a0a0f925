import type { Options } from './link';
import type { Hello, Position } from './types';

type Attempt = Pick<Hello, 'attempt' | 'outbox' | 'ticket' | 'secret' | 'takeover'>;

/** The first message of a socket. A page that knows the room says where it stands, and what has acted on it. */
export function helloText(
  { visit, seat, session, about }: Options,
  attempt: Attempt,
  { last, marks }: { last: Position | undefined; marks: Record<string, number> },
): string {
  const hello: Hello = { visit, seat, session, ...attempt, ...about, ...(last ? { last, marks } : {}) };
  return JSON.stringify({ type: 'hello', ...hello });
}
