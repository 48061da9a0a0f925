import { book, PATIENT, signIn } from './clinic';
import { inspect, shot } from './look';
import { admit, bothSee, check, checkHere, heading, knock, ready } from './steps';
import { expect, newPage, test } from './world';

test('every page is accessible, in light and dark and at 320 px', async ({ server, devices }) => {
  test.setTimeout(120_000);
  const desk = await devices.open('physician');
  await desk.goto(`${server.base}/desk/`);
  await expect(heading(desk)).toHaveText('You are signed out');
  await inspect(desk, 'a11y-signed-out');
  await signIn(desk, server);
  const { link } = await book(desk);
  const patient = await devices.open('patient');
  await patient.goto(link);
  await expect(heading(patient)).toHaveText('Video visit with Cedar Street Clinic');
  await inspect(patient, 'a11y-link');
  await checkHere(patient);
  await inspect(patient, 'a11y-check');
  await ready(patient);
  await inspect(patient, 'a11y-waiting');
  await expect(desk.getByRole('heading', { name: `${PATIENT} is waiting` })).toBeVisible();
  await inspect(desk, 'a11y-desk');
  await admit(desk, patient);
  await inspect(patient, 'a11y-visit');
  await inspect(desk, 'a11y-room');
  await desk.getByRole('button', { name: 'End for all' }).click();
  await expect(desk.getByRole('button', { name: 'Undo, keep the visit' })).toBeVisible();
  await expect(heading(desk)).toHaveText('The visit has ended', { timeout: 20_000 });
  await inspect(desk, 'a11y-room-ended');
  await expect(heading(patient)).toHaveText('The visit has ended');
  await inspect(patient, 'a11y-end');
});

test('pages that people rely on have nothing that makes their sockets fail', async ({ server, devices }) => {
  const page = await devices.open('physician');
  for (const path of ['/desk/', '/v/']) {
    await page.goto(server.base + path);
    await expect(page.locator('meta[name="viewport"]')).toHaveCount(1);
    await expect(page.locator('meta[name="heliograph-simulate"]')).toHaveCount(0);
  }
});

test.describe('of a development server', () => {
  test.use({ simulate: true });

  test('both pages say so', async ({ server, devices }) => {
    const page = await devices.open('physician');
    for (const path of ['/desk/', '/v/']) {
      await page.goto(server.base + path);
      await expect(page.locator('meta[name="heliograph-simulate"]')).toHaveAttribute('content', 'true');
    }
  });
});

test('a second device sees no name, no institution and no time', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const first = await devices.open('patient');
  const early = await devices.open('patient');
  await check(early, link);
  await knock(first, link);

  const second = await devices.open('patient');
  await second.goto(link);
  await expect(heading(second)).toHaveText('This link is in use on another device');
  await expect(second.getByText(/Cedar|Maryam|Riyadh|\d\d:\d\d/)).toHaveCount(0);
  await inspect(second, 'a11y-elsewhere');

  // One that had looked at the link before is told the same when it presses the button.
  await early.getByRole('button', { name: 'I’m ready' }).click();
  await expect(heading(early)).toHaveText('This link is in use on another device');
  await expect(early.getByText(/Cedar|Maryam|Riyadh|\d\d:\d\d/)).toHaveCount(0);
  await expect(first.getByText('The clinic sees that you are here')).toBeVisible();
});

test('a second window of the same device asks before it moves the visit', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const patient = await devices.open('patient');
  await knock(patient, link);
  await admit(desk, patient);

  const window2 = await newPage(patient.context());
  await check(window2, link);
  await window2.getByRole('button', { name: 'I’m ready' }).click();
  await expect(heading(window2)).toHaveText('The visit is open in another window');
  await inspect(window2, 'a11y-taken');
  await window2.getByRole('button', { name: 'Move the visit here' }).click();
  await bothSee(desk, window2);
  await expect(heading(patient)).toHaveText('The visit goes on in another window');
  await inspect(patient, 'a11y-superseded');
});

test('who leaves for now comes back by one press', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const patient = await devices.open('patient');
  await knock(patient, link);
  await admit(desk, patient);
  await patient.getByRole('button', { name: 'Leave for now' }).click();
  await expect(heading(patient)).toHaveText('You left for now');
  await expect(desk.getByText('has left for now')).toBeVisible();
  await patient.getByRole('button', { name: 'Go back in' }).click();
  await bothSee(desk, patient);
});

test('who is put on hold waits again, and is let in again', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const patient = await devices.open('patient');
  await knock(patient, link);
  await admit(desk, patient);
  await desk.getByRole('button', { name: `Hold ${PATIENT}` }).click();
  await expect(heading(patient)).toHaveText('Back in the waiting room');
  await expect(desk.getByText('Nobody else is in the visit.')).toBeVisible();
  await desk.screenshot(shot('room-held'));
  await admit(desk, patient);
});

