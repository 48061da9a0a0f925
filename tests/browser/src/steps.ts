import { expect, type Page } from '@playwright/test';
import { watchCalls } from './calls';
import { book, DOCTOR, PATIENT, signIn } from './clinic';
import { expectMoving } from './pictures';
import type { Server } from './server';
import type { Devices } from './world';

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

export const NOT_REACHED = 'The service is not reached';

export interface Visit {
  desk: Page;
  patient: Page;
  link: string;
}

/** A visit in which both see each other. */
export async function visit(server: Server, devices: Devices): Promise<Visit> {
  const waiting = await waits(server, devices);
  await admit(waiting.desk, waiting.patient);
  return waiting;
}

/** A visit whose patient waits. */
export async function waits(server: Server, devices: Devices): Promise<Visit> {
  const desk = await devices.open('physician');
  const patient = await devices.open('patient');
  for (const page of [desk, patient]) await watchCalls(page);
  await signIn(desk, server);
  const { link } = await book(desk);
  await knock(patient, link);
  return { desk, patient, link };
}

/** Opens the messages, if they are not open, and writes a line. */
export async function say(page: Page, text: string): Promise<void> {
  await openMessages(page);
  await page.getByLabel('Your message').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

export async function openMessages(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: /^Messages/ });
  if ((await button.getAttribute('aria-expanded')) === 'false') await button.click();
}

/** All that both wrote, each once, as one of them reads it. */
export async function expectMessages(page: Page, texts: string[]): Promise<void> {
  await openMessages(page);
  await expect(messages(page)).toHaveText(texts);
}

/** The same, where both wrote at once and the room decides the order. */
export async function expectMessagesInAnyOrder(page: Page, texts: string[]): Promise<void> {
  await openMessages(page);
  await expect.poll(async () => (await messages(page).allTextContents()).sort()).toEqual([...texts].sort());
}

const messages = (page: Page) => page.getByRole('log').locator('li p');
