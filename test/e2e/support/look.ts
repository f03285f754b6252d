import { expect } from "vitest";
import type { Person } from "./person.ts";

/** What is looked at: a desktop and a phone. Px. */
const WIDTHS: readonly number[] = [1_100, 375];

/**
 * Axe finds no barrier on the screen as it is, bright and dark, large and small, and nothing is wider than it. `toSight`: brings there what
 * is to be looked at.
 */
export async function look(
  who: Person,
  name: string,
  { widths = WIDTHS, height = 720, toSight = async () => {} }: Looking = {},
): Promise<void> {
  for (const width of widths)
    for (const colorScheme of ["light", "dark"] as const) {
      await who.page.emulateMedia({ colorScheme });
      await who.page.setViewportSize({ width, height });
      await toSight();
      expect([name, colorScheme, width, await who.barriers()]).toEqual([name, colorScheme, width, []]);
      expect(await who.page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      await who.shoot(`${name}-${colorScheme}-${width}`);
    }
  await who.page.emulateMedia({ colorScheme: "light" });
  await who.page.setViewportSize({ width: 1_100, height: 720 });
}
type Looking = { widths?: readonly number[]; height?: number; toSight?: () => Promise<void> };
