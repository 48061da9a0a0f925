import { PATIENT } from './clinic';
import { inspect } from './look';
import { admit, bothSee, expectMessages, heading, say, visit } from './steps';
import { expect, test } from './world';

test('a line that is refused says why beside it, and is taken up again', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  await patient.context().setOffline(true);
  await say(patient, 'written without a line');
  await desk.getByRole('button', { name: `Hold ${PATIENT}` }).click();
  await expect(desk.getByText('Nobody else is in the visit.')).toBeVisible();
  await patient.context().setOffline(false);
  await expect(heading(patient)).toHaveText('Back in the waiting room');
  await admit(desk, patient);

  const why = patient.getByText('Not sent: you were not in the visit at that moment.');
  await expect(why).toBeVisible();
  await inspect(patient, 'a11y-unsent');
  await patient.getByRole('button', { name: 'Close' }).click();
  await patient.getByRole('button', { name: 'Messages, 1 not sent' }).click();
  await patient.getByRole('button', { name: /^Take it up again/ }).click();
  await expect(why).toBeHidden();
  await expect(patient.getByLabel('Your message')).toBeFocused();
  await expect(patient.getByLabel('Your message')).toHaveValue('written without a line');
  await patient.keyboard.press('Enter');
  await expectMessages(desk, ['written without a line']);
  await expectMessages(patient, ['written without a line']);
  await bothSee(desk, patient);
});
