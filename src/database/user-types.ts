import type { Field, ParserSet, Result, Statement } from "../transports/transport.ts";
import { arrayParser } from "./array-text.ts";
import { atOnce, parserSet } from "./parsers.ts";
import type { Parse } from "./read-time.ts";
import { catalogName } from "./type-aliases.ts";

/** Parsers by type id, or by name. */
export type GivenParsers = Readonly<Record<string, Parse>>;

/** The driver's parsers, and the ids of built-in types by their names in capitals, as pg-types has both. */
export interface CommonParsers extends ParserSet {
  readonly builtins: Readonly<Record<string, number>>;
}

/** Ids from here on belong to types that users made. Source: FirstNormalObjectId of PostgreSQL's sources. */
const FIRST_USER_TYPE = 16_384;

/** Types that are remembered; whoever makes them all the time has them looked up again. */
const MOST_KNOWN = 10_000;

/** Reads values of a type that has to be looked up. */
const asItCame: Parse = (text) => text;

/** Types, with those they are made of. Names are of pg_catalog, whatever the search path. */
const LOOKUP = `with recursive wanted(id) as (
  select pg_catalog.unnest($1::pg_catalog.oid[])
  union select part from wanted join pg_catalog.pg_type on oid operator(pg_catalog.=) id, lateral (values (typelem), (typbasetype)) parts(part)
) select t.oid, nspname, typname, typelem, typbasetype, typarray, typdelim from wanted join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) id
join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) typnamespace`;

/** How the answer to a lookup is read. */
export const lookupForm = { rowMode: "array", parsers: { getTypeParser: () => asItCame } } as const;

/** Sends a lookup, whose answer is read by {@link lookupForm}. */
export type Ask = (statement: Statement) => Promise<Result>;

/** A type as the server's catalog has it: the ids of its items, of what a domain stands on, and of arrays of it, 0 where there is none. */
interface CatalogType {
  readonly schema: string;
  readonly name: string;
  readonly element: number;
  readonly base: number;
  readonly array: number;
  readonly delimiter: string;
}

/**
 * The types of one database: parsers for all of them, and which are arrays, told by the server once where a result has some that nobody knows.
 * What is remembered are numbers and functions, so requests may share it.
 */
export class UserTypes {
  /** For the next call. What a call was given stays as it is, for its rows were read by it. */
  parsers: ParserSet;
  /** A lookup that others may wait for; undefined once it has ended. */
  asking: Promise<void> | undefined;
  readonly #own: GivenParsers;
  readonly #byName: ReadonlyMap<string, Parse>;
  readonly #base: ParserSet;
  /** No type of a lower id is looked up. */
  readonly #least: number;
  /** Types that are never looked up. */
  readonly #fixed: ReadonlySet<number>;
  #learned: ReadonlyMap<number, Parse> = new Map();

  constructor(given: GivenParsers, common: CommonParsers) {
    const own: Record<string, Parse> = {};
    const byName = new Map<string, Parse>();
    for (const [key, parse] of Object.entries(given)) {
      if (/^\d/.test(key)) {
        own[key] = parse;
        continue;
      }
      const name = catalogName(key);
      const id = common.builtins[name.replace(/^pg_catalog\./, "").toUpperCase()];
      // what is given by its id goes before
      if (id !== undefined && !(id in given)) own[id] = parse;
      byName.set(name, atOnce(parse));
    }
    this.#own = own;
    this.#byName = byName;
    this.#base = parserSet(own, common);
    this.#least = byName.size === 0 ? FIRST_USER_TYPE : 0;
    this.#fixed = new Set(Object.values(common.builtins));
    this.parsers = this.#setOf(this.#learned);
  }

