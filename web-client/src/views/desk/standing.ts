import type { Session, ViewerTime, Visit, VisitParticipant } from '../../api/client';
import type { DeskState, DeskVisit } from '../../signal/types';

/** How a visit stands on the desk: as the desk's socket says, and by its booking. */
export type RowState = { is: 'cancelled' | 'past' } | { is: DeskState; since_ms: number };

export interface Row {
  visit: Visit;
  state: RowState;
  /** The caller's own time. */
  mine: ViewerTime | undefined;
  /** Whom the visit is for, and who else comes. */
  main: VisitParticipant | undefined;
  others: VisitParticipant[];
  /** Who waits, or was put on hold, and can be let in. */
  knocking: { person: VisitParticipant; since_ms: number } | undefined;
  /** The caller's own seat, if there is one. */
  seat: VisitParticipant | undefined;
}

export function rowOf(visit: Visit, stands: DeskVisit | undefined, session: Session, now_ms: number): Row {
  const seat = visit.participants.find(
    ({ person, role }) => person === session.person && (role === 'host' || role === 'staff'),
  );
  const guests = visit.participants.filter((one) => one !== seat);
  const main = guests.find(({ role }) => role === 'patient') ?? guests[0];
  const state = stateOf(visit, stands, now_ms);
  const waits = state.is === 'waiting' || state.is === 'on_hold' ? state : undefined;
  const person = waits && guests.find(({ participant }) => participant === stands?.by);
  return {
    visit,
    state,
    mine: visit.local.find(({ zone }) => zone === session.zone) ?? seat?.local,
    main,
    others: guests.filter((one) => one !== main),
    knocking: seat && waits && person ? { person, since_ms: waits.since_ms } : undefined,
    seat,
  };
}

/** Whether the caller may call the visit off and replace its links. The service has the last word. */
export function mayChange({ state }: Row, { roles }: Session): boolean {
  const over = state.is === 'cancelled' || state.is === 'past' || state.is === 'ended';
  return !over && roles.some((role) => role !== 'interpreter');
}

/** Who comes by a link: everybody but the host and staff, who sign in. */
export function byLink({ participants }: Visit): VisitParticipant[] {
  return participants.filter(({ role }) => role !== 'host' && role !== 'staff');
}

function stateOf({ status, end_s }: Visit, stands: DeskVisit | undefined, now_ms: number): RowState {
  if (status === 'cancelled' && (!stands || stands.state === 'ended')) return { is: 'cancelled' };
  if (stands && stands.state !== 'scheduled') return { is: stands.state, since_ms: stands.since_ms };
  if (now_ms > end_s * 1_000) return { is: 'past' };
  return { is: 'scheduled', since_ms: stands?.since_ms ?? 0 };
}
