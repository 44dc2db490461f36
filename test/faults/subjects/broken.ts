import { isWarmlineError, UsageError } from "../../../src/entry/node.ts";
import type { OpenSubject } from "../subject.ts";
import { openSubject as openWarmline } from "./warmline.ts";

/** What a broken client does when the fate of a write is unknown; the setting `name` chooses. The suite has to see each of them. */
export const sins: Readonly<Record<string, (again: () => Promise<void>) => Promise<void>>> = {
  repeats: (again) => again(),
  "says that nothing was done": async () => {
    throw new UsageError("Nothing was done.", { code: "LIE" });
  },
  hangs: () => new Promise(() => {}),
  "ends its process": async () => process.exit(1),
  "leaves a rejection behind": async () => {
    void Promise.reject(new Error("Nobody listens."));
  },
};

/** Warmline with a sin added; `acknowledges what it never sent` and `keeps its connections` are done at other moments. */
export const openSubject: OpenSubject = async (config) => {
  const careful = await openWarmline(config);
  const name = config.options.name ?? "";
  return {
    ...careful,
    async write(write) {
      if (name === "acknowledges what it never sent") return;
      try {
        await careful.write(write);
      } catch (error) {
        if (!isWarmlineError(error) || error.fate !== "unknown") throw error;
        await sins[name]?.(() => careful.write(write));
      }
    },
    close: name === "keeps its connections" ? async () => {} : careful.close,
  };
};
