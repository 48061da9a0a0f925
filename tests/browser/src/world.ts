import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from '@playwright/test';
import { BLUE, RED, writeCamera } from './cameras';
import { Server } from './server';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const USUAL = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=user-gesture-required',
];

const FAKE = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream=fps=30'];

/** Whose device it is: the patient's camera is red, the physician's blue. */
export type Whose = 'patient' | 'physician';

/** Where they are. */
const AT: Record<Whose, BrowserContextOptions> = {
  patient: { timezoneId: 'Asia/Riyadh', locale: 'en-GB', viewport: { width: 390, height: 844 } },
  physician: { timezoneId: 'America/Los_Angeles', locale: 'en-GB', viewport: { width: 1280, height: 800 } },
};

export interface Devices {
  /** A browser of its own with its own camera; `flags` replace the usual ones of the fake devices. */
  open(whose: Whose, options?: BrowserContextOptions, flags?: string[]): Promise<Page>;
}

interface Given {
  /** Whether the server is a development one, whose pages can be made to fail. */
  simulate: boolean;
  server: Server;
  devices: Devices;
}

export const test = base.extend<Given, { cameras: Record<Whose, string> }>({
  cameras: [
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'heliograph-cameras-'));
      const cameras = { patient: join(folder, 'red.y4m'), physician: join(folder, 'blue.y4m') };
      writeCamera(cameras.patient, RED);
      writeCamera(cameras.physician, BLUE);
      await use(cameras);
      rmSync(folder, { recursive: true });
    },
    { scope: 'worker' },
  ],

  simulate: [false, { option: true }],

  server: async ({ simulate }, use) => {
    const server = await Server.start(simulate);
    await use(server);
    await server.stop();
  },

  devices: async ({ cameras }, use) => {
    const browsers: Browser[] = [];
    await use({
      async open(whose, options, flags = [...FAKE, `--use-file-for-fake-video-capture=${cameras[whose]}`]) {
        const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...USUAL, ...flags] });
        browsers.push(browser);
        return newPage(await browser.newContext({ ...AT[whose], ...options }));
      },
    });
    for (const browser of browsers) await browser.close();
  },
});

/** A page on which nothing may fail in silence. */
export async function newPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultNavigationTimeout(15_000);
  page.on('pageerror', (error) => {
    throw error;
  });
  page.on('console', (message) => {
    // A refused request is part of some tests; a breach of the content security policy never is.
    if (message.text().includes('Content Security Policy')) throw new Error(message.text());
  });
  return page;
}

export { expect } from '@playwright/test';
