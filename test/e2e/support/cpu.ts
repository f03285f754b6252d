import type { Page } from "@playwright/test";

type Metric = "ScriptDuration" | "TaskDuration";

/** Measures what some act costs the page: seconds of its own thread's CPU, so that what others do on the machine does not count. */
export async function cpuOf(page: Page): Promise<(metric: Metric, act: () => Promise<unknown>) => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const now = async (wanted: Metric) => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  };
  return async (metric, act) => {
    const before = await now(metric);
    await act();
    return (await now(metric)) - before;
  };
}
