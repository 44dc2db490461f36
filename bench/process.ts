import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Block, Figures } from "./block.ts";
import type { Setup } from "./contestant.ts";

/** A contestant in a process of its own, which stays warm between its blocks. */
export interface Contestant extends AsyncDisposable {
  /** Rejects with its last words when it has ended. */
  run(block: Block): Promise<Figures>;
}

/** Starts a contestant under `runtime`, the path of Node or Bun. */
export function startContestant(runtime: string, setup: Setup): Contestant {
  const child = spawn(runtime, [fileURLToPath(new URL("./contestant.ts", import.meta.url))], { stdio: ["pipe", "pipe", "pipe"] });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-2_000);
  });
  const ended = once(child, "close");
  // told by the call that waits for it
  ended.catch(() => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = (what: object) => child.stdin.write(`${JSON.stringify(what)}\n`);
  tell(setup);
  return {
    async run(block) {
      tell(block);
      const line = await lines.next();
      if (!line.done) return JSON.parse(line.value) as Figures;
      await ended;
      throw new Error(`${setup.client} ended: ${words}`);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
