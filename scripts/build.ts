import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { bundleForNode } from "./package/bundle-for-node.ts";
import { writeCommonJsTypes } from "./package/commonjs-types.ts";

rmSync("dist", { recursive: true, force: true });
execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
await bundleForNode();
chmodSync("dist/node/cli.js", 0o755);
await writeCommonJsTypes();
