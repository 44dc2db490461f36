import pg from "pg";
import { parserSet } from "../../src/database/parsers.ts";
import type { CallOptions, ParserSet } from "../../src/transports/transport.ts";

/** A call that nothing ends early. */
export const layerCall: CallOptions = {
  cancellation: {
    deadlineAt: Number.POSITIVE_INFINITY,
    reason: undefined,
    onCancel: () => () => {},
    signal: () => new AbortController().signal,
  },
  rowMode: "object",
  parsers: parserSet({}, pg.types as unknown as ParserSet),
  readOnly: false,
  idempotent: false,
  attempt: 1,
};