test('a camera and a microphone say their state, and the other side sees it', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const patient = await devices.open('patient');
  await knock(patient, link);
  await admit(desk, patient);
  await patient.getByRole('button', { name: 'Camera, on' }).click();
  await expect(patient.getByRole('button', { name: 'Camera, off' })).toBeVisible();
  await expect(desk.getByText('MA', { exact: true })).toBeVisible();
  await patient.getByRole('button', { name: 'Microphone, on' }).click();
  await expect(patient.getByRole('button', { name: 'Microphone, off' })).toBeVisible();
  await patient.screenshot(shot('visit-off'));
  await desk.screenshot(shot('room-off'));
  await patient.getByRole('button', { name: 'Camera, off' }).click();
  await patient.getByRole('button', { name: 'Microphone, off' }).click();
  await expect(desk.getByText('MA', { exact: true })).toBeHidden();
  await bothSee(desk, patient);
});

test('a service that is not reached is told, while picture and sound go on', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const patient = await devices.open('patient');
  await knock(patient, link);
  await admit(desk, patient);
  await patient.context().setOffline(true);
  await expect(patient.getByText('The service is not reached at the moment.')).toBeVisible({ timeout: 20_000 });
  await patient.screenshot(shot('visit-service-lost'));
  await bothSee(desk, patient);
  await patient.context().setOffline(false);
  await expect(patient.getByText('The service is not reached at the moment.')).toBeHidden();
  await bothSee(desk, patient);
});

test('Arabic runs from right to left', async ({ server, devices }) => {
  const patient = await devices.open('patient');
  await patient.goto(server.door('patient'));
  await patient.getByLabel('Language').selectOption('ar');
  await expect(heading(patient)).toContainText('زيارة بالفيديو');
  await expect(patient.locator('html')).toHaveAttribute('dir', 'rtl');
  await inspect(patient, 'a11y-link-ar');
  await patient.reload();
  await expect(patient.locator('html')).toHaveAttribute('lang', 'ar');
  await patient.getByRole('button', { name: 'فحص الكاميرا والصوت' }).click();
  await expect(heading(patient)).toHaveText('نراك ونسمعك');
  await inspect(patient, 'a11y-check-ar');
});

test('a link that leads nowhere says what to do', async ({ server, devices }) => {
  const patient = await devices.open('patient');
  await patient.goto(`${server.base}/v/#nonsense`);
  await expect(heading(patient)).toHaveText('This link does not lead to a visit');
  await inspect(patient, 'a11y-unknown');
  const desk = await devices.open('physician');
  await desk.goto(`${server.base}/desk/#nonsense`);
  await expect(heading(desk)).toHaveText('This sign-in link does not work');
  expect(new URL(desk.url()).hash).toBe('');
});

test('an early visit says when the waiting room opens', async ({ server, devices }) => {
  const patient = await devices.open('patient');
  await patient.goto(server.door('interpreter'));
  await expect(patient.getByText(/You are early. The waiting room opens at \d\d:\d\d/)).toBeVisible();
  await patient.getByRole('button', { name: 'Check camera and sound' }).click();
  await expect(patient.getByRole('button', { name: 'I’m ready' })).toHaveAttribute('aria-disabled', 'true');
  await inspect(patient, 'a11y-early');
});

test.describe('what the browser does not give', () => {
  test('blocked devices: the way to allow them, and on without', async ({ server, devices }) => {
    const patient = await devices.open('patient', {}, ['--use-fake-ui-for-media-stream=deny', '--use-fake-device-for-media-stream=fps=30']);
    await patient.goto(server.door('patient'));
    await patient.getByRole('button', { name: 'Check camera and sound' }).click();
    await expect(heading(patient)).toHaveText('We can neither see nor hear you');
    await expect(patient.getByText('Blocked for this page')).toHaveCount(2);
    await inspect(patient, 'a11y-blocked');
    await patient.getByRole('button', { name: 'Go on without both' }).click();
    await expect(heading(patient)).toHaveText('You are in the right place');
  });

  test('no camera: on with sound alone', async ({ server, devices }) => {
    const patient = await devices.open('patient', {}, ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream=device-count=0']);
    await patient.goto(server.door('patient'));
    await patient.getByRole('button', { name: 'Check camera and sound' }).click();
    await expect(heading(patient)).toHaveText('We can hear you, but not see you');
    await expect(patient.getByText('Not found')).toBeVisible();
    await inspect(patient, 'a11y-no-camera');
  });

  test('no devices at all, as inside other apps: told before anything is redeemed', async ({ server, devices }) => {
    const inApp = await devices.open('patient');
    await inApp.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }));
    await inApp.goto(server.door('patient'));
    await expect(heading(inApp)).toHaveText('This browser cannot show the visit');
    await inspect(inApp, 'a11y-unsupported');
    const browser = await devices.open('patient');
    await knock(browser, server.door('patient'));
  });
});
