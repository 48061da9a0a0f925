import type { Own } from '../signal/outbox';
import type { ChatLine, Member } from '../signal/types';

/** A line of text as its reader sees it. */
export interface Said {
  id: string;
  from: string;
  mine: boolean;
  text: string;
  at_ms: number;
  /** It is not in the log yet. */
  waits: boolean;
}

/** The room's lines, and one's own that the room does not tell: their writer gets no frame of them. */
export function saidIn(chat: ChatLine[], own: Own[], me: string): Said[] {
  const told = new Set(chat.filter(({ from }) => from === me).map(({ id }) => id));
  const lines = chat.map(({ id, from, text, at_ms }) => ({ id, from, text, at_ms, mine: from === me, waits: false }));
  for (const { message, at_ms, acked } of own) {
    if (message.type !== 'chat' || told.has(message.id)) continue;
    lines.push({ id: message.id, from: me, text: message.text, at_ms, mine: true, waits: !acked });
  }
  return lines.filter(({ text }) => text !== '').sort((a, b) => a.at_ms - b.at_ms);
}

export function nameOf(participant: string, members: Member[]): string | undefined {
  return members.find((member) => member.participant === participant)?.name;
}

/** The last line of another, with its writer's name. */
export function newest(chat: ChatLine[], me: string, members: Member[]): { name: string; text: string } | undefined {
  const line = chat.findLast(({ from }) => from !== me);
  return line && { name: nameOf(line.from, members) ?? '', text: line.text };
}
