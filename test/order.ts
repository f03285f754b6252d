import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * What takes longest, by hand: a fresh clone knows no times of an earlier run, and a long file that begins last is waited for alone. Paths
 * begin so, below test/.
 */
const LONG = [
  "e2e/app-more",
  "simulation/simulation",
  "e2e/page-states",
  "e2e/page.",
  "e2e/presence",
  "routes/erasure-crash",
  "e2e/app-screens",
  "e2e/app-talk",
];

const isLong = ({ moduleId }: TestSpecification): boolean => LONG.some((name) => moduleId.includes(`/test/${name}`));

/** The longest first; then the projects mixed, so that tests which wait have beside them tests which calculate. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => LONG.findIndex((name) => moduleId.includes(`/test/${name}`));
    const long = sorted.filter(isLong).toSorted((a, b) => rank(a) - rank(b));
    return [...long, ...mixed(sorted.filter((file) => !isLong(file)))];
  }
}

/** Each project's files in their order, spread over the whole run. */
function mixed(files: readonly TestSpecification[]): TestSpecification[] {
  const byProject = Map.groupBy(files, ({ project }) => project.name);
  return [...byProject.values()]
    .flatMap((ofOne) => ofOne.map((file, i) => ({ file, at: i / ofOne.length })))
    .toSorted((a, b) => a.at - b.at)
    .map(({ file }) => file);
}
