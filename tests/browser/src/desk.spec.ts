import type { Page } from '@playwright/test';
import { book, PATIENT, signIn } from './clinic';
import { inspect } from './look';
import { checkHere, heading, knock, ready, waits } from './steps';
import { expect, test } from './world';

const waitingRow = (desk: Page) => desk.getByRole('listitem').filter({ hasText: PATIENT }).filter({ hasText: /Waiting/ });

test('the rows of the desk change by themselves, and nothing is asked for again and again', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const row = desk.getByRole('listitem').filter({ hasText: PATIENT }).filter({ hasText: 'Open' });
  const state = (text: string | RegExp) => expect(row.filter({ hasText: text })).not.toHaveCount(0);
  await state('Scheduled');

  let asked = 0;
  desk.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/v1/visits') asked++;
  });
  const patient = await devices.open('patient');
  await patient.goto(link);
  await checkHere(patient);
  await ready(patient);
  await state(/Waiting/);
  await expect(desk.getByRole('heading', { name: `${PATIENT} is waiting` })).toBeVisible();
  expect(asked).toBe(0);

  // The service is killed: the desk says so, and has what it missed when it is back.
  await server.kill();
  await expect(desk.getByText('The line to the service is lost.')).toBeVisible();
  await inspect(desk, 'a11y-desk-lost');
  await server.again();
  await expect(desk.getByText('The line to the service is lost.')).toBeHidden();
  await state(/Waiting/);
});

test('a visit that is called off says so on the open desk and to who waits', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link, id } = await book(desk);
  const patient = await devices.open('patient');
  await knock(patient, link);
  await expect(desk.getByRole('heading', { name: `${PATIENT} is waiting` })).toBeVisible();
  const cancelled = await desk.evaluate(async (visit) => {
    const seen = (await (await fetch(`/api/v1/visits/${visit}`)).json()) as { version: number };
    const answer = await fetch(`/api/v1/visits/${visit}/cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'the physician is ill', version: seen.version }),
    });
    return answer.status;
  }, id);
  expect(cancelled).toBe(200);
  await expect(desk.getByRole('listitem').filter({ hasText: 'Cancelled' })).not.toHaveCount(0);
  await expect(desk.getByRole('heading', { name: `${PATIENT} is waiting` })).toBeHidden();
  await expect(heading(patient)).toHaveText('This visit was cancelled');
});

test('signing out in one window signs the other one out', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const other = await desk.context().newPage();
  await other.goto(`${server.base}/desk/`);
  await expect(other.getByRole('button', { name: 'Sign out' })).toBeVisible();
  await desk.getByRole('button', { name: 'Sign out' }).click();
  await expect(heading(other)).toHaveText('You are signed out');
});

test('the desk sees how far the page is before anybody waits', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const state = (text: string) => expect(desk.getByRole('listitem').filter({ hasText: PATIENT }).filter({ hasText: text })).not.toHaveCount(0);
  const patient = await devices.open('patient');
  // Each step is held back until the desk has shown the one before, and the room is not reached at all.
  const held: (() => void)[] = [];
  await patient.routeWebSocket(/\/ws$/, () => undefined);
  await patient.route('**/progress', async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.continue();
  });
  const next = async (n: number) => {
    await expect.poll(() => held.length).toBe(n);
    held[n - 1]?.();
  };
  await patient.goto(link);
  await checkHere(patient);
  await state('Scheduled');
  await patient.getByRole('button', { name: 'I’m ready' }).click();
  await next(1);
  await state('Opened the link');
  await next(2);
  await state('Has arrived');
  await next(3);
  await state('Checked in');
});

test('a visit is cancelled by keyboard, after a question that names patient and time', async ({ server, devices }) => {
  const { desk, patient } = await waits(server, devices);
  const row = waitingRow(desk);
  const button = row.getByRole('button', { name: /^Change/ });
  await button.focus();
  await desk.keyboard.press('Enter');
  const dialog = desk.getByRole('dialog');
  await expect(dialog).toHaveAccessibleName(`Change the visit of ${PATIENT}`);
  await inspect(desk, 'a11y-change');
  await desk.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
  await desk.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Cancel this visit' }).press('Enter');
  await expect(dialog).toHaveAccessibleName(new RegExp(`^Cancel the visit of ${PATIENT} on .+ at \\d\\d:\\d\\d\\?$`));
  await inspect(desk, 'a11y-cancel');
  await dialog.getByRole('button', { name: 'Yes, cancel it' }).press('Enter');
  await expect(dialog.getByRole('alert')).toHaveText('Please write a reason.');
  await expect(heading(patient)).toHaveText('You are in the right place');
  await dialog.getByLabel('Reason').fill('the physician is ill');
  await desk.keyboard.press('Enter');
  await expect(dialog).toHaveAccessibleName(/is cancelled$/);
  await expect(heading(patient)).toHaveText('This visit was cancelled');
  await inspect(patient, 'a11y-cancelled');
  await dialog.getByRole('button', { name: 'Close' }).press('Enter');
  await expect(desk.getByRole('listitem').filter({ hasText: 'Cancelled' })).not.toHaveCount(0);
});

test('a link is replaced: the old page says so, the new link lets in', async ({ server, devices }) => {
  const { desk, patient, link } = await waits(server, devices);
  const row = waitingRow(desk);
  await row.getByRole('button', { name: /^Change/ }).click();
  const dialog = desk.getByRole('dialog');
  await dialog.getByRole('button', { name: `New link for ${PATIENT}` }).click();
  await expect(dialog).toHaveAccessibleName(new RegExp(`^Replace the link of ${PATIENT} to the visit on .+ at \\d\\d:\\d\\d\\?$`));
  await inspect(desk, 'a11y-replace');
  await expect(heading(patient)).toHaveText('You are in the right place');
  await dialog.getByRole('button', { name: 'Yes, replace it' }).click();
  await expect(dialog).toHaveAccessibleName(`${PATIENT} has a new link`);
  await inspect(desk, 'a11y-replaced');
  await expect(heading(patient)).toHaveText('This link is no longer valid');
  await inspect(patient, 'a11y-revoked');
  const renewed = await dialog.getByLabel(`Link of ${PATIENT}`).inputValue();
  const other = await devices.open('patient');
  await other.goto(link);
  await expect(heading(other)).toHaveText('This link does not lead to a visit');
  await other.close();
  const again = await devices.open('patient');
  await knock(again, renewed);
});
