import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import type { Database } from "../../src/database/database.ts";
import type { DatabaseOptions } from "../../src/decide/settings.ts";
import type { TransportName } from "../../src/transports/transport.ts";
import type { Bench, Subject } from "./case.ts";
import { atOnce } from "./cases/at-once.ts";
import { batches } from "./cases/batches.ts";
import { cancelling } from "./cases/cancelling.ts";
import { closing } from "./cases/closing.ts";
import { commands } from "./cases/commands.ts";
import { errors } from "./cases/errors.ts";
import { foreign } from "./cases/foreign.ts";
import { heldWork } from "./cases/held-work.ts";
import { limits } from "./cases/limits.ts";
import { localSettings } from "./cases/local-settings.ts";
import { misuse } from "./cases/misuse.ts";
import { nested } from "./cases/nesting.ts";
import { notices } from "./cases/notices.ts";
import { parameters } from "./cases/parameters.ts";
import { passwords } from "./cases/passwords.ts";
import { perCall } from "./cases/per-call.ts";
import { reservedSessions } from "./cases/reserved-sessions.ts";
import { rows } from "./cases/rows.ts";
import { sessionState } from "./cases/session-state.ts";
import { sessions } from "./cases/sessions.ts";
import { shapes } from "./cases/shapes.ts";
import { sqlComments } from "./cases/sql-comments.ts";
import { streams } from "./cases/streams.ts";
import { tracing } from "./cases/tracing.ts";
import { transactions } from "./cases/transactions.ts";
import { truth } from "./cases/truth.ts";
import { typedRows } from "./cases/typed-rows.ts";
import { types } from "./cases/types.ts";
import { userTypes } from "./cases/user-types.ts";
import { fixtures } from "./fixtures.ts";

/** Every subject of the suite. */
const subjects: readonly Subject[] = [
  types,
  userTypes,
  typedRows,
  parameters,
  rows,
  shapes,
  commands,
  errors,
  atOnce,
  batches,
  perCall,
  transactions,
  sessions,
  heldWork,
  reservedSessions,
  sessionState,
  notices,
  tracing,
  sqlComments,
  localSettings,
  streams,
  cancelling,
  limits,
  nested,
  foreign,
  misuse,
  passwords,
  closing,
  truth,
];

/** One runtime and transport to be judged. */
export interface Conformance {
  /** A word, part of the names of what is created at the server. */
  readonly name: string;
  readonly createDatabase: (options: DatabaseOptions) => Database;
  /** Settings beside the address. */
  readonly options: DatabaseOptions;
  readonly transport: TransportName;
  /** Whether the runtime has AsyncLocalStorage. */
  readonly knowsNesting: boolean;
  /** Whether the target knows a CancelRequest. Default true. */
  readonly cancels?: boolean;
  /** Cases that ask for what the target has not: known by their titles, or by what they fail with. They are skipped. Default: none. */
  readonly skips?: { readonly titles: RegExp; readonly failures: RegExp };
  /** Puts each case into what the runtime calls a request. Default: nothing around it. */
  readonly around?: (db: Database, work: () => Promise<void>) => Promise<void>;
}

/**
 * Judges a `createDatabase`: the same cases on every runtime and transport, in a schema of their own, and after each the database must still
 * answer. Needs `postgres` provided by the run.
 */
export function testConformance({
  name,
  createDatabase,
  options,
  transport,
  knowsNesting,
  cancels = true,
  skips,
  around = (_, work) => work(),
}: Conformance): void {
  const schema = `conformance_${name}`;
  const opened: Database[] = [];
  const open = (own: DatabaseOptions = {}) => {
    const database = createDatabase({ url: inject("postgres").url, startupOptions: `-c search_path=${schema}`, ...options, ...own });
    opened.push(database);
    return database;
  };

  describe(`conformance on ${name}`, () => {
    let db: Database;

    beforeAll(async () => {
      db = open();
      await db.script(`drop schema if exists ${schema} cascade; create schema ${schema}; ${fixtures}`);
    });
    afterEach(async () => {
      expect(await db.sql`select 'still here' as word`).toEqual([{ word: "still here" }]);
      expect(db.stats().running).toBe(0);
    });
    afterAll(async () => {
      await Promise.all(opened.map((database) => database.close()));
    });

    for (const { title, cases } of subjects) {
      describe(title, () => {
        for (const one of cases) {
          test(one.title, async (context) => {
            if (skips?.titles.test(one.title)) context.skip("it is of what the target has not");
            const run = () => one.run({ db, open, transport, knowsNesting, cancels, mark: schema } satisfies Bench);
            try {
              await around(db, run);
            } catch (error) {
              const { code, message, actual } = error as { readonly code?: string; readonly message?: string; readonly actual?: unknown };
              if (skips?.failures.test(`${code} ${message} ${JSON.stringify(actual)}`)) context.skip("it asks for what the target has not");
              throw error;
            }
          });
        }
      });
    }
  });
}
