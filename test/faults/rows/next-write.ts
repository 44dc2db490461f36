import type { Ground, Round } from "../fault.ts";

/**
 * Lays a fault that only the next write can feel, after a pause. Where the environment was frozen the connection is asked first, so the write
 * has to succeed; elsewhere it may fail, and the table judges what it was told.
 */
export async function strikeNextWrite(ground: Ground, kind: "rst-on-write" | "swallow"): Promise<Round> {
  const before = ground.front.strikes.length;
  ground.front.lay({ kind });
  await ground.pause();
  const { state, code } = await ground.write();
  const isAsked = ground.way === "lambda";
  return {
    struck: ground.front.strikes.length > before,
    wrong: isAsked && state !== "ok" ? `the next write fails (${code})` : undefined,
  };
}
