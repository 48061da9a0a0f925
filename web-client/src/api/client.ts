import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

type Schemas = components['schemas'];
export type Session = Schemas['Session'];
export type Day = Schemas['DayVisits'];
export type Visit = Schemas['Visit'];
export type VisitParticipant = Schemas['VisitParticipant'];
export type ViewerTime = Schemas['ViewerTime'];
export type VisitLink = Schemas['VisitLink'];
export type Redeemed = Schemas['RedeemedLink'];
export type Seat = Schemas['SeatTicket'];
export type DeskTicket = Schemas['DeskTicket'];
export type Progress = Schemas['Progress'];
export type ProblemCode = Schemas['ProblemCode'];
/** Only `bound` is there once another device has the link. */
export type Peek = Partial<Schemas['PeekedVisit']> & Pick<Schemas['Peek'], 'bound'>;

/** What a request gave. `code` is the stable one of the problem body (RFC 9457). */
export type Outcome<T> =
  { is: 'ok'; data: T } | { is: 'problem'; status: number; code: ProblemCode | 'unknown' } | { is: 'unreachable' };

const http = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

async function outcome<T>(request: Promise<Answer<T>>): Promise<Outcome<T>> {
  try {
    const { data, error, response } = await request;
    if (response.ok) return { is: 'ok', data: data as T };
    return { is: 'problem', status: response.status, code: codeOf(error) };
  } catch {
    return { is: 'unreachable' };
  }
}

function codeOf(problem: unknown): ProblemCode | 'unknown' {
  const code = (problem as Partial<Schemas['Problem']> | undefined)?.code;
  return typeof code === 'string' ? code : 'unknown';
}

export const peekLink = (token: string): Promise<Outcome<Peek>> =>
  outcome(http.POST('/api/v1/links/peek', { body: { token } }));

export const redeemLink = (token: string): Promise<Outcome<Redeemed>> =>
  outcome(http.POST('/api/v1/links/redeem', { body: { token } }));

export const takeSeat = (visit: string, participant: string): Promise<Outcome<Seat>> =>
  outcome(http.POST('/api/v1/visits/{visit}/seat', { params: { path: { visit } }, body: { participant } }));

/** A ticket for the desk's socket. */
export const takeDesk = (): Promise<Outcome<DeskTicket>> => outcome(http.POST('/api/v1/desk/ticket'));

/** Tells the desk how far this page is; only to be called after the person did something. */
export const reportProgress = (visit: string, participant: string, progress: Progress): Promise<Outcome<unknown>> =>
  outcome(
    http.POST('/api/v1/visits/{visit}/progress', { params: { path: { visit } }, body: { participant, progress } }),
  );

export const signIn = (token: string): Promise<Outcome<unknown>> =>
  outcome(http.POST('/api/v1/session', { body: { token } }));

export const signOut = (): Promise<Outcome<unknown>> => outcome(http.DELETE('/api/v1/session'));

export const whoAmI = (): Promise<Outcome<Session>> => outcome(http.GET('/api/v1/session'));

export const visitsToday = (): Promise<Outcome<Day>> => outcome(http.GET('/api/v1/visits'));

export const visitOf = (id: string): Promise<Outcome<Visit>> =>
  outcome(http.GET('/api/v1/visits/{id}', { params: { path: { id } } }));

/** Calls a visit off, as it was at `version`. */
export const cancelVisit = (id: string, version: number, reason: string): Promise<Outcome<Visit>> =>
  outcome(http.POST('/api/v1/visits/{id}/cancel', { params: { path: { id } }, body: { version, reason } }));

/** Makes a person's link void; the answer is the new one. */
export const replaceLink = (id: string, participant: string): Promise<Outcome<VisitLink>> =>
  outcome(
    http.POST('/api/v1/visits/{id}/participants/{participant}/revoke', { params: { path: { id, participant } } }),
  );
