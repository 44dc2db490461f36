import { type Database, type DatabaseSession, type Sql, sql, type Transaction } from "../../src/entry/node.ts";
import type { Transfer } from "./transfers.ts";

/** Does a transfer in its form. Resolves when it is acknowledged: it was done, now or by an earlier attempt with the same key. */
export async function sendTransfer(db: Database, transfer: Transfer): Promise<void> {
  const { keyed, form } = transfer;
  const claim = { idempotent: keyed };
  switch (form) {
    case "query":
      await db.query(whole(transfer), claim);
      return;
    case "batch":
      await db.batch([whole(transfer), sql`select count(*) from transfers where id = ${transfer.entries[0]}`], claim);
      return;
    case "transaction":
      await db.transaction((tx) => (keyed ? moveOnce(tx, transfer) : move(tx, transfer)), { retries: keyed ? 2 : 0 });
      return;
    case "call":
      await db.query(call(transfer), claim);
      return;
    case "do":
      await db.query(block(transfer), [], claim);
      return;
    case "script":
      await db.script(script(transfer));
      return;
    case "session":
      await db.session((session) => moveTwice(session, transfer));
  }
}

/** The whole transfer as one statement; with a key that is there already it moves nothing. */
function whole({ entries, keyed, debtor, creditor, amount }: Transfer, id = entries[0]): Sql {
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

/** One entry by itself, the other in a transaction of the session's own, in which it may fail. */
async function moveTwice(session: DatabaseSession, transfer: Transfer): Promise<void> {
  const { entries, raises } = transfer;
  await session.query(whole(transfer));
  await session.query("begin");
  await session.query(whole(transfer, entries[1]));
  if (raises !== undefined) await session.sql`select raise(${raises})`;
  await session.query("commit");
}

/** A procedure that commits what it did, and may then fail. */
function call({ entries: [id], keyed, debtor, creditor, amount, raises }: Transfer): Sql {
  return sql`call move_and_commit(${id}, ${keyed ? id : null}, ${debtor}, ${creditor}, ${amount}, ${raises ?? null})`;
}

/** The same as a block of code. */
function block(transfer: Transfer): string {
  const { entries, raises } = transfer;
  const failure = raises === undefined ? "" : `perform raise('${raises}');`;
  return `do $$ begin if move(${literals(transfer, entries[0])}) then commit; ${failure} end if; end $$`;
}

/** Two transactions in one text, of which the second may fail. */
function script(transfer: Transfer): string {
  const { entries, raises } = transfer;
  const transactions = entries.map((id) => `select move(${literals(transfer, id)});`);
  const failure = raises === undefined ? "" : `select raise('${raises}');`;
  return `begin; ${transactions.join(" commit; begin; ")} ${failure} commit`;
}

/** A text of its own has no parameters. */
function literals({ keyed, debtor, creditor, amount }: Transfer, id: string): string {
  return `'${id}', ${keyed ? `'${id}'` : "null"}, ${debtor}, ${creditor}, ${amount}`;
}

function entry({ entries: [id], keyed, debtor, creditor, amount }: Transfer): Sql {
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
