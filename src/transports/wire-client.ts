import type { LinkedConnection } from "../wire/link.ts";
import type { SubmitClient } from "../wire/submit.ts";

/** The part of a linked connection that a session needs. */
type SessionConnection = Pick<LinkedConnection, "link"> & {
  readonly stream: { readonly destroyed?: boolean; destroy(): unknown };
  on(event: "parameterStatus", listener: (message: { parameterName: string; parameterValue: string }) => void): unknown;
};

/** The part of a pg client that a session needs. pg's and the one of Neon's driver both have it. */
export interface WireClient extends SubmitClient {
  readonly connection: SessionConnection;
  on(event: "error", listener: (failure: unknown) => void): unknown;
  /** Whether nothing is on its way. */
  readonly readyForQuery?: boolean;
}
