import { type Database, type Sql, sql, type Transaction } from "../../src/entry/node.ts";
import type { Transfer } from "./transfers.ts";

/** Does a transfer in its form. Resolves when it is acknowledged: it was done, now or by an earlier attempt with the same key. */
export async function sendTransfer(db: Database, transfer: Transfer): Promise<void> {
  switch (transfer.form) {
    case "query":
      await db.query(whole(transfer), { idempotent: transfer.keyed });
      return;
    case "batch":
      await db.batch([whole(transfer), sql`select count(*) from transfers where id = ${transfer.id}`], { idempotent: transfer.keyed });
      return;
    case "transaction":
      await db.transaction((tx) => (transfer.keyed ? moveOnce(tx, transfer) : move(tx, transfer)), { retries: transfer.keyed ? 2 : 0 });
  }
}

/** The whole transfer as one statement; with a key that is there already it moves nothing. */
function whole({ id, keyed, debtor, creditor, amount }: Transfer): Sql {
  return sql`
    with entry as (
      insert into transfers (id, key, debtor, creditor, amount)
      values (${id}, ${keyed ? id : null}, ${debtor}, ${creditor}, ${amount}) on conflict (key) do nothing returning 1
    ), moved as (
      update accounts set balance = balance + case id when ${debtor} then -1 else 1 end * ${amount}::int
      where id in (${debtor}, ${creditor}) and exists (select from entry)
    )
    select count(*) from entry`;
}

/** Money first, so that a refusal has something to undo. */
async function move(tx: Transaction, transfer: Transfer): Promise<void> {
  await tx.query(debit(transfer));
  await tx.query(credit(transfer));
  await tx.query(entry(transfer));
}

/** The key first: whoever comes second moves nothing. */
async function moveOnce(tx: Transaction, transfer: Transfer): Promise<void> {
  const { rowCount } = await tx.query(entry(transfer));
  if (rowCount === 0) return;
  await tx.query(debit(transfer));
  await tx.query(credit(transfer));
}

function entry({ id, keyed, debtor, creditor, amount }: Transfer): Sql {
  return sql`
    insert into transfers (id, key, debtor, creditor, amount)
    values (${id}, ${keyed ? id : null}, ${debtor}, ${creditor}, ${amount}) on conflict (key) do nothing`;
}

function debit({ debtor, amount }: Transfer): Sql {
  return sql`update accounts set balance = balance - ${amount}::int where id = ${debtor}`;
}

function credit({ creditor, amount }: Transfer): Sql {
  return sql`update accounts set balance = balance + ${amount}::int where id = ${creditor}`;
}
