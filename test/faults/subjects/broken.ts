import { isWarmlineError, UsageError } from "../../../src/entry/node.ts";
import type { OpenSubject, SubjectConfig, Write } from "../subject.ts";
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

/** Warmline with a sin added; those that are no answer to an unknown fate are done at other moments. */
export const openSubject: OpenSubject = async (given) => {
  const name = given.options.name ?? "";
  const config = name === "trusts anyone" ? trustAnyone(given) : given;
  const careful = await openWarmline(config);
  return {
    ...careful,
    async write(write) {
      if (name === "acknowledges what it never sent") return;
      try {
        await careful.write(write);
      } catch (error) {
        if (!isWarmlineError(error)) throw error;
        if (error.code === "TLS_FAILED" && name === "falls back to plain text") return await inPlainText(config, write);
        if (error.fate !== "unknown") throw error;
        await sins[name]?.(() => careful.write(write));
      }
    },
    close: name === "keeps its connections" ? async () => {} : careful.close,
  };
};

/** A socket's setting, and what people set in the environment of a platform that verifies. */
function trustAnyone(config: SubjectConfig): SubjectConfig {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  return config.way === "pool" ? { ...config, options: { ...without(config.options), sslMode: "no-verify" } } : config;
}

async function inPlainText(config: SubjectConfig, write: Write): Promise<void> {
  const endpoint = config.endpoint?.replace("https:", "http:") ?? null;
  const plain = await openWarmline({ ...config, endpoint, options: { ...without(config.options), sslMode: "disable" } });
  await plain.write(write).finally(() => plain.close());
}

function without({ ca, ...options }: SubjectConfig["options"]): SubjectConfig["options"] {
  return options;
}
