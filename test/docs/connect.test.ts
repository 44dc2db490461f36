import { describe, expect, test } from "vitest";
import { documents, read } from "./blocks.ts";
import { planHeading, planRow } from "./plan-row.ts";

/** Every URL on a page with the row that stands below it. */
const told = documents
  .filter((document) => document.startsWith("docs/connect/"))
  .flatMap((document) => {
    const lines = read(document).split("\n");
    return lines.flatMap((line, at) => {
      const url = /^DATABASE_URL="(.*)"$/.exec(line)?.[1];
      return url === undefined ? [] : [{ document, url, heading: lines[at + 3], row: lines[at + 5] }];
    });
  });

describe("what a page says is planned for a provider's URL", () => {
  test("there are enough of them", () => {
    expect(told.length).toBeGreaterThan(35);
  });

  test.each(told)("$document: $url", ({ url, heading, row }) => {
    expect(heading).toBe(planHeading);
    expect(row).toBe(planRow(url));
  });
});
