import { describe, expect, it } from 'vitest';
import type { Session, ViewerTime, Visit, VisitParticipant } from '../../api/client';
import type { DeskVisit } from '../../signal/types';
import { byLink, mayChange, rowOf } from './standing';

const session: Session = {
  institution: 'cedar-street',
  institution_name: 'Cedar Street Clinic',
  person: 'doctor',
  name: 'Dr Amara Okafor',
  roles: ['physician'],
  zone: 'America/Los_Angeles',
  language: 'en',
};
const time = (zone: string): ViewerTime => ({
  zone,
  city: zone,
  wall_start: '2026-12-01T08:00',
  wall_end: '2026-12-01T08:30',
  offset_s: 0,
  label: '',
});
const takesPart = (person: string, role: VisitParticipant['role']): VisitParticipant => ({
  participant: `p-${person}`,
  person,
  name: person,
  role,
  zone: 'Asia/Riyadh',
  language: 'ar',
  required: true,
  local: time('Asia/Riyadh'),
});
const visit: Visit = {
  id: 'v',
  service_name: 'Consult',
  status: 'booked',
  sequence: 0,
  version: 1,
  start_s: 1_000,
  end_s: 2_800,
  anchor_zone: 'America/Los_Angeles',
  anchor_wall: '2026-12-01T08:00',
  participants: [takesPart('doctor', 'host'), takesPart('interpreter', 'interpreter'), takesPart('patient', 'patient')],
  local: [time('Asia/Riyadh'), time('America/Los_Angeles')],
};
const stands = (state: DeskVisit['state'], by?: string, since_ms = 5): DeskVisit => ({
  visit: 'v',
  state,
  since_ms,
  ...(by === undefined ? {} : { by: `p-${by}` }),
});
const row = (on?: DeskVisit, more: Partial<Visit> = {}, who: Session = session) =>
  rowOf({ ...visit, ...more }, on, who, 900_000);

describe('a row of the desk', () => {
  it('tells whom the visit is for, who else comes, and the own time', () => {
    expect(row()).toMatchObject({
      main: { person: 'patient' },
      others: [{ person: 'interpreter' }],
      seat: { person: 'doctor' },
      mine: { zone: 'America/Los_Angeles' },
    });
  });

  it.each([
    'opened',
    'testing',
    'checked_in',
    'waiting',
    'in_visit',
    'on_hold',
    'lost',
    'call_requested',
    'ended',
  ] as const)('says what the socket says: %s', (state) => {
    expect(row(stands(state, 'patient', 7)).state).toEqual({ is: state, since_ms: 7 });
  });

  it('says what the booking says where nothing happens', () => {
    expect(row().state.is).toBe('scheduled');
    expect(row(stands('scheduled')).state.is).toBe('scheduled');
    expect(row(stands('scheduled'), { end_s: 100 }).state.is).toBe('past');
    expect(row(undefined, { end_s: 100 }).state.is).toBe('past');
    expect(row(stands('in_visit'), { end_s: 100 }).state.is).toBe('in_visit');
    expect(row(stands('ended'), { status: 'cancelled' }).state.is).toBe('cancelled');
    expect(row(undefined, { status: 'cancelled' }).state.is).toBe('cancelled');
    expect(row(stands('in_visit'), { status: 'cancelled' }).state.is).toBe('in_visit');
  });

  it('offers to admit only who waits or was put on hold, and only to somebody with a seat', () => {
    expect(row(stands('waiting', 'interpreter', 9)).knocking).toMatchObject({
      person: { person: 'interpreter' },
      since_ms: 9,
    });
    expect(row(stands('on_hold', 'patient')).knocking?.person.person).toBe('patient');
    for (const state of ['testing', 'in_visit', 'lost', 'ended'] as const)
      expect(row(stands(state, 'patient')).knocking).toBeUndefined();
    expect(row(stands('waiting', 'patient'), {}, { ...session, person: 'scheduler' })).toMatchObject({
      knocking: undefined,
      seat: undefined,
    });
  });
});

describe('a visit is changed', () => {
  it('by everybody but interpreters, until it is over', () => {
    const by = (...roles: Session['roles']): boolean => mayChange(row(), { ...session, roles });
    expect([by('scheduler'), by('physician'), by('administrator'), by('interpreter', 'scheduler')]).toEqual(
      Array(4).fill(true),
    );
    expect(by('interpreter')).toBe(false);
    expect(mayChange(row(stands('in_visit')), session)).toBe(true);
    expect(mayChange(row(stands('ended')), session)).toBe(false);
    expect(mayChange(row(undefined, { status: 'cancelled' }), session)).toBe(false);
    expect(mayChange(row(undefined, { end_s: 0 }), session)).toBe(false);
  });

  it('and the links are those of whom does not sign in', () => {
    expect(byLink(visit).map(({ person }) => person)).toEqual(['interpreter', 'patient']);
  });
});
