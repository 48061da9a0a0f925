import { expect, type Page } from '@playwright/test';
import type { Server } from './server';

export const DOCTOR = 'Dr Amara Okafor';
export const PATIENT = 'Maryam Al-Harbi';
const ZONE = 'America/Los_Angeles';
const STEP_S = 300;

interface Person {
  person: string;
  name: string;
}

export interface BookedVisit {
  id: string;
  /** The patient's link. */
  link: string;
}

/** Opens the physician's sign-in link. */
export async function signIn(page: Page, server: Server): Promise<void> {
  await page.goto(server.door('physician'), { timeout: 15_000 });
  await expect(page.getByText(DOCTOR)).toBeVisible();
  expect(new URL(page.url()).hash).toBe('');
}

/** Books a visit of the physician and the patient that has just begun, through the API, with the cookie of a signed-in page. */
export async function book(page: Page): Promise<BookedVisit> {
  const booked = await page.evaluate(
    async ({ wall, zone, doctor, patient, key }) => {
      const day = (await (await fetch('/api/v1/visits')).json()) as { visits: { participants: Person[] }[] };
      const people = day.visits.flatMap(({ participants }) => participants);
      const idOf = (name: string): string | undefined => people.find((one) => one.name === name)?.person;
      const response = await fetch('/api/v1/visits', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({
          start: { wall, zone },
          duration_min: 5,
          participants: [
            { person: idOf(doctor), role: 'host' },
            { person: idOf(patient), role: 'patient' },
          ],
        }),
      });
      return { status: response.status, body: (await response.json()) as { id: string; links: { url: string }[] } };
    },
    { wall: wallNow(), zone: ZONE, doctor: DOCTOR, patient: PATIENT, key: crypto.randomUUID() },
  );
  expect(booked, JSON.stringify(booked.body)).toMatchObject({ status: 201 });
  expect(booked.body.links).toHaveLength(1);
  return { id: booked.body.id, link: booked.body.links[0]?.url ?? '' };
}

/** The last mark of 5 minutes, as the clock of the clinic shows it. */
function wallNow(): string {
  const start = new Date(Math.floor(Date.now() / 1_000 / STEP_S) * STEP_S * 1_000);
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, dateStyle: 'short', timeStyle: 'short' }).format(start);
  return text.replace(' ', 'T');
}
