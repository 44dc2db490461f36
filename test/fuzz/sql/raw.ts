import { Client } from "pg";
import { mayCommitByItself } from "../../../src/syntax/self-committing.ts";
import { statements } from "../../../src/syntax/statements.ts";
import { transactionControl } from "../../../src/syntax/transaction-control.ts";
import { type Ground, type Marker, takeMarkers } from "./ground.ts";
import { openRaw, type Piece, type RawClient, type Segment } from "./raw-client.ts";

/** What the server made of a text, whatever the guard would have said. */
export interface RawVerdict {
  readonly refused: boolean;
  /** Whether the server ran it as transaction control. */
  readonly controls: boolean;
  /** Whether the server ran it, as whatever. */
  readonly ran: boolean;
  /** Whether the transaction was over when it was done. */
  readonly changed: boolean;
  /** Whether it left a part of what belongs together. */
  readonly left: boolean;
}

/** What a script left that failed in autocommit. */
export interface ScriptVerdict {
  readonly may: boolean;
  readonly failed: boolean;
  readonly left: boolean;
  /** Whether the server saw as many statements as were counted; true where it did not run them all. */
  readonly counted: boolean;
}

const controlTag = /^(BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE TRANSACTION|COMMIT PREPARED|ROLLBACK PREPARED)$/;
const rollback: Piece = [["rollback"]];

/** Sends texts over a connection of its own. */
export interface RawRunner extends AsyncDisposable {
  texts(texts: ReadonlyMap<number, string>): Promise<ReadonlyMap<number, RawVerdict>>;
  scripts(texts: ReadonlyMap<number, string>): Promise<ReadonlyMap<number, ScriptVerdict>>;
}

export async function openRunner({ url, conforming }: Ground): Promise<RawRunner> {
  const raw = await openRaw(url);
  const looking = new Client({ connectionString: url });
  looking.on("error", () => {});
  await looking.connect();
  return {
    async texts(texts) {
      const segments = await sendAll(
        raw,
        [...texts].map(([number, text]) => programs(number, text)),
      );
      const markers = await takeMarkers(looking, Math.min(...texts.keys()));
      return new Map([...texts].map(([number, text], index) => [number, judge(text, segments[index] ?? [], markers.get(number) ?? [])]));
    },
    async scripts(texts) {
      const segments = await sendAll(
        raw,
        [...texts].map(([, text]) => [text, "rollback"]),
      );
      const prepared = await looking.query<{ gid: string }>("select gid from pg_prepared_xacts where database = current_database()");
      const kept = new Set(prepared.rows.map(({ gid }) => Number(gid)));
      const markers = await takeMarkers(looking, Math.min(...texts.keys()));
      const verdict = (number: number, text: string, [done]: readonly Segment[]): ScriptVerdict => ({
        may: mayCommitByItself(text),
        failed: done?.code !== undefined,
        left: markers.has(number) || kept.has(number),
        counted:
          done?.code !== undefined ||
          done?.tags.filter((tag) => tag !== "").length === statements(text, { backslashes: conforming === "off" }).length,
      });
      return new Map([...texts].map(([number, text], index) => [number, verdict(number, text, segments[index] ?? [])]));
    },
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]();
      await looking.end();
    },
  };
}

async function sendAll(raw: RawClient, groups: readonly (readonly Piece[])[]): Promise<readonly (readonly Segment[])[]> {
  const segments = [...(await raw.send(groups.flat()))];
  return groups.map(({ length }) => segments.splice(0, length));
}

/** A batch; a batch that fails at its end; a transaction that is rolled back, each statement answered by itself. */
function programs(number: number, text: string): readonly Piece[] {
  const marker = (program: number, part: number) => ["insert into marker values ($1, $2, $3)", [number, program, part]] as const;
  return [
    [["begin"], marker(1, 1), [text], marker(1, 2), ["commit"]],
    rollback,
    [["begin"], marker(2, 1), [text], marker(2, 2), ["select 1 / 0"], ["commit"]],
    rollback,
    [["begin"], marker(3, 1)],
    [[text]],
    [marker(3, 2)],
    rollback,
  ];
}

function judge(text: string, segments: readonly Segment[], markers: readonly Marker[]): RawVerdict {
  const own = segments[5];
  if (segments[4]?.status !== "T" || own === undefined) throw new Error(`No transaction began before ${JSON.stringify(text)}.`);
  const [tag] = own.tags;
  const changed = own.status === "I";
  return {
    refused: transactionControl(text) !== undefined,
    controls: changed || controlTag.test(tag ?? ""),
    ran: tag !== undefined,
    changed,
    left: markers.length > 0 && !(markers.length === 2 && markers.every(({ program }) => program === 1)),
  };
}
