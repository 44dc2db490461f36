import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { zipFiles } from "../support/lambda/zip-files.ts";
import type { Template } from "./template.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A statement of a stack policy, as CloudFormation reads it. */
export interface PolicyStatement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: { readonly StringEquals: { readonly ResourceType: string | readonly string[] } };
}

/** What osls deploys. */
export interface Stack {
  readonly template: Template;
  /** What CloudFormation may do to the stack's resources in an update. */
  readonly policy: readonly PolicyStatement[];
}

/** Compiles serverless.yml to what osls would deploy: offline, without AWS credentials, in a folder of its own. */
export async function compileStack(): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-infra-"));
  try {
    await cp(join(root, "serverless.yml"), join(folder, "serverless.yml"));
    await cp(join(root, "infra"), join(folder, "infra"), { recursive: true });
    await mkdir(join(folder, "dist-lambda"));
    // osls names the artifact in the template, and does not look into it
    await writeFile(join(folder, "dist-lambda/warmline-demo.zip"), zipFiles([{ path: "lambda.mjs", contents: new Uint8Array() }]));
    await promisify(execFile)(process.execPath, [join(root, "node_modules/osls/bin/serverless.js"), "package", "--package", "out"], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, CI: "true" },
    });
    const read = async (name: string) => JSON.parse(await readFile(join(folder, "out", name), "utf8"));
    const { service } = await read("serverless-state.json");
    return { template: await read("cloudformation-template-update-stack.json"), policy: service.provider.stackPolicy };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
