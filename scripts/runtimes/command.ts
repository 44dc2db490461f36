import { join } from "node:path";

/** Where the package runs on sockets of its own. */
export type RuntimeName = "node" | "bun" | "deno";

/** How a module is run under a runtime: with nothing of the network but what the module asks for itself. */
export function commandOf(runtime: RuntimeName, tools: string): readonly [string, ...string[]] {
  if (runtime === "bun") return [join(tools, "@oven/bun-linux-x64/bin/bun"), "run", "--no-install"];
  if (runtime === "deno") return [join(tools, "@deno/linux-x64-glibc/deno"), "run", "-A", "--no-remote", "--node-modules-dir=manual"];
  return [process.execPath];
}

/** All of the environment of such a run: nothing is kept outside of the module's folder, and nothing is reported to anyone. */
export function environmentOf(module: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: join(module, ".."),
    DENO_DIR: join(module, "../.deno"),
    DENO_NO_UPDATE_CHECK: "1",
    DO_NOT_TRACK: "1",
  };
}
