import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Folders whose files are few lines, and run for half a minute: a whole corpus over one transport, a whole demo, a whole bench. */
const LONG = /\/test\/(?:conformance|faults|ledger|scripts)\//;

/**
 * Starts what runs longest first, so that no worker is left alone with it at the end. A fresh checkout has no durations to go by, and vitest
 * then goes by the size of the file.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

function isLong({ moduleId }: TestSpecification): boolean {
  return LONG.test(moduleId);
}
