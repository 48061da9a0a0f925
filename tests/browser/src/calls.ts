import { expect, type Page } from '@playwright/test';

export type Fault = 'drop' | 'blackhole' | 'kill' | 'rewind';

declare global {
  interface Window {
    /** Every peer connection that the page made. */
    made: RTCPeerConnection[];
    longestGap: number;
    __heliograph?: { simulate(what: Fault): void };
  }
}

/** Remembers the peer connections of a page; to be called before the page is opened. */
export async function watchCalls(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.made = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(config?: RTCConfiguration) {
        super(config);
        window.made.push(this);
      }
    };
  });
}

/** How many connections the page made, and the one that is open, by its place among them. */
export function calls(page: Page): Promise<{ made: number; open: number[] }> {
  return page.evaluate(() => ({
    made: window.made.length,
    open: window.made.flatMap((pc, n) => (pc.connectionState === 'connected' ? [n] : [])),
  }));
}

/** Sound arrives that is no silence; `watchCalls` must have been there before the page. */
export async function expectHeard(page: Page): Promise<void> {
  const energy = () =>
    page.evaluate(async () => {
      let sum = 0;
      for (const pc of window.made.filter(({ connectionState }) => connectionState === 'connected'))
        for (const report of (await pc.getStats()).values() as Iterable<RTCInboundRtpStreamStats>)
          if (report.type === 'inbound-rtp' && report.kind === 'audio') sum += report.totalAudioEnergy ?? 0;
      return sum;
    });
  const before = await energy();
  await expect.poll(energy, { message: 'sound arrives' }).toBeGreaterThan(before);
}

/** Counts, from now on, the longest time without a new picture in the video with that label. */
export async function watchGaps(page: Page, label: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).evaluate((node) => {
    const video = node as HTMLVideoElement;
    let last = performance.now();
    window.longestGap = 0;
    const look = (now: number): void => {
      window.longestGap = Math.max(window.longestGap, now - last);
      last = now;
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
}

export async function expectNoGap(page: Page, label: string, most_ms: number): Promise<void> {
  const gap = await page.evaluate(() => window.longestGap);
  console.log(`"${label}": at most ${Math.round(gap)} ms without a new picture`);
  expect(gap, `"${label}" stood still`).toBeLessThan(most_ms);
}

/** Asks for a fault; the server must be a development one (`test.use({ simulate: true })`). */
export function simulate(page: Page, ...faults: Fault[]): Promise<void> {
  return page.evaluate((all) => {
    const handle = window.__heliograph;
    if (!handle) throw new Error('this page is not of a development server');
    for (const fault of all) handle.simulate(fault);
  }, faults);
}
