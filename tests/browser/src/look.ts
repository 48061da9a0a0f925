import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

export const shot = (name: string) => ({ path: `screenshots/${name}.png`, fullPage: true });

/** Takes a picture, and finds no fault by axe, in light and dark, and no sideways scroll at 320 px. */
export async function inspect(page: Page, name: string): Promise<void> {
  await page.screenshot(shot(name));
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    expect(found, `${name}, ${colorScheme}`).toEqual([]);
    if (colorScheme === 'dark') await page.screenshot(shot(`${name}-dark`));
  }
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth), { message: `${name} at 320 px` }).toBeLessThanOrEqual(320);
  await expectLargeTargets(page, name);
  await page.screenshot(shot(`${name}-320`));
  if (size) await page.setViewportSize(size);
}

/** Every control is at least 44 px wide and high; links inside a sentence are excepted (WCAG 2.2, 2.5.8). */
async function expectLargeTargets(page: Page, name: string): Promise<void> {
  const small = await page.locator('button:visible, select:visible, .btn:visible').evaluateAll((nodes) =>
    nodes.filter((node) => {
      const { width, height } = node.getBoundingClientRect();
      return width < 43.5 || height < 43.5;
    }).map((node) => node.outerHTML),
  );
  expect(small, `${name}: targets`).toEqual([]);
}
