import { calls, expectNoGap, simulate, watchGaps } from './calls';
import { inspect } from './look';
import { bothSee, DOCTORS_PICTURE, expectMessages, expectMessagesInAnyOrder, heading, NOT_REACHED, PATIENTS_PICTURE, say, visit } from './steps';
import { expect, test } from './world';

/** A picture that stands still for longer is seen to. The limit leaves room for a machine with other work. */
const GAP_MS = 1_000;

test.use({ simulate: true });

test('what both write arrives once', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  await say(patient, 'Good morning');
  await expect(desk.getByRole('button', { name: 'Messages, 1 new' })).toBeVisible();
  await say(desk, 'صباح الخير');
  await say(patient, 'x'.repeat(300));
  const all = ['Good morning', 'صباح الخير', 'x'.repeat(300)];
  await expectMessages(desk, all);
  await expectMessages(patient, all);
});

test('a reload in mid-visit comes back without a click, and what was not sent before is sent once', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  await say(patient, 'one');
  await expectMessages(desk, ['one']);
  await simulate(patient, 'blackhole');
  await say(patient, 'two');
  await say(patient, 'three');
  await patient.reload();
  await bothSee(desk, patient);
  await expectMessages(desk, ['one', 'two', 'three']);
  await expectMessages(patient, ['one', 'two', 'three']);
  await say(desk, 'four');
  await desk.reload();
  await bothSee(desk, patient);
  await expectMessages(patient, ['one', 'two', 'three', 'four']);
  await expectMessages(desk, ['one', 'two', 'three', 'four']);
});

test('sockets that are lost, loudly or silently, touch neither the pictures nor the messages', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  const before = [await calls(desk), await calls(patient)];
  await watchGaps(patient, DOCTORS_PICTURE);
  const texts: string[] = [];
  for (const fault of ['drop', 'blackhole', 'drop'] as const) {
    for (const [page, who] of [[patient, 'patient'], [desk, 'physician']] as const) {
      await simulate(page, fault);
      texts.push(`${texts.length}: the ${who} after ${fault}`);
      await say(page, texts.at(-1) ?? '');
      await expectMessages(page === desk ? patient : desk, texts);
    }
  }
  await expectMessages(desk, texts);
  await expectMessages(patient, texts);
  expect([await calls(desk), await calls(patient)]).toEqual(before);
  await expectNoGap(patient, DOCTORS_PICTURE, GAP_MS);
});

test('a server that is killed and started again: the pictures go on, nobody clicks, all messages arrive once', async ({ server, devices }) => {
  test.setTimeout(180_000);
  const { desk, patient } = await visit(server, devices);
  await say(patient, 'before');
  await expectMessages(desk, ['before']);
  const before = [await calls(desk), await calls(patient)];
  expect(before.map(({ open }) => open.length)).toEqual([1, 1]);
  await watchGaps(desk, PATIENTS_PICTURE);
  await watchGaps(patient, DOCTORS_PICTURE);

  await test.step('while it is away, both say so and keep what is said', async () => {
    await server.kill();
    await say(patient, 'patient, away');
    await say(desk, 'physician, away');
    await patient.getByRole('button', { name: 'Microphone, on' }).click();
    await expect(patient.getByText(NOT_REACHED)).toBeVisible();
    await expect(patient.getByText('waiting for the service, sent by itself')).toBeVisible();
    await expect(desk.getByText(NOT_REACHED)).toBeVisible();
    await bothSee(desk, patient);
  });

  await test.step('it comes back, and so do both', async () => {
    await server.again();
    await expect(patient.getByText(NOT_REACHED)).toBeHidden();
    await expect(desk.getByText(NOT_REACHED)).toBeHidden();
    for (const page of [desk, patient]) await expectMessagesInAnyOrder(page, ['before', 'patient, away', 'physician, away']);
    await expect(desk.getByText('microphone off')).toBeVisible();
    await expect(patient.getByText('waiting for the service')).toHaveCount(0);
    await bothSee(desk, patient);
  });

  await test.step('a decision that was taken back is not carried out', async () => {
    await server.kill();
    await desk.getByRole('button', { name: 'End for all' }).click();
    await desk.getByRole('button', { name: 'Take back (End for all)' }).click();
    await expect(desk.getByRole('button', { name: /^Take back/ })).toHaveCount(0);
    await server.again();
    await say(patient, 'after');
    await expectMessagesInAnyOrder(desk, ['before', 'patient, away', 'physician, away', 'after']);
    await expect(patient.getByText('The visit ends in a moment.')).toBeHidden();
    await expect(desk.getByText(NOT_REACHED)).toBeHidden();
  });

  await test.step('the connections are those of before', async () => {
    await bothSee(desk, patient);
    expect([await calls(desk), await calls(patient)]).toEqual(before);
    await expectNoGap(desk, PATIENTS_PICTURE, GAP_MS);
    await expectNoGap(patient, DOCTORS_PICTURE, GAP_MS);
  });

  await test.step('a decision that was not taken back is carried out once', async () => {
    await server.kill();
    await desk.getByRole('button', { name: 'End for all' }).click();
    await expect(desk.getByText('End for all: waiting for the server')).toBeVisible();
    await server.again();
    await expect(desk.getByRole('button', { name: 'Undo, keep the visit' })).toBeVisible();
    await expect(desk.getByText('waiting for the server')).toHaveCount(0);
  });
});

