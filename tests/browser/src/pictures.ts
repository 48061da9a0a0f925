import { expect, type Page } from '@playwright/test';

/** What one video shows: how many frames came, the mean colour, and how bright each column is. */
interface Look {
  frames: number;
  red: number;
  green: number;
  blue: number;
  columns: number[];
}

/** Draws the video with that label to a canvas and looks at it. */
export async function look(page: Page, label: string): Promise<Look | undefined> {
  return page.getByLabel(label, { exact: true }).evaluate((node) => {
    const video = node as HTMLVideoElement;
    if (video.videoWidth === 0) return undefined;
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 48;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) return undefined;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const pixels = data.length / 4;
    const mean = (channel: number): number => {
      let sum = 0;
      for (let at = channel; at < data.length; at += 4) sum += data[at] ?? 0;
      return sum / pixels;
    };
    const columns = Array.from({ length: canvas.width }, (_, x) => {
      const at = (24 * canvas.width + x) * 4;
      return Math.round(((data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0)) / 3);
    });
    return { frames: video.getVideoPlaybackQuality().totalVideoFrames, red: mean(0), green: mean(1), blue: mean(2), columns };
  });
}

/** Frames come, and the picture changes from one to another. */
export async function expectMoving(page: Page, label: string): Promise<void> {
  let before: Look | undefined;
  await expect
    .poll(async () => {
      const now = await look(page, label);
      const moves = before && now && now.frames > before.frames && spread(before, now) > 20;
      before = now;
      return moves ?? false;
    }, { message: `"${label}" moves`, intervals: [100] })
    .toBe(true);
}

/** The most that one column changed. */
function spread(a: Look, b: Look): number {
  return Math.max(...a.columns.map((value, x) => Math.abs(value - (b.columns[x] ?? 0))));
}

export async function expectColour(page: Page, label: string, colour: 'red' | 'blue'): Promise<void> {
  const other = colour === 'red' ? 'blue' : 'red';
  await expect
    .poll(async () => {
      const now = await look(page, label);
      return now ? now[colour] - now[other] : 0;
    }, { message: `"${label}" is ${colour}` })
    .toBeGreaterThan(60);
}
