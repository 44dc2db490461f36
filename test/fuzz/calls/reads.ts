import { type Call, type CallInput, hurried, other, text, unexpected } from "./kinds.ts";

/** Texts alike: more than a connection keeps names for. */
const TEXTS = 150;
/** Characters of the longest value, and rows of the longest answer. */
const LONGEST = 300_000;
const MOST_ROWS = 2_000;

const rowOf = async (input: CallInput, statement: string, options = {}): Promise<string | undefined> =>
  other(input.number, (await input.db.query(text(statement, input), [input.number], options)).rows[0]?.n);

const waiting = async (input: CallInput, ms: number, options = {}): Promise<string | undefined> => {
  const { rows } = await input.db.query(text("select waits($1, $2) as n", input), [ms / 1_000, input.number], options);
  return other(input.number, rows[0]?.n);
};

const look = "select $1::int as n";

/** Calls that write nothing. */
export const reads: readonly Call[] = [
  ...Array.from({ length: 12 }, (): Call => ({ name: "look", quick: true, run: (input) => rowOf(input, look) })),
  ...Array.from(
    { length: 4 },
    (): Call => ({
      name: "look by one of many texts",
      quick: true,
      run: async ({ db, number, random }) => {
        const which = random.between(1, TEXTS);
        const { rows } = await db.query(`select $1::int as n, ${which} as text, $2::text as token`, [number, `token of ${number}`]);
        return other(`${number} ${which} token of ${number}`, `${rows[0]?.n} ${rows[0]?.text} ${rows[0]?.token}`);
      },
    }),
  ),
  { name: "look in a hurry", quick: true, hurries: true, run: (input) => hurried(input, (limits) => rowOf(input, look, limits)) },
  {
    name: "slow look in a hurry",
    hurries: true,
    run: (input) => hurried(input, (limits) => rowOf(input, "select $1::int as n from pg_sleep(0.015)", limits)),
  },
  {
    name: "look that is slow now and then",
    quick: true,
    run: (input) => waiting(input, input.random.once(20) ? 30 : 0),
  },
  // fast enough to have others behind them, and slow enough to be met by the CancelRequest for another
  ...Array.from(
    { length: 2 },
    (): Call => ({ name: "look of some milliseconds", quick: true, run: (input) => waiting(input, input.random.between(1, 5)) }),
  ),
  {
    name: "look of some milliseconds in a hurry",
    quick: true,
    hurries: true,
    run: (input) => hurried(input, (limits) => waiting(input, input.random.between(1, 5), limits)),
  },
  { name: "slow look", run: (input) => rowOf(input, "select $1::int as n from pg_sleep(0.02)") },
  {
    name: "error",
    quick: true,
    run: async ({ db, number }) =>
      unexpected(await db.query("select 1 / ($1::int - $1::int)", [number]).catch((thrown) => thrown), "22012"),
  },
  {
    name: "error of the text",
    run: async ({ db, number }) => unexpected(await db.query("select $1::int from nowhere", [number]).catch((thrown) => thrown), "42P01"),
  },
  {
    name: "error behind rows",
    run: async ({ db, number }) => {
      const halfway = "select 1 / (200 - g + 0 * $1::int) as n, repeat('x', 50) from generate_series(1, 400) as g";
      return unexpected(await db.query(halfway, [number]).catch((thrown) => thrown), "22012");
    },
  },
  {
    name: "rows of a table that changes",
    run: async ({ db, number }) => {
      const { rows } = await db.query("select *, $1::int as n from soak order by id desc limit 3", [number]);
      return rows.map((row) => other(number, row.n)).find((wrong) => wrong !== undefined);
    },
  },
  {
    name: "large value",
    run: async ({ db, number, random }) => {
      const length = random.between(1, LONGEST);
      const letter = String.fromCharCode(97 + (number % 26));
      const { rows } = await db.query("select $1::int as n, repeat($2, $3::int) as large", [number, letter, length]);
      if (rows[0]?.large !== letter.repeat(length)) return "another's large value";
      return other(number, rows[0]?.n);
    },
  },
  {
    name: "large parameter",
    run: async ({ db, number, random }) => {
      const large = String(number).repeat(random.between(1, LONGEST / 10));
      const { rows } = await db.query("select $1::int as n, md5($2) = md5($3) as same, length($2) as length", [number, large, large]);
      return other(`${number} true ${large.length}`, `${rows[0]?.n} ${rows[0]?.same} ${rows[0]?.length}`);
    },
  },
  {
    name: "many rows",
    run: async ({ db, number, random }) => {
      const count = random.between(0, MOST_ROWS);
      const { rows } = await db.query("select $1::int + g as n from generate_series(1, $2::int) as g", [number, count]);
      const wrong = rows.findIndex(({ n }, at) => n !== number + at + 1);
      return wrong === -1 ? other(count, rows.length) : `row ${wrong} is another's`;
    },
  },
  {
    name: "as many columns as there may be",
    run: async ({ db, number }) => {
      const { rows } = await db.query("select wide.*, wider.*, $1::int as n from wide, wider", [number]);
      const values = Object.values(rows[0] as object);
      if (values.length !== 1_664) return `${values.length} columns`;
      const wrong = values.findIndex((value, at) => value !== (at === 1_663 ? number : at + 1));
      return wrong === -1 ? undefined : `column ${wrong} is another's`;
    },
  },
  { name: "read-only look", run: (input) => rowOf(input, look, { readOnly: true }) },
  { name: "look that may be repeated", run: (input) => rowOf(input, look, { idempotent: true }) },
  {
    name: "look that may be repeated, with little time for each attempt",
    hurries: true,
    run: (input) => rowOf(input, "select $1::int as n from pg_sleep(0.002)", { idempotent: true, attemptTimeoutMs: 40 }),
  },
  {
    name: "session",
    run: ({ db, number }) =>
      db.session(async (session) => {
        const answers = await Promise.all([0, 1, 2].map((more) => session.query(look, [number + more])));
        return answers.map(({ rows }, more) => other(number + more, rows[0]?.n)).find((wrong) => wrong !== undefined);
      }),
  },
  {
    name: "session that keeps something",
    needsSession: true,
    run: ({ db, number }) =>
      db.session(async (session) => {
        await session.query(`set soak.owner to '${number}'`);
        const { rows } = await session.query("select current_setting('soak.owner') as n");
        return other(number, rows[0]?.n);
      }),
  },
  {
    name: "look whether something was kept",
    needsSession: true,
    run: async ({ db }) => {
      const { rows } = await db.query("select nullif(current_setting('soak.owner', true), '') as owner");
      return other(null, rows[0]?.owner);
    },
  },
];