test('a server that is restarted in order says that it will be back', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  const before = [await calls(desk), await calls(patient)];
  await server.end();
  await expect(patient.getByText('The service is being started again')).toBeVisible();
  await expect(desk.getByText('The service is being started again')).toBeVisible();
  await server.again();
  await expect(patient.getByText(NOT_REACHED)).toBeHidden();
  await say(patient, 'still here');
  await expectMessages(desk, ['still here']);
  await bothSee(desk, patient);
  expect([await calls(desk), await calls(patient)]).toEqual(before);
});

test('a server whose rooms are lost with it: the pictures go on, and what was said is sent again, once', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  await say(patient, 'before');
  await expectMessages(desk, ['before']);
  const before = [await calls(desk), await calls(patient)];
  await watchGaps(desk, PATIENTS_PICTURE);
  await watchGaps(patient, DOCTORS_PICTURE);
  await server.kill();
  await say(desk, 'away');
  await expect(patient.getByText(NOT_REACHED)).toBeVisible();
  server.forgetRooms();
  await server.again();
  await expect(patient.getByText(NOT_REACHED)).toBeHidden();
  await expect(desk.getByText(NOT_REACHED)).toBeHidden();
  await expectMessagesInAnyOrder(patient, ['before', 'away']);
  await expectMessagesInAnyOrder(desk, ['before', 'away']);
  await bothSee(desk, patient);
  expect([await calls(desk), await calls(patient)]).toEqual(before);
  await expectNoGap(desk, PATIENTS_PICTURE, GAP_MS);
  await expectNoGap(patient, DOCTORS_PICTURE, GAP_MS);
});

test('a room that lost its newest entries with the server gets them again from its pages, once each', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  const before = [await calls(desk), await calls(patient)];
  const texts = Array.from({ length: 6 }, (_, n) => `line ${n}`);
  for (const [n, text] of texts.entries()) await say(n % 2 ? patient : desk, text);
  await expectMessages(patient, texts);
  await expectMessages(desk, texts);
  await watchGaps(desk, PATIENTS_PICTURE);
  await simulate(patient, 'rewind', 'kill');
  await server.gone();
  await say(desk, 'away');
  await expect(patient.getByText(NOT_REACHED)).toBeVisible();
  await server.again();
  await expect(patient.getByText(NOT_REACHED)).toBeHidden();
  await expect(desk.getByText(NOT_REACHED)).toBeHidden();
  await expectMessagesInAnyOrder(patient, [...texts, 'away']);
  await expectMessagesInAnyOrder(desk, [...texts, 'away']);
  await bothSee(desk, patient);
  expect([await calls(desk), await calls(patient)]).toEqual(before);
  await expectNoGap(desk, PATIENTS_PICTURE, GAP_MS);
});

test('a duplicated tab is a page of its own: it asks, the first one says so, and brings the visit back', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  const opened = patient.context().waitForEvent('page');
  await patient.evaluate(() => window.open(location.href));
  const twin = await opened;
  await expect(heading(twin)).toHaveText('The visit is open in another window');
  await expect(patient.getByText('line good')).toBeVisible();
  expect(await twin.evaluate(() => sessionStorage.length), 'a duplicated tab has a copy').toBeGreaterThan(0);

  await twin.getByRole('button', { name: 'Move the visit here' }).click();
  await bothSee(desk, twin);
  await expect(heading(patient)).toHaveText('The visit goes on in another window');

  await patient.getByRole('button', { name: 'Bring it back here' }).click();
  await bothSee(desk, patient);
  await expect(heading(twin)).toHaveText('The visit goes on in another window');

  await say(patient, 'here again');
  await expectMessages(desk, ['here again']);
});

test('a second tab of the desk asks before it moves the visit', async ({ server, devices }) => {
  const { desk, patient } = await visit(server, devices);
  const opened = desk.context().waitForEvent('page');
  await desk.evaluate(() => window.open(location.href));
  const twin = await opened;
  await expect(heading(twin)).toHaveText('The visit is open in another window');
  await inspect(twin, 'a11y-room-taken');
  await twin.getByRole('button', { name: 'Move the visit here' }).click();
  await bothSee(twin, patient);
  await expect(heading(desk)).toHaveText('The visit goes on in another window');
  await inspect(desk, 'a11y-room-superseded');
  await desk.getByRole('button', { name: 'Bring it back here' }).click();
  await bothSee(desk, patient);
});
