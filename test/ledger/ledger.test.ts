import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, isWarmlineError, WarmlineError } from "../../src/entry/node.ts";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { leftBehind } from "./audit.ts";
import { availableWays } from "./places.ts";
import { holds, type LedgerOptions, runLedger } from "./run.ts";
import { sendTransfer } from "./send-transfer.ts";
import { withClient } from "./strikes.ts";
import type { Transfer } from "./transfers.ts";

const TRANSFERS = 300;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ settings: { max_connections: "300", deadlock_timeout: "50ms" } });
});
afterAll(() => server.stop());

describe("money is conserved, and every client was told the truth, while faults strike", () => {
  test.each(availableWays())("over %s", { timeout: 120_000 }, async (way) => {
    const row = await runLedger({ server, way, seed: 7, transfers: TRANSFERS });
    expect(row).toMatchObject({
      transport: way,
      transfers: TRANSFERS,
      violations: { money: 0, balances: 0, lost: 0, doubled: 0, lied: 0, unfinished: 0, strange: 0, hung: 0, leaked: 0, unhandled: 0 },
    });
    expect(row.acknowledged + row.refused + row.notSent + row.unknown).toBe(TRANSFERS);
    expect(row.unknownDone).toBeLessThanOrEqual(row.unknown);
    expect(holds(row, TRANSFERS)).toBe(true);
  });
});

describe("the audit catches a client", { timeout: 120_000 }, () => {
  const violationsWith = async (send: NonNullable<LedgerOptions["send"]>) => {
    const row = await runLedger({ server, way: "pool", seed: 7, transfers: TRANSFERS, send, keys: false });
    expect(holds(row, TRANSFERS)).toBe(false);
    return row.violations;
  };
  const fateOf = (error: unknown) => (isWarmlineError(error) ? error.fate : undefined);

  test("that repeats what may have been done", async () => {
    const send = (db: Database, transfer: Transfer): Promise<void> =>
      sendTransfer(db, transfer).catch((error: unknown) => {
        if (fateOf(error) !== "unknown") throw error;
        return send(db, transfer);
      });
    expect((await violationsWith(send)).doubled).toBeGreaterThan(0);
  });

  test("that takes what may have been done for refused", async () => {
    const violations = await violationsWith((db, transfer) =>
      sendTransfer(db, transfer).catch((error: unknown) => {
        if (fateOf(error) !== "unknown") throw error;
        throw new WarmlineError("It was lost.", { code: "LOST", fate: "refused" });
      }),
    );
    expect(violations.lied).toBeGreaterThan(0);
  });

  test("that takes what may have been done for done", async () => {
    const violations = await violationsWith((db, transfer) =>
      sendTransfer(db, transfer).catch((error: unknown) => {
        if (fateOf(error) !== "unknown") throw error;
      }),
    );
    expect(violations.lost).toBeGreaterThan(0);
  });

  test("that moves money besides the transfers", async () => {
    const violations = await violationsWith(async (db, transfer) => {
      await sendTransfer(db, transfer);
      if (transfer.amount === 1) await db.query("update accounts set balance = balance + 1 where id = 1", [], { idempotent: true });
    });
    expect(violations.money).toBeGreaterThan(0);
    expect(violations.balances).toBe(1);
  });

  test("that leaves a connection open", async () => {
    await withClient(server, async (auditor) => {
      expect(await leftBehind(auditor)).toBe(0);
      await withClient(server, async () => expect(await leftBehind(auditor)).toBe(1));
    });
  });
});