  /** The ids among these of types that have to be looked up. */
  unknown(ids: readonly number[]): readonly number[] {
    return ids.filter((id) => this.#isUnknown(id, this.#learned));
  }

  /** The columns of a result that were read by `parsers` as they came, and whose values may be something else. */
  unread({ fields, rows }: Pick<Result, "fields" | "rows">, { parsers, rowMode }: ReadBy): readonly UnreadColumn[] {
    let found = nothing;
    const least = this.#least;
    for (let index = 0; index < fields.length; index++) {
      const { dataTypeID: id, name } = fields[index] as Field;
      if (id < least || !this.#isLookedUp(id) || parsers.getTypeParser(id, "text") !== asItCame) continue;
      const key = (rowMode === "array" ? index : name) as never;
      const first: unknown = rows.find((row) => row[key] !== null)?.[key];
      // an array begins with its bracket, or with its bounds
      const mayBeMore = typeof first === "string" && (this.#byName.size > 0 || /^[{[]/.test(first));
      // of columns with one name an object has the last
      const isLost = rowMode === "object" && fields.some((other, at) => at > index && other.name === name);
      if (mayBeMore && !isLost) found = [...found, { fields, rows, index, key, id }];
    }
    return found;
  }

  /** Asks the server for types, and gives parsers for them. Those it does not list stay unknown. */
  async learn(ids: readonly number[], ask: Ask): Promise<void> {
    const { rows } = await ask({ text: LOOKUP, values: [`{${ids.join(",")}}`] });
    const types = new Map((rows as unknown as CatalogRow[]).map((row) => [Number(row[0]), typeOf(row)]));
    const learned = new Map(this.#learned.size + ids.length > MOST_KNOWN ? [] : this.#learned);
    for (const id of ids) if (types.has(id)) learned.set(id, this.#parserOf(id, types));
    this.#learned = learned;
    this.parsers = this.#setOf(learned);
  }

  /** Whether only the server knows what a type is: of those that are built in, only where names have to be held against it. */
  #isLookedUp(id: number): boolean {
    return id >= this.#least && !this.#fixed.has(id);
  }

  #isUnknown(id: number, learned: ReadonlyMap<number, Parse>): boolean {
    return this.#isLookedUp(id) && this.#own[id] === undefined && !learned.has(id);
  }

  #setOf(learned: ReadonlyMap<number, Parse>): ParserSet {
    return {
      getTypeParser: (id, format) => {
        if (format !== "binary" && this.#isUnknown(id, learned)) return asItCame;
        return learned.get(id) ?? this.#base.getTypeParser(id, format);
      },
    };
  }

  #parserOf(id: number, types: ReadonlyMap<number, CatalogType>): Parse {
    const type = types.get(id);
    if (type === undefined || id in this.#own) return this.#base.getTypeParser(id, "text");
    const named = this.#named(type);
    if (named !== undefined) return named;
    const element = types.get(type.element);
    // what is built in, the driver reads its own way, unless its items have a parser of the caller's
    if (element?.array === id && (id >= FIRST_USER_TYPE || this.#named(element))) {
      return arrayParser(this.#parserOf(type.element, types), element.delimiter);
    }
    return type.base === 0 ? this.#base.getTypeParser(id, "text") : this.#parserOf(type.base, types);
  }

  #named({ schema, name }: CatalogType): Parse | undefined {
    return this.#byName.get(`${schema}.${name}`) ?? this.#byName.get(name);
  }
}

/** How rows are read. */
export interface ReadBy {
  readonly parsers: ParserSet;
  readonly rowMode: "object" | "array";
}

/** A column of rows whose type was not known when they were read. */
export interface UnreadColumn extends Pick<Result, "fields" | "rows"> {
  readonly index: number;
  /** Where a row has its value. */
  readonly key: never;
  readonly id: number;
}

const nothing: readonly UnreadColumn[] = [];

/** As {@link LOOKUP} gives it. */
type CatalogRow = readonly [id: string, schema: string, name: string, element: string, base: string, array: string, delimiter: string];

function typeOf([, schema, name, element, base, array, delimiter]: CatalogRow): CatalogType {
  return { schema, name, element: Number(element), base: Number(base), array: Number(array), delimiter };
}
