import { readFile } from "node:fs/promises";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { buildWorker } from "./artefact.ts";

/** A worker in local workerd. */
export interface LocalWorker extends AsyncDisposable {
  readonly url: URL;
  /** What it and the runtime have logged so far, line by line. */
  readonly logs: readonly string[];
}

/** What a worker is given. */
export interface WorkerBindings {
  /** Variables and secrets. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Hyperdrive bindings, and the URL each connects to. */
  readonly hyperdrive?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/**
 * Bundles the worker in the file `main` as it would be deployed, and serves it in workerd, with the compatibility date of wrangler.toml.
 * Unlike wrangler's test harness this lets it open WebSockets.
 */
export async function serveWorker(main: string, { vars = {}, hyperdrive = {}, flags = [] }: WorkerBindings): Promise<LocalWorker> {
  const stack = new AsyncDisposableStack();
  const logs: string[] = [];
  try {
    const artefact = stack.use(await buildWorker(main, flags));
    const runtime = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        rootPath: artefact.folder,
        modules: true,
        scriptPath: artefact.file,
        compatibilityDate: await compatibilityDate(),
        compatibilityFlags: [...flags],
        bindings: { ...vars },
        hyperdrives: { ...hyperdrive },
        handleStructuredLogs: ({ message }) => logs.push(message),
      }),
    );
    stack.defer(() => runtime.dispose());
    return { url: await runtime.ready, logs, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function compatibilityDate(): Promise<string> {
  const configuration = await readFile(new URL("../../../wrangler.toml", import.meta.url), "utf8");
  return /^compatibility_date = "(.+)"$/m.exec(configuration)?.[1] ?? "";
}
