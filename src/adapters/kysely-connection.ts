import type { AbortableOperationOptions, CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from "kysely";
import type { Database, DatabaseSession, DatabaseView, Transaction, TypeParsers } from "../entry/node.ts";
import { UsageError } from "../errors/errors.ts";
import { notOnView } from "./check-database.ts";
import { type Held, hold } from "./held.ts";
import { OpenTransaction } from "./open-transaction.ts";
import { runSeveral, severalOf } from "./several-statements.ts";

/** What a connection is taken for. */
interface Taking {
  /** What Kysely took it with. */
  readonly takenWith: AbortableOperationOptions | undefined;
  readonly types?: TypeParsers | undefined;
}

/** What Kysely takes for one query, one stream, one transaction or one `connection()`. None is held before the last two need it. */
export class WarmlineConnection implements DatabaseConnection {
  readonly #db: Database | DatabaseView;
  readonly #taking: Taking;
  #used = false;
  #session: Held<DatabaseSession> | undefined;
  #transaction: OpenTransaction | undefined;
  /** Ends what is held, with the statement that is on its way. */
  #cancel = new AbortController();

  constructor(db: Database | DatabaseView, taking: Taking) {
    this.#db = db;
    this.#taking = taking;
  }

  /** @throws UsageError TRANSACTION_OVER where none is open */
  get transaction(): OpenTransaction {
    if (this.#transaction === undefined) throw new UsageError("No transaction is open.", { code: "TRANSACTION_OVER" });
    return this.#transaction;
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const mode = {
      isolation: isolationLevel as Exclude<typeof isolationLevel, "snapshot">,
      readOnly: accessMode && accessMode === "read only",
    };
    if (this.#taking.takenWith && "session" in this.#db) await this.#hold();
    const { handle: session } = this.#session ?? {};
    this.#transaction = await OpenTransaction.begin((work) =>
      session ? session.transaction(work, mode) : this.#db.transaction(work, { ...mode, signal: this.#newCancel() }),
    );
  }

  async commit(): Promise<void> {
    const { transaction } = this;
    this.#transaction = undefined;
    await transaction.commit();
  }

  async rollback(): Promise<void> {
    const open = this.#transaction;
    this.#transaction = undefined;
    await open?.rollback();
  }

  /** Each statement has told what became of it. */
  async release(): Promise<void> {
    await this.#session?.end().catch(() => {});
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery, options?: AbortableOperationOptions): Promise<QueryResult<R>> {
    const { signal } = options ?? {};
    const { types } = this.#taking;
    const stopHeeding = this.#heed(signal);
    try {
      const held = await this.#heldFor(options);
      signal?.throwIfAborted();
      const several = severalOf(sql, parameters);
      if (several !== undefined) {
        await runSeveral(held ?? this.#db, several, signal);
        return { rows: [] };
      }
      const { command, rowCount, rows } = await (held
        ? held.query<R>(sql, parameters, { types })
        : this.#db.query<R>(sql, parameters, { types, signal }));
      return CHANGES.test(command ?? "") ? { numAffectedRows: BigInt(rowCount ?? 0), rows } : { rows };
    } finally {
      stopHeeding();
    }
  }

  async *streamQuery<R>(
    { sql, parameters }: CompiledQuery,
    batchSize: number,
    options?: AbortableOperationOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    const { signal } = options ?? {};
    const { types } = this.#taking;
    const stopHeeding = this.#heed(signal);
    try {
      const held = await this.#heldFor(options);
      const stream = held
        ? held.stream<R>(sql, parameters, { types, batchSize })
        : this.#db.stream<R>(sql, parameters, { types, batchSize, signal });
      for await (const rows of stream.batches()) yield { rows };
    } finally {
      stopHeeding();
    }
  }

  /** The signal that was handed over has cancelled it already, whatever Kysely is told to do with what is on its way. */
  async cancelQuery(): Promise<void> {}

  async killSession(): Promise<void> {}

  /**
   * What a statement goes through, if anything is held. A connection that is taken for one query is taken with the options the query is then run
   * with, none in most cases. What is taken otherwise, or used again, is `connection()`, whose statements all belong on one.
   */
  async #heldFor(options: AbortableOperationOptions | undefined): Promise<DatabaseSession | Transaction | undefined> {
    if (this.#transaction) return this.#transaction.tx;
    if (this.#used || options !== this.#taking.takenWith) await this.#hold();
    this.#used = true;
    return this.#session?.handle;
  }

  async #hold(): Promise<void> {
    const db = this.#db;
    if (!("session" in db)) throw notOnView("holds no connection");
    this.#session ??= await hold<DatabaseSession>((work) => db.session(work, { signal: this.#newCancel() }));
  }

  #newCancel(): AbortSignal {
    this.#cancel = new AbortController();
    return this.#cancel.signal;
  }

  /** What is held knows no signals of single statements: one that is aborted ends the whole, at the server too. */
  #heed(signal: AbortSignal | undefined): () => void {
    const abort = () => this.#cancel.abort(signal?.reason);
    signal?.addEventListener("abort", abort);
    return () => signal?.removeEventListener("abort", abort);
  }
}

const CHANGES = /^(?:INSERT|UPDATE|DELETE|MERGE)$/;
