import type { ChatLine, Header, Member, RoomView, ServerMessage, Waiting } from './types';

const CHAT_KEPT = 200;

/** The room after one frame, as its reader `me` sees it. */
export function reduce(
  room: RoomView,
  { header, message }: { header: Header; message: ServerMessage },
  me: string,
): RoomView {
  switch (message.type) {
    case 'snapshot':
    case 'reopened':
      return message.room;
    case 'joined':
      return withMember(room, message.member);
    case 'updated': {
      const next = message.member ? withMember(room, message.member) : room;
      return message.waiting ? withWaiting(next, message.waiting) : next;
    }
    case 'left':
      return patch(room, message.participant, { presence: { is: 'left', why: message.why } });
    case 'stepped_out':
      return patch(room, message.participant, { presence: { is: 'left', why: 'bye' } });
    case 'knocked':
      return withWaiting(room, message.waiting);
    case 'admitted':
      if (message.room) return message.room;
      if (message.participant === me) return { ...room, state: 'admitted' };
      return message.member ? withMember(room, message.member) : room;
    case 'denied':
      if (message.participant === me) return { ...room, state: 'denied' };
      return { ...room, waiting: change(room.waiting, message.participant, { state: 'denied', knocked: false }) };
    case 'held': {
      if (message.participant === me) return { ...room, state: 'held', members: [] };
      const next = without(room, message.participant);
      return message.waiting ? withWaiting(next, message.waiting) : next;
    }
    case 'removed':
      if (message.participant === me) return { ...room, state: 'removed', members: [] };
      return without(room, message.participant);
    case 'reset':
      return header.from
        ? { ...room, members: change(room.members, header.from, { generation: message.generation }) }
        : room;
    case 'media':
      return header.from ? { ...room, members: change(room.members, header.from, { media: message.media }) } : room;
    case 'chat': {
      const { id, text, to, canned } = message;
      return {
        ...room,
        chat: withLine(room.chat, {
          s: header.s ?? 0,
          from: header.from ?? '',
          id,
          text,
          to,
          canned,
          at_ms: header.at ?? 0,
        }),
      };
    }
    case 'role':
      return message.participant === me
        ? { ...room, role: message.role }
        : patch(room, message.participant, { role: message.role });
    case 'locked':
      return { ...room, locked: message.locked };
    case 'extended':
      return { ...room, extended_min: message.extended_min };
    case 'ending':
      return { ...room, phase: { is: 'ending', until_ms: message.until_ms } };
    case 'end_undone':
      return { ...room, phase: { is: 'open' } };
    case 'ended':
      return { ...room, phase: { is: 'ended', reopen_until_ms: message.reopen_until_ms } };
    case 'welcome':
    case 'resync':
    case 'ack':
    case 'sdp':
    case 'ice':
    case 'ask_mute':
    case 'call_requested':
    case 'refused':
    case 'notice':
    case 'ice_servers':
    case 'drain':
    case 'degraded':
    case 'recovered':
    case 'error':
    case 'pong':
    case 'desk_snapshot':
    case 'desk':
      return room;
  }
}

function withMember(room: RoomView, member: Member): RoomView {
  return { ...room, members: put(room.members, member), waiting: drop(room.waiting, member.participant) };
}

function withWaiting(room: RoomView, waiting: Waiting): RoomView {
  return { ...room, waiting: put(room.waiting, waiting), members: drop(room.members, waiting.participant) };
}

function without(room: RoomView, participant: string): RoomView {
  return { ...room, members: drop(room.members, participant), waiting: drop(room.waiting, participant) };
}

function patch(room: RoomView, participant: string, what: Partial<Pick<Member, 'presence' | 'role'>>): RoomView {
  return {
    ...room,
    members: change(room.members, participant, what),
    waiting: change(room.waiting, participant, what),
  };
}

function withLine(lines: ChatLine[], line: ChatLine): ChatLine[] {
  return [...lines.filter(({ s }) => s !== line.s), line].slice(-CHAT_KEPT);
}

type Row = { participant: string };

function put<T extends Row>(rows: T[], row: T): T[] {
  const known = rows.some(({ participant }) => participant === row.participant);
  return known ? rows.map((one) => (one.participant === row.participant ? row : one)) : [...rows, row];
}

function drop<T extends Row>(rows: T[], participant: string): T[] {
  return rows.filter((row) => row.participant !== participant);
}

function change<T extends Row>(rows: T[], participant: string, what: Partial<NoInfer<T>>): T[] {
  return rows.map((row) => (row.participant === participant ? { ...row, ...what } : row));
}
