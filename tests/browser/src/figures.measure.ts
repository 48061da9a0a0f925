import { cpus } from 'node:os';
import type { Page } from '@playwright/test';
import { book, PATIENT, signIn } from './clinic';
import { look } from './pictures';
import { DOCTORS_PICTURE, heading, knock, PATIENTS_PICTURE } from './steps';
import { expect, test } from './world';

const RUNS = Number(process.env.RUNS ?? 20);
const BUSY = 0.85;

test('admit → both pictures moving', async ({ server, devices }) => {
  const desk = await devices.open('physician');
  await signIn(desk, server);
  const { link } = await book(desk);
  const patient = await devices.open('patient');
  await knock(patient, link);

  const took: number[] = [];
  let busy = 0;
  for (let run = 0; run < RUNS; run++) {
    const admit = desk.getByRole('button', { name: `Admit ${PATIENT}`, exact: true });
    await admit.waitFor();
    const before = cpus();
    const start = Date.now();
    await admit.click();
    const moved = await Promise.all([moving(desk, PATIENTS_PICTURE), moving(patient, DOCTORS_PICTURE)]);
    took.push(Math.max(...moved) - start);
    if (load(before) > BUSY) busy++;
    // Back to the start: the patient waits, the physician looks at the list.
    await desk.getByRole('button', { name: `Hold ${PATIENT}` }).click();
    await expect(heading(patient)).toHaveText('Back in the waiting room');
    await desk.getByRole('button', { name: 'Step out' }).click();
  }
  took.sort((a, b) => a - b);
  const at = (share: number): number => took[Math.ceil(share * took.length) - 1] ?? NaN;
  console.log(`admit → both pictures moving, ${took.length} runs: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`);
  console.log(`runs in which the machine was more than ${BUSY * 100} % busy: ${busy}`);
});

test('the patient’s first view', async ({ server, devices }) => {
  const patient = await devices.open('patient');
  const bytes = new Map<string, number>();
  const cdp = await patient.context().newCDPSession(patient);
  const names = new Map<string, string>();
  await cdp.send('Network.enable');
  cdp.on('Network.responseReceived', ({ requestId, response }) => names.set(requestId, `${new URL(response.url).pathname} (${response.headers['content-encoding'] ?? 'plain'})`));
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => bytes.set(names.get(requestId) ?? requestId, encodedDataLength));
  await patient.goto(server.door('patient'));
  await expect(heading(patient)).toHaveText('Video visit with Cedar Street Clinic');
  await patient.waitForLoadState('networkidle');
  for (const [name, size] of bytes) console.log(`${String(size).padStart(8)}  ${name}`);
  const sum = [...bytes.values()].reduce((a, b) => a + b, 0);
  console.log(`the patient’s first view: ${sum} bytes over the line in ${bytes.size} requests`);
});

/** When the picture had come and changed. */
async function moving(page: Page, label: string): Promise<number> {
  await page.getByLabel(label, { exact: true }).waitFor();
  let first: Awaited<ReturnType<typeof look>>;
  for (;;) {
    const now = await look(page, label);
    if (first && now && now.frames > first.frames && now.columns.some((value, x) => Math.abs(value - (first?.columns[x] ?? 0)) > 20)) return Date.now();
    first ??= now;
  }
}

/** The share of time that the busier core worked since `before`. */
function load(before: ReturnType<typeof cpus>): number {
  const shares = cpus().map(({ times }, n) => {
    const past = before[n]?.times ?? times;
    const idle = times.idle - past.idle;
    const all = Object.values(times).reduce((a, b) => a + b, 0) - Object.values(past).reduce((a, b) => a + b, 0);
    return all === 0 ? 0 : 1 - idle / all;
  });
  return Math.max(...shares);
}
