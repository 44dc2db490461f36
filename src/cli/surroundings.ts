import type { Output } from "./terminal.ts";

/** What a command stands in: the process, or what a test puts in its place. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Where the command was called. Default: the folder of the process. */
  readonly folder?: string;
  /** Aborted when the command is asked to end. */
  readonly stopping: AbortSignal;
}
