import { describe, expect, it } from 'vitest';
import type { Session, ViewerTime, Visit, VisitParticipant } from '../../api/client';
import { rowOf } from './standing';

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
const waiting = (person: string, knocked: boolean, since_ms = 5) => ({ participant: `p-${person}`, since_ms, knocked });
const row = (room?: Visit['room'], more: Partial<Visit> = {}, who: Session = session) =>
  rowOf({ ...visit, ...more, room }, who, 900_000);

describe('a row of the desk', () => {
  it('tells whom the visit is for, who else comes, and the own time', () => {
    expect(row()).toMatchObject({
      main: { person: 'patient' },
      others: [{ person: 'interpreter' }],
      seat: { person: 'doctor' },
      mine: { zone: 'America/Los_Angeles' },
    });
  });

  it('says how the visit stands', () => {
    expect(row().state.is).toBe('scheduled');
    expect(row(undefined, { end_s: 100 }).state.is).toBe('past');
    expect(row(undefined, { status: 'cancelled' }).state.is).toBe('cancelled');
    expect(row({ phase: 'open', waiting: [waiting('patient', false)], present: [] }).state).toEqual({
      is: 'testing',
      since_ms: 5,
    });
    expect(
      row({ phase: 'open', waiting: [waiting('patient', true, 9), waiting('interpreter', true, 7)], present: [] })
        .state,
    ).toEqual({ is: 'waiting', since_ms: 7 });
    expect(row({ phase: 'open', waiting: [], present: ['p-doctor'] }).state.is).toBe('open');
    expect(row({ phase: 'open', waiting: [], present: ['p-doctor', 'p-patient'] }).state.is).toBe('in_visit');
    expect(row({ phase: 'ending', waiting: [], present: [] }).state.is).toBe('ending');
    expect(row({ phase: 'ended', waiting: [], present: [] }).state.is).toBe('ended');
  });

  it('offers to admit only whoever knocked, and only to somebody with a seat', () => {
    const room: Visit['room'] = {
      phase: 'open',
      waiting: [waiting('patient', true), waiting('interpreter', false)],
      present: [],
    };
    expect(row(room).knocking.map(({ person }) => person)).toEqual(['patient']);
    expect(row(room, {}, { ...session, person: 'scheduler' })).toMatchObject({ knocking: [], seat: undefined });
  });
});
