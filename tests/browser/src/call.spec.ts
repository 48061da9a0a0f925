import { expectHeard, watchCalls } from './calls';
import { book, DOCTOR, PATIENT, signIn } from './clinic';
import { expectColour, expectMoving } from './pictures';
import { expect, test } from './world';

const DOCTORS_PICTURE = `Picture and sound of ${DOCTOR}`;
const PATIENTS_PICTURE = `Picture and sound of ${PATIENT}`;
const shot = (name: string) => ({ path: `screenshots/${name}.png` });

test('a visit: booked, waited for, admitted, seen and heard, come back to, ended', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await watchCalls(desk);
  await signIn(desk, server);
  const { link } = await book(desk);

  const patient = await devices.open('patient');
  await watchCalls(patient);
  await test.step('the patient comes in by the link', async () => {
    await patient.goto(link);
    await expect(patient.getByRole('heading', { level: 1 })).toHaveText('Video visit with Cedar Street Clinic');
    await expect(patient.getByText('Riyadh')).toBeVisible();
    await patient.screenshot(shot('link'));
    await patient.getByRole('button', { name: 'Check camera and sound' }).click();
    await expect(patient.getByRole('heading', { level: 1 })).toHaveText('We can see and hear you');
    await expect(patient.getByText('We hear you.')).toBeVisible();
    await patient.screenshot(shot('check'));
    await patient.getByRole('button', { name: 'I’m ready' }).click();
    await expect(patient.getByRole('heading', { level: 1 })).toHaveText('You are in the right place');
    await expect(patient.getByText('The clinic sees that you are here')).toBeVisible();
    await patient.screenshot(shot('waiting'));
  });

  await test.step('the physician sees who waits, and lets them in by one click', async () => {
    const admit = desk.getByRole('button', { name: `Admit ${PATIENT}`, exact: true });
    await expect(admit).toBeVisible();
    await desk.screenshot(shot('desk'));
    await admit.click();
  });

  await test.step('both see and hear each other', async () => {
    await Promise.all([expectMoving(desk, PATIENTS_PICTURE), expectMoving(patient, DOCTORS_PICTURE)]);
    await expectColour(desk, PATIENTS_PICTURE, 'red');
    await expectColour(patient, DOCTORS_PICTURE, 'blue');
    await Promise.all([expectHeard(desk), expectHeard(patient)]);
    await expect(patient.getByText('line good')).toBeVisible();
    await patient.screenshot(shot('visit'));
    await desk.screenshot(shot('room'));
  });

  await test.step('a reload comes back without a click', async () => {
    await patient.reload();
    await Promise.all([expectMoving(desk, PATIENTS_PICTURE), expectMoving(patient, DOCTORS_PICTURE)]);
    await expectColour(desk, PATIENTS_PICTURE, 'red');
    await expectColour(patient, DOCTORS_PICTURE, 'blue');
  });

  await test.step('an end can be undone', async () => {
    await desk.getByRole('button', { name: 'End for all' }).click();
    await expect(patient.getByText('The visit ends in a moment.')).toBeVisible();
    await desk.screenshot(shot('room-ending'));
    await desk.getByRole('button', { name: 'Undo, keep the visit' }).click();
    await expect(patient.getByText('The visit ends in a moment.')).toBeHidden();
  });

  await test.step('an end comes for all', async () => {
    await desk.getByRole('button', { name: 'End for all' }).click();
    await expect(desk.getByRole('heading', { name: 'The visit has ended' })).toBeVisible({ timeout: 20_000 });
    await expect(patient.getByRole('heading', { name: 'The visit has ended' })).toBeVisible();
    await patient.screenshot(shot('end'));
    await desk.screenshot(shot('room-ended'));
    await desk.getByRole('button', { name: 'Back to the list' }).click();
    await expect(desk.getByText('Ended')).toBeVisible();
  });
});
