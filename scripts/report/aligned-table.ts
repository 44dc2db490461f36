/** A column of a table: its title, and what stands in it for a row. */
export type Column<Row> = readonly [title: string, value: (row: Row) => string | number];

/** Lines of a table: titles, a rule, and a line for each row. The first `leftColumns` are aligned to the left, the rest to the right; default 1. */
export function alignedTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], leftColumns = 1): readonly string[] {
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, value]) => String(value(row))))];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column < leftColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const [head = "", ...lines] = cells.map((line) => line.map(pad).join("  ").trimEnd());
  return [head, "─".repeat(Math.max(head.length, ...lines.map((line) => line.length))), ...lines];
}
