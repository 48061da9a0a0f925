import { expect, type Page } from '@playwright/test';

declare global {
  interface Window {
    /** Every peer connection that the page made. */
    made: RTCPeerConnection[];
    longestGap: number;
    __heliograph?: { simulate(what: 'drop' | 'blackhole' | 'kill' | 'rewind'): void };
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

/** Makes the page one of a development server: its sockets can be made to fail. To be called before the page is opened. */
export async function allowSimulate(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const allow = (): void => {
      const meta = document.createElement('meta');
      meta.name = 'heliograph-simulate';
      document.head.append(meta);
    };
    document.addEventListener('readystatechange', allow, { once: true });
  });
}

export function simulate(page: Page, what: 'drop' | 'blackhole'): Promise<void> {
  return page.evaluate((fault) => window.__heliograph?.simulate(fault), what);
}
