import pg from "pg";
import { describe, expect, test } from "vitest";
import { parserSet } from "../../../src/database/parsers.ts";
import type { ParserSet } from "../../../src/transports/transport.ts";
import { createRandom } from "../../support/random.ts";

const DATE = 1082;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

const common = pg.types as unknown as ParserSet;

describe("dates read the quick way", () => {
  test.each([DATE, TIMESTAMP, TIMESTAMPTZ])("are those of pg-types, in every form of type %d", (typeId) => {
    const random = createRandom(typeId);
    const ours = parserSet({}, common).getTypeParser(typeId);
    const theirs = common.getTypeParser(typeId);
    const fractions = ["", ".5", ".25", ".123456", ".999999", ".000001", ".1"];
    const zones = typeId === TIMESTAMPTZ ? ["+00", "+00", "+02", "-03:30", "+00:19:32"] : [""];
    for (let time = 0; time < 20_000; time++) {
      const day = new Date(Date.UTC(random.between(1_000, 9_999), random.between(0, 11), random.between(1, 31), random.between(0, 23)));
      const written = day.toISOString();
      const text =
        typeId === DATE
          ? written.slice(0, 10)
          : `${written.slice(0, 10)} ${written.slice(11, 17)}${String(random.between(0, 59)).padStart(2, "0")}${random.pick(fractions)}${random.pick(zones)}`;
      expect((ours(text) as Date).getTime(), text).toBe((theirs(text) as Date).getTime());
    }
  });

  test.each(["2026-11-26 01:02:03.", "2026-11-26 01:02:03.1x", "2026-11-26 01:02", "2026-1x-26 01:02:03", "26.11.2026", "infinity", ""])(
    "nothing is made of %j that pg-types would not make of it",
    (text) => {
      const read = (parsers: ParserSet) => {
        try {
          const value = parsers.getTypeParser(TIMESTAMP)(text);
          return value instanceof Date ? value.getTime() : value;
        } catch {
          return null;
        }
      };
      expect(read(parserSet({}, common))).toEqual(read(common));
    },
  );

  test("another parser in the driver's table is asked", () => {
    const own = (text: string) => `own ${text}`;
    const other: ParserSet = { getTypeParser: (id, format) => (id === TIMESTAMP ? own : common.getTypeParser(id, format)) };
    expect(parserSet({}, other).getTypeParser(TIMESTAMP)("2026-11-26 01:02:03")).toBe("own 2026-11-26 01:02:03");
    expect(parserSet({}, { getTypeParser: () => own }).getTypeParser(DATE)("2026-11-26")).toBe("own 2026-11-26");
    const inUtc = (text: string) => new Date(`${text}Z`);
    expect(parserSet({}, { getTypeParser: () => inUtc }).getTypeParser(TIMESTAMP)("2026-11-26 01:02:03")).toEqual(
      new Date("2026-11-26T01:02:03Z"),
    );
  });
});
