import type { Session, ViewerTime, Visit, VisitParticipant } from '../../api/client';

/** How a visit stands on the desk, from its row and the brief of its room. */
export type RowState =
  | { is: 'cancelled' | 'ended' | 'past' | 'scheduled' | 'in_visit' | 'ending' | 'open' }
  | { is: 'waiting' | 'testing'; since_ms: number };

export interface Row {
  visit: Visit;
  state: RowState;
  /** The caller's own time. */
  mine: ViewerTime | undefined;
  /** Whom the visit is for, and who else comes. */
  main: VisitParticipant | undefined;
  others: VisitParticipant[];
  /** Who knocked and can be let in. */
  knocking: VisitParticipant[];
  /** The caller's own seat, if there is one. */
  seat: VisitParticipant | undefined;
}

export function rowOf(visit: Visit, session: Session, now_ms: number): Row {
  const seat = visit.participants.find(
    ({ person, role }) => person === session.person && (role === 'host' || role === 'staff'),
  );
  const guests = visit.participants.filter((one) => one !== seat);
  const main = guests.find(({ role }) => role === 'patient') ?? guests[0];
  const waiting = visit.room?.waiting ?? [];
  const knocking = guests.filter(({ participant }) =>
    waiting.some((one) => one.participant === participant && one.knocked),
  );
  return {
    visit,
    state: stateOf(visit, seat, now_ms),
    mine: visit.local.find(({ zone }) => zone === session.zone) ?? seat?.local,
    main,
    others: guests.filter((one) => one !== main),
    knocking: seat ? knocking : [],
    seat,
  };
}

function stateOf({ status, room, end_s }: Visit, seat: VisitParticipant | undefined, now_ms: number): RowState {
  if (status === 'cancelled') return { is: 'cancelled' };
  if (room?.phase === 'ended') return { is: 'ended' };
  if (room?.phase === 'ending') return { is: 'ending' };
  const knocked = earliest(room?.waiting.filter((one) => one.knocked));
  if (knocked !== undefined) return { is: 'waiting', since_ms: knocked };
  const present = room?.present ?? [];
  if (present.some((participant) => participant !== seat?.participant)) return { is: 'in_visit' };
  const testing = earliest(room?.waiting);
  if (testing !== undefined) return { is: 'testing', since_ms: testing };
  if (present.length > 0) return { is: 'open' };
  return { is: now_ms > end_s * 1_000 ? 'past' : 'scheduled' };
}

function earliest(waiting: { since_ms: number }[] | undefined): number | undefined {
  return waiting?.length ? Math.min(...waiting.map(({ since_ms }) => since_ms)) : undefined;
}
