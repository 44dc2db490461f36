import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { writeCommonJsTypes } from "./package/commonjs-types.ts";

rmSync("dist", { recursive: true, force: true });
execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
chmodSync("dist/cli/main.js", 0o755);
await writeCommonJsTypes();
