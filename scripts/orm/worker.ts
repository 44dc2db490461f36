import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

/** A bundle in local workerd. */
export interface BundledWorker {
  readonly url: URL;
  readonly stop: () => Promise<void>;
}

/** What a worker is given. */
export interface WorkerParts {
  readonly hyperdrives?: Readonly<Record<string, string>>;
  /** Variables. */
  readonly bindings?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** Serves a bundle, and the WebAssembly beside it, with the compatibility date of wrangler.toml. */
export async function openWorker(bundle: string, { hyperdrives = {}, bindings = {}, flags = [] }: WorkerParts): Promise<BundledWorker> {
  const { pathname: rootPath } = new URL(".", `file://${bundle}`);
  const binaries = (await readdir(rootPath)).filter((name) => name.endsWith(".wasm"));
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      rootPath,
      modulesRoot: rootPath,
      modules: [
        { type: "ESModule", path: bundle },
        ...binaries.map((name) => ({ type: "CompiledWasm" as const, path: join(rootPath, name) })),
      ],
      compatibilityDate: await compatibilityDate(),
      compatibilityFlags: [...flags],
      hyperdrives: { ...hyperdrives },
      bindings: { ...bindings },
    }),
  );
  const stop = () => runtime.dispose();
  try {
    return { url: await runtime.ready, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function compatibilityDate(): Promise<string> {
  const configuration = await readFile(new URL("../../wrangler.toml", import.meta.url), "utf8");
  return /^compatibility_date = "(.+)"$/m.exec(configuration)?.[1] ?? "";
}
