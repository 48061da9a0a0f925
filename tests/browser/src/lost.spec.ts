import type { Page } from '@playwright/test';
import { PATIENT } from './clinic';
import { inspect } from './look';
import { admit, heading, NOT_REACHED, say, waits } from './steps';
import { expect, test } from './world';

const DROPPED = 'The line dropped. We are bringing you back.';

/** Nobody else is to be seen or heard any more. */
async function close(page: Page): Promise<void> {
  await page.context().browser()?.close();
}

test('what both see while the service is away, and when the line is lost too', async ({ server, devices }) => {
  test.setTimeout(240_000);
  const { desk, patient } = await waits(server, devices);

  await test.step('in the waiting room', async () => {
    await server.kill();
    await expect(patient.getByText(DROPPED)).toBeVisible();
    await inspect(patient, 'a11y-lost-waiting');
    await server.again();
    await expect(patient.getByText('The clinic sees that you are here')).toBeVisible();
    await expect(patient.getByText(DROPPED)).toBeHidden();
  });

  await test.step('in the visit', async () => {
    await admit(desk, patient);
    await say(desk, 'Can you hear me well?');
    await say(patient, 'Yes, very well');
    await inspect(patient, 'a11y-messages');
    await inspect(desk, 'a11y-room-messages');
    await server.kill();
    await say(patient, 'Are you still there?');
    await desk.getByRole('button', { name: `Hold ${PATIENT}` }).click();
    await desk.getByRole('button', { name: 'End for all' }).click();
    await expect(patient.getByText(NOT_REACHED)).toBeVisible();
    await expect(desk.getByText('End for all: waiting for the server')).toBeVisible();
    await inspect(patient, 'a11y-lost-service');
    await inspect(desk, 'a11y-room-lost');
  });

  await test.step('when the line is lost too', async () => {
    await close(desk);
    await expect(patient.getByText(DROPPED)).toBeVisible();
    await inspect(patient, 'a11y-lost-line');
  });
});

test('the same from right to left, and the second window', async ({ server, devices }) => {
  test.setTimeout(240_000);
  const { desk, patient } = await waits(server, devices);
  await patient.getByLabel('Language').selectOption('ar');
  await desk.getByRole('button', { name: `Admit ${PATIENT}`, exact: true }).click();
  await expect(patient.getByText('الخط جيد')).toBeVisible();

  const opened = patient.context().waitForEvent('page');
  await patient.evaluate(() => window.open(location.href));
  const twin = await opened;
  await expect(heading(twin)).toHaveText('الزيارة مفتوحة في نافذة أخرى');
  await inspect(twin, 'a11y-taken-ar');
  await twin.getByRole('button', { name: 'نقل الزيارة إلى هنا' }).click();
  await expect(twin.getByText('الخط جيد')).toBeVisible();
  await expect(heading(patient)).toHaveText('تستمر الزيارة في نافذة أخرى');
  await inspect(patient, 'a11y-superseded-ar');

  await twin.getByRole('button', { name: 'الرسائل' }).click();
  await twin.getByLabel('رسالتك').fill('هل تسمعينني؟');
  await twin.getByRole('button', { name: 'إرسال' }).click();
  await say(desk, 'Yes, well');
  await inspect(twin, 'a11y-messages-ar');
  await server.kill();
  await expect(twin.getByText('تعذر الوصول إلى الخدمة حاليًا.')).toBeVisible();
  await inspect(twin, 'a11y-lost-service-ar');
  await close(desk);
  await expect(twin.getByText('انقطع الخط. نعيدك إلى الزيارة.')).toBeVisible();
  await inspect(twin, 'a11y-lost-line-ar');
});
