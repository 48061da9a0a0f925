import { expect, type Page } from '@playwright/test';
import { DOCTOR, PATIENT } from './clinic';
import { expectMoving } from './pictures';

export const DOCTORS_PICTURE = `Picture and sound of ${DOCTOR}`;
export const PATIENTS_PICTURE = `Picture and sound of ${PATIENT}`;

export const heading = (page: Page) => page.getByRole('heading', { level: 1 });

/** From the link to the end of the device check. */
export async function check(patient: Page, link: string): Promise<void> {
  await patient.goto(link);
  await checkHere(patient);
}

export async function checkHere(patient: Page): Promise<void> {
  await patient.getByRole('button', { name: 'Check camera and sound' }).click();
  await expect(heading(patient)).toHaveText('We can see and hear you');
}

/** From the link to the waiting room. */
export async function knock(patient: Page, link: string): Promise<void> {
  await check(patient, link);
  await ready(patient);
}

export async function ready(patient: Page): Promise<void> {
  await patient.getByRole('button', { name: 'I’m ready' }).click();
  await expect(patient.getByText('The clinic sees that you are here')).toBeVisible();
}

/** The physician's one click, from the list to a call in which both see each other. */
export async function admit(desk: Page, patient: Page): Promise<void> {
  await desk.getByRole('button', { name: `Admit ${PATIENT}`, exact: true }).click();
  await bothSee(desk, patient);
}

export async function bothSee(desk: Page, patient: Page): Promise<void> {
  await Promise.all([expectMoving(desk, PATIENTS_PICTURE), expectMoving(patient, DOCTORS_PICTURE)]);
}
