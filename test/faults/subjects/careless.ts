import { isWarmlineError } from "../../../src/entry/node.ts";
import type { OpenSubject } from "../subject.ts";
import { openSubject as openWarmline } from "./warmline.ts";

/** A client that repeats what may have been done: the suite has to see it. */
export const openSubject: OpenSubject = async (config) => {
  const careful = await openWarmline(config);
  const repeating = async (attempt: () => Promise<void>): Promise<void> => {
    try {
      await attempt();
    } catch (error) {
      if (!isWarmlineError(error) || error.fate !== "unknown") throw error;
      await attempt();
    }
  };
  return {
    ...careful,
    write: (write) => repeating(() => careful.write(write)),
    transaction: (writes, before) => repeating(() => careful.transaction(writes, before)),
  };
};
