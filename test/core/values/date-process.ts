import { createDatabase, type Database } from "../../../src/entry/node.ts";
import { createRandom, type Random } from "../../support/random.ts";

/** What a process in another time zone is told, as JSON in its only argument. */
export interface DateErrand {
  readonly url: string;
  readonly endpoint: string;
  readonly seed: number;
  readonly count: number;
}

/** What it found: instants that came back as others, readings that were stored as others. */
export interface DateReport {
  readonly zone: string;
  readonly compared: number;
  readonly offsetsWithSeconds: number;
  readonly wrong: readonly string[];
}

/** Instants at which calendars, clocks and arithmetic err, and random ones. */
function instants(random: Random, count: number): Date[] {
  const year = (from: number, to: number) => Date.UTC(2000, random.between(0, 11), random.between(1, 31)) + years(random.between(from, to));
  const years = (of: number) => new Date(0).setUTCFullYear(of, 0, 1) - Date.UTC(2000, 0, 1);
  const choices: readonly (() => number)[] = [
    () => year(1850, 1945),
    () => year(1970, 2040),
    () => year(0, 99),
    () => year(-4700, 0),
    () => year(100, 9999),
    () => year(10_000, 275_000),
    () => new Date(0).setUTCFullYear(0, 1, 29),
    () => random.between(-4_000_000_000, 4_000_000_000) * 1000,
    // every half hour of a day on which summer time begins or ends somewhere
    () => Date.UTC(2026, ...random.pick([[2, 8] as const, [2, 29] as const, [9, 25] as const, [10, 1] as const, [3, 5] as const])),
  ];
  return Array.from(
    { length: count },
    () => new Date(random.pick(choices)() + random.between(0, 47) * 1_800_000 + random.between(0, 1_799_999)),
  );
}

const pad = (number: number, width = 2) => String(number).padStart(width, "0");

/** The local reading, as to_char writes it. */
function reading(date: Date): string {
  const year = date.getFullYear();
  const day = `${pad(year < 1 ? 1 - year : year, 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  return `${day} ${time} ${year < 1 ? "BC" : "AD"}`;
}

interface Stored {
  readonly at: Date;
  readonly epoch: string;
  readonly local: string;
  readonly day: string;
  readonly back: Date;
}

const STORE = `
  select at, (extract(epoch from at) * 1000)::bigint::text as epoch, local as back,
    to_char(local, 'FMYYYY') as year, to_char(local, 'YYYY-MM-DD HH24:MI:SS.MS BC') as local, to_char(day, 'YYYY-MM-DD BC') as day
  from unnest($1::timestamptz[], $1::timestamp[], $1::date[]) as t(at, local, day)`;

async function compare(db: Database, dates: readonly Date[]): Promise<string[]> {
  const { rows } = await db.query<Stored>(STORE, [dates]);
  const { rows: single } = await db.query<{ at: Date; list: Date[] }>("select $1::timestamptz as at, $2::timestamptz[] as list", [
    dates[0],
    dates,
  ]);
  const wrong: string[] = [];
  const note = (what: string, expected: unknown, given: unknown) => {
    if (String(expected) !== String(given)) wrong.push(`${what}: ${given} instead of ${expected}`);
  };
  note("one", dates[0]?.getTime(), single[0]?.at.getTime());
  for (const [index, date] of dates.entries()) {
    const { at, epoch, local, day, back } = rows[index] as Stored;
    const expected = reading(date);
    note("instant", date.getTime(), at.getTime());
    note("instant in a list", date.getTime(), single[0]?.list[index]?.getTime());
    note("instant at the server", date.getTime(), epoch);
    note("reading", expected, local);
    note("day", expected.replace(/ .* /, " "), day);
    note("reading read back", expected, reading(back));
  }
  return wrong;
}

const { url, endpoint, seed, count }: DateErrand = JSON.parse(process.argv[2] as string);
const zone = process.env.TZ as string;
const dates = instants(createRandom(seed), count);
// the server writes offsets with seconds, where its session is in such a zone
const startupOptions = `-c TimeZone=${zone}`;
const wrong: string[] = [];
for (const options of [{ transport: "pool" }, { transport: "http", endpoint }] as const) {
  await using db = createDatabase({ url, startupOptions, ...options });
  wrong.push(...(await compare(db, dates)));
}
const offsetsWithSeconds = dates.filter((date) => (date.getSeconds() - date.getUTCSeconds()) % 60 !== 0).length;
console.log(JSON.stringify({ zone, compared: dates.length, offsetsWithSeconds, wrong } satisfies DateReport));
