import { type Kind, type KindCounts, kinds, type LedgerRow } from "../../test/ledger/run.ts";
import { alignedTable, type Column } from "../report/aligned-table.ts";

const columns: readonly Column<LedgerRow>[] = [
  ["transport", (row) => row.transport],
  ["seed", (row) => row.seed],
  ["transfers", (row) => row.transfers],
  ["acknowledged", (row) => row.acknowledged],
  ["refused", (row) => row.refused],
  ["not sent", (row) => row.notSent],
  ["unknown", (row) => row.unknown],
  ["of them done", (row) => row.unknownDone],
  ["with a key", (row) => row.keyed],
  ["sent", (row) => row.keyedSends],
  ["killed", (row) => row.faults["backend killed"]],
  ["reset", (row) => row.faults["connections reset"]],
  ["cut", (row) => row.faults["link to the server cut after COMMIT"]],
  ["restarts", (row) => row.faults["server restarted"]],
  ["violations", (row) => violationsOf(row)],
  ["s", (row) => Math.round(row.durationMs / 1_000)],
];

/** All seeds of one kind over one way. */
interface KindRow extends KindCounts {
  readonly transport: LedgerRow["transport"];
  readonly kind: Kind;
}

const kindColumns: readonly Column<KindRow>[] = [
  ["transport", (row) => row.transport],
  ["kind", (row) => row.kind],
  ["transfers", (row) => row.transfers],
  ["acknowledged", (row) => row.acknowledged],
  ["refused", (row) => row.refused],
  ["not sent", (row) => row.notSent],
  ["unknown", (row) => row.unknown],
  ["of them done", (row) => row.unknownDone],
  ["raising", (row) => row.raised],
  ["unknown, %", (row) => ((100 * row.unknown) / row.transfers).toFixed(2)],
];

/** The rows as an aligned table, and what the clients were told by kinds of transfers. */
export function ledgerTable(rows: readonly LedgerRow[]): string {
  return [
    ...alignedTable(columns, rows),
    "",
    ...alignedTable(kindColumns, kindRows(rows), 2),
    "",
    "Fifty clients move money while backends are killed, connections are reset, the link to the server is cut after COMMIT, and the server restarts.",
    "An acknowledged transfer is there once, a refused one and one that was not sent are absent, an unknown one is there once or not at all,",
    "one with a key was sent until it was acknowledged and is there once; and the accounts hold what the transfers make of them. Plain transfers are",
    "DML; the others commit by themselves, and every third of those raises an error of its own behind that.",
  ].join("\n");
}

function kindRows(rows: readonly LedgerRow[]): readonly KindRow[] {
  const transports = [...new Set(rows.map(({ transport }) => transport))];
  return transports.flatMap((transport) =>
    kinds
      .map((kind): KindRow => {
        const own = rows.filter((row) => row.transport === transport).map((row) => row.kinds[kind]);
        const sum = (name: keyof KindCounts) => own.reduce((total, counts) => total + counts[name], 0);
        return {
          ...{ transport, kind, transfers: sum("transfers"), raised: sum("raised") },
          ...{ acknowledged: sum("acknowledged"), refused: sum("refused"), notSent: sum("notSent") },
          ...{ unknown: sum("unknown"), unknownDone: sum("unknownDone") },
        };
      })
      .filter(({ transfers }) => transfers > 0),
  );
}

function violationsOf({ violations }: LedgerRow): string {
  const found = Object.entries(violations).filter(([, count]) => count > 0);
  return found.length === 0 ? "none" : found.map(([name, count]) => `${name} ${count}`).join(", ");
}

/** Shows how far a run is on standard error: a line that counts in a terminal, one for each quarter elsewhere. */
export function showLedgerProgress(
  way: string,
  { seed, transfers }: { readonly seed: number; readonly transfers: number },
): (settled: number) => void {
  const { stderr } = process;
  return (settled) => {
    const what = `${way}, seed ${seed}: ${settled} of ${transfers} transfers`;
    if (stderr.isTTY) {
      if (settled === transfers) stderr.write("\r\x1b[K");
      else if (settled % 50 === 0) stderr.write(`\r\x1b[K${what}`);
    } else if (settled % Math.ceil(transfers / 4) === 0 || settled === transfers) stderr.write(`${what}\n`);
  };
}
