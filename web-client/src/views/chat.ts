import type { Own } from '../signal/outbox';
import type { ChatLine, ErrorCode, Member } from '../signal/types';

/** A line of text as its reader sees it. */
export interface Said {
  id: string;
  from: string;
  mine: boolean;
  text: string;
  at_ms: number;
  /** It is not in the log yet. */
  waits: boolean;
  /** It was not taken, and goes to nobody. */
  refused?: Unsent;
}

/** A line that the room did not take. */
export interface Unsent {
  session: string;
  c: number;
  why: WhyUnsent;
}

/** Why, as one word of the texts. */
export type WhyUnsent = 'not_admitted' | 'no_such_peer' | 'room_ended' | 'too_large' | 'other';

const REASONS: WhyUnsent[] = ['not_admitted', 'no_such_peer', 'room_ended', 'too_large', 'other'];

/** The words for each reason, in the language of a page. */
export function unsentWords(t: (key: `chat.unsent.${WhyUnsent}`) => string): Record<WhyUnsent, string> {
  return Object.fromEntries(REASONS.map((why) => [why, t(`chat.unsent.${why}`)])) as Record<WhyUnsent, string>;
}

export function whyUnsent(code: ErrorCode): WhyUnsent {
  return REASONS.find((why) => why === code) ?? 'other';
}

/** The room's lines, and one's own that the room does not tell: their writer gets no frame of them. */
export function saidIn(chat: ChatLine[], own: Own[], me: string): Said[] {
  const told = new Set(chat.filter(({ from }) => from === me).map(({ id }) => id));
  const lines: Said[] = chat.map(({ id, from, text, at_ms }) => ({
    id,
    from,
    text,
    at_ms,
    mine: from === me,
    waits: false,
  }));
  for (const { session, c, message, at_ms, acked, refused } of own) {
    const line = refused?.message ?? message;
    if (line.type !== 'chat' || told.has(line.id)) continue;
    const said = { id: line.id, from: me, text: line.text, at_ms, mine: true };
    if (refused) lines.push({ ...said, waits: false, refused: { session, c, why: whyUnsent(refused.code) } });
    else lines.push({ ...said, waits: !acked });
  }
  return lines.filter(({ text }) => text !== '').sort((a, b) => a.at_ms - b.at_ms);
}

/** How many of one's own lines were not taken. */
export function linesUnsent(own: Own[]): number {
  return own.filter(({ refused }) => refused?.message.type === 'chat').length;
}

export function nameOf(participant: string, members: Member[]): string | undefined {
  return members.find((member) => member.participant === participant)?.name;
}

/** The last line of another, with its writer's name. */
export function newest(chat: ChatLine[], me: string, members: Member[]): { name: string; text: string } | undefined {
  const line = chat.findLast(({ from }) => from !== me);
  return line && { name: nameOf(line.from, members) ?? '', text: line.text };
}
