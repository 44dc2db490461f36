/** Where this code runs. `edge-light` also stands for every place that has only `fetch`. */
export type RuntimeName =
  | "workerd"
  | "edge-light"
  | "vercel"
  | "netlify"
  | "lambda"
  | "lambda-managed"
  | "azure-functions"
  | "cloud-run"
  | "deno-deploy"
  | "deno"
  | "bun"
  | "node";

/** What follows from where the code runs. Only these decide anything, never the runtime's name. */
export interface RuntimeTraits {
  /** Whether it can open TCP sockets. */
  readonly tcp: boolean;
  /** How long a socket may be used: by every later call of the process, or by the request that opened it. */
  readonly ioScope: "process" | "request";
  /** Whether time stops between requests, or nearly: timers, and the monotonic clock, do not run then. */
  readonly freezes: boolean;
  /** Whether one instance serves one call at a time, or lets many interleave. */
  readonly concurrency: "one" | "many";
}

/** The runtime that was found or chosen. */
export interface DetectedRuntime {
  readonly name: RuntimeName;
  readonly traits: RuntimeTraits;
  /** Calls that interleave in one worker thread, where the platform says so (Lambda Managed Instances); else null. */
  readonly concurrentCalls: number | null;
  /** How it was told, in words. */
  readonly reason: string;
  /** How long a call may take that is told no deadline, where the platform ends what takes too long. Default: as long as anywhere. */
  readonly deadline?: { readonly ms: number; readonly reason: string } | undefined;
}

/** What is said of a choice that a setting made. */
export const BY_SETTING = "the settings say so";

/** Cloudflare's workers, as their build of the package knows them: a socket may be used by the request that opened it. */
export const workerd: DetectedRuntime = {
  name: "workerd",
  traits: { tcp: true, ioScope: "request", freezes: false, concurrency: "many" },
  concurrentCalls: null,
  reason: "this is the build for workers",
};

/** A place that has only `fetch`, as the build of the package for it knows it. */
export const edgeLight: DetectedRuntime = {
  name: "edge-light",
  traits: { tcp: false, ioScope: "request", freezes: false, concurrency: "many" },
  concurrentCalls: null,
  reason: "this is the build that needs only fetch",
};
