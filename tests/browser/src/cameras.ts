import { writeFileSync } from 'node:fs';

/** A colour as luma and the two colour differences of a video (ITU-R BT.601). */
interface Colour {
  y: number;
  u: number;
  v: number;
}

export const RED: Colour = { y: 81, u: 90, v: 240 };
export const BLUE: Colour = { y: 41, u: 240, v: 110 };

const WIDTH = 320;
const HEIGHT = 240;
const FRAMES = 30;
const BAR = 32;

/** Writes a picture of one colour, over which a lighter bar moves: the file that Chromium plays as a camera. */
export function writeCamera(file: string, colour: Colour): void {
  const frames = Array.from({ length: FRAMES }, (_, n) => frame(colour, Math.round((n * (WIDTH - BAR)) / (FRAMES - 1))));
  writeFileSync(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420jpeg\n`), ...frames]));
}

function frame({ y, u, v }: Colour, bar: number): Buffer {
  const luma = Buffer.alloc(WIDTH * HEIGHT, y);
  for (let row = 0; row < HEIGHT; row++) luma.fill(y + 100, row * WIDTH + bar, row * WIDTH + bar + BAR);
  const half = (WIDTH / 2) * (HEIGHT / 2);
  return Buffer.concat([Buffer.from('FRAME\n'), luma, Buffer.alloc(half, u), Buffer.alloc(half, v)]);
}
