import { failing, otherwise } from "../expected.ts";
import type { Ground, Round } from "../fault.ts";

/**
 * Lays a fault that only the next write can feel, after a pause. Where the environment was frozen the connection is asked first, so the write
 * has to succeed; elsewhere it was used a moment ago, and the write that is lost on it may have been done.
 */
export async function strikeNextWrite(ground: Ground, kind: "rst-on-write" | "swallow"): Promise<Round> {
  const before = ground.front.strikes.length;
  ground.front.lay({ kind });
  await ground.pause();
  const outcome = await ground.write();
  const isAsked = ground.way === "lambda";
  const code = kind === "swallow" ? "DEADLINE_EXCEEDED" : "CONNECTION_LOST";
  return {
    struck: ground.front.strikes.length > before,
    wrong: isAsked ? failing(outcome) : otherwise(outcome, { code, fate: "unknown" }),
  };
}
