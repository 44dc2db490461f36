import type { Random } from "../../support/random.ts";

/** Letters of which no three stand together in a word, a path or a message. */
const LETTERS = "qxzjkvw";

const some = (random: Random, alphabet: string, length: number) => Array.from({ length }, () => random.pick([...alphabet])).join("");
const word = (random: Random, length = random.between(7, 12)) => some(random, LETTERS, length);
const digits = (random: Random) => `9${some(random, "123456789", 11)}`;

/** A value in one of the forms a server changes before it says it. `plain` is what may be nowhere: no three characters of it in a row. */
export const forms: readonly (readonly [name: string, make: (random: Random) => string])[] = [
  ["a word", word],
  ["capitals", (random) => word(random).toUpperCase()],
  ["mixed case", (random) => `${word(random, 4).toUpperCase()}${word(random, 4)}`],
  ["spaces around", (random) => `  ${word(random)}  `],
  ["several words", (random) => `${word(random)} ${word(random)} ${word(random)}`],
  ["its own marks", (random) => `${word(random)}" ${word(random)} "${word(random)}`],
  ["marks around", (random) => `"${word(random)}"`],
  ["an apostrophe", (random) => `${word(random)}' ${word(random)}`],
  ["an empty piece first", (random) => `" ${word(random)}`],
  ["a long name", (random) => word(random, 90)],
  ["parts of a name", (random) => `${word(random)}.${word(random)}.${word(random)}.${word(random)}`],
  ["a function's name", (random) => `${word(random)}(integer)`],
  ["an address", (random) => `${word(random)}@${word(random)}.example`],
  ["three characters", (random) => word(random, 3)],
  ["another script", (random) => `${word(random, 3)}é${word(random, 4)}`],
  ["a number", digits],
  ["a plus sign", (random) => `+${digits(random)}`],
  ["digits and letters", (random) => `${digits(random)}${word(random)}`],
  ["a fraction", (random) => `-${digits(random)}.${digits(random)}`],
  ["an array", (random) => `{${word(random)},"${word(random)}",${digits(random)}}`],
  ["JSON", (random) => `{"${word(random)}":"${word(random)}","a":[${digits(random)},"\\u0041${word(random)}\\n"]}`],
  ["broken JSON", (random) => `{"${word(random)}: ${digits(random)}`],
  ["a range", (random) => `[${digits(random)},${word(random)})`],
  ["a date", (random) => `${digits(random)}-45-${word(random)}`],
];

/** Statements in which a value goes wrong, or becomes the name of something; each has one parameter, a text. */
export const statements: readonly string[] = [
  // the relatives of regclass
  ...["regclass", "regproc", "regprocedure", "regoper", "regoperator", "regtype", "regrole", "regnamespace", "regcollation"].map(
    (type) => `select $1::text::${type}`,
  ),
  ...["regconfig", "regdictionary"].map((type) => `select $1::${type}`),
  // constraints and domains
  "insert into quoting (word) values ($1)",
  "insert into quoting (word, size) values ($1, 100)",
  "insert into quoting (size) values (($1::text)::int)",
  "insert into quoting (parent) values (length($1::text) + 5000)",
  "insert into quoting (word, needed) values ($1, null)",
  "select $1::text::quoting_domain",
  "select $1::text::quoting_enum",
  "select $1::quoting_row",
  "insert into quoting (short) values ($1 || 'long enough')",
  // derived before it is said
  "select reverse($1)::int",
  "select upper($1)::date",
  "select ($1::text || 'x')::uuid",
  "select left($1, 6)::inet",
  "select md5($1)::int",
  "select repeat($1, 3)::money",
  "select (array[$1::text])[1]::int[]",
  // texts read by functions
  "select to_date($1, 'YYYY-MM-DD')",
  "select to_date('2020', $1)",
  "select to_timestamp($1, 'HH24:MI')",
  "select to_number($1, '999')",
  "select to_char(1, $1)::int",
  "select format($1, 1)",
  "select format('%' || $1, 1)",
  "select date_trunc($1, now())",
  "select extract(epoch from $1::interval)",
  "select date_part($1, now())",
  "select now() at time zone $1",
  "select make_interval(0, 0, 0, 0, 0, 0, $1::float8)",
  "select make_date(length($1::text) + 100, 13, 45)",
  "select encode('\\x00', $1)",
  "select decode($1, 'hex')",
  "select decode($1, 'base64')",
  "select decode($1, 'escape')::text::int",
  "select convert_to('a', $1)",
  "select convert_from($1::bytea, 'UTF8')",
  "select convert_to($1, 'LATIN1')::text::int",
  "select normalize($1, $1)",
  "select 'a' like 'a' escape $1",
  "select 'a' similar to 'a' escape $1",
  "select 'a' ~ ('(' || $1)",
  "select 'a' ~ ('[[:' || $1 || ':]]')",
  "select regexp_replace('a', 'a', 'b', $1)",
  "select regexp_match('a', 'a', $1)",
  "select string_to_array($1, ',')::int[]",
  "select substring($1 from 1 for -5)",
  "select chr(length($1) - 100000)",
  "select get_byte($1::bytea, 5000)",
  "select set_bit($1::bytea, 50000, 1)",
  "select $1::bit(3)",
  "select $1::text::varbit",
  "select $1::numeric(3, 2)",
  "select $1::float8::int",
  "select $1::numeric::int",
  "select $1::text::int8 * 1000000000000",
  "select sqrt(-abs($1::numeric))",
  "select ln(-abs($1::numeric))",
  "select power($1::numeric, 100000)",
  "select $1::numeric / 0",
  "select to_tsquery($1 || ' & & (')",
  "select to_tsquery('simple', $1)",
  "select to_tsvector($1::regconfig, 'a')",
  "select setweight('a'::tsvector, $1::\"char\")",
  "select websearch_to_tsquery($1, 'a')",
  "select ts_stat($1)",
  "select ts_rewrite('a'::tsquery, $1)",
  // JSON
  "select $1::json",
  "select $1::jsonb",
  "select ($1::jsonb ->> 'a')::int",
  "select ($1::jsonb -> 'a' ->> 1)::int",
  "select jsonb_set('{}', array[$1], null, true)::text::int",
  "select jsonb_set('[1]', array[$1], '1')",
  "select '[1]'::jsonb #- array[$1]",
  "select jsonb_path_query('{}', ('$.' || $1)::jsonpath)",
  "select jsonb_path_query(to_jsonb($1), '$.datetime()')",
  "select jsonb_path_query(to_jsonb($1), '$.double()')",
  "select jsonb_path_query(to_jsonb($1), '$.bigint()')",
  "select jsonb_path_query(to_jsonb($1), 'strict $.a')",
  "select to_jsonb($1)::int",
  "select json_object(array[$1, null, null])",
  "select json_object_agg_unique(k, 1) from unnest(array[$1, $1]) k",
  "select json_value(to_jsonb($1), '$' returning int error on error)",
  "select * from json_populate_record(null::quoting, json_build_object('size', $1))",
  "select * from jsonb_to_record(jsonb_build_object('a', $1)) as t(a int)",
  "select * from json_table(to_jsonb($1), '$' columns (a int path '$' error on error)) t",
  // arrays, ranges, records
  "select ('{' || $1 || ',')::int[]",
  "select array_fill(1, array[length($1) * 100000000])",
  "select ('[' || $1 || ',5)')::int4range",
  "select int4range(5, 1, $1)",
  "select numrange(1, 2, $1)",
  "select ('{' || $1 || '}')::int4multirange",
  "select ('(' || $1 || ')')::quoting_row",
  // names and settings
  "select has_table_privilege($1, 'select')",
  "select has_table_privilege('quoting', $1)",
  "select has_column_privilege('quoting', $1, 'select')",
  "select has_schema_privilege($1, 'usage')",
  "select has_database_privilege($1, 'connect')",
  "select has_function_privilege($1, 'execute')",
  "select has_type_privilege($1, 'usage')",
  "select has_language_privilege($1, 'usage')",
  "select pg_has_role($1, 'usage')",
  "select has_parameter_privilege($1, 'set'), $1::text::int",
  "select current_setting($1)",
  "select set_config($1, '1', true)",
  "select set_config('work_mem', $1, true)",
  "select set_config('statement_timeout', $1, true)",
  "select set_config('TimeZone', $1, true)",
  "select set_config('DateStyle', $1, true)",
  "select set_config('client_encoding', $1, true)",
  "select set_config('search_path', $1 || '\"', true)",
  "select set_config('role', $1, true)",
  "select nextval($1)",
  "select setval('quoting_sequence', length($1) - 5000)",
  "select currval($1)",
  "select pg_get_serial_sequence($1, 'a')",
  "select pg_get_serial_sequence('quoting', $1)",
  "select pg_relation_size($1)",
  "select pg_size_bytes($1)",
  "select parse_ident($1 || '!')",
  "select pg_read_file($1)",
  "select pg_ls_dir($1)",
  "select lo_get(length($1)::oid + 987650)",
  "select pg_export_snapshot(), $1::text::pg_snapshot",
  "select txid_status(($1::text)::bigint)",
  "select to_regclass($1)::oid::text::date",
  "select query_to_xml('select 1 from ' || quote_ident($1), true, true, '')",
  "select query_to_xml($1, true, true, '')",
  "select table_to_xml($1, true, true, '')",
  "select cursor_to_xml($1, 1, true, true, '')",
  "select $1::xml",
  "select xmlparse(document $1)",
  "select xpath($1, '<a/>')",
  "select xmlcomment($1 || '--')",
  "select xmlelement(name a, $1)::text::int",
  // functions that put it into SQL, or into what they say
  ...[
    "dynamic_table",
    "dynamic_drop",
    "dynamic_function",
    "dynamic_column",
    "dynamic_literal",
    "dynamic_type",
    "dynamic_role",
    "dynamic_schema",
    "dynamic_setting",
    "dynamic_operator",
    "dynamic_made",
    "dynamic_raw",
    "raise_plain",
    "raise_marks",
    "raise_apostrophes",
    "raise_upper",
    "raise_slice",
    "raise_glued",
    "raise_length",
    "raise_reverse",
    "raise_md5",
    "raise_code",
    "raise_fields",
    "raise_json",
    "raise_brackets",
    "assert_plain",
    "cast_inside",
    "into_strict",
  ].map((name) => `select quoting_${name}($1)`),
];

const dynamic = (name: string, sql: string, argument = "v") =>
  `create function quoting_${name}(v text) returns void language plpgsql as $f$ begin execute format('${sql}', ${argument}); end $f$;`;
const raise = (name: string, sentence: string, argument = "v", using = "") =>
  `create function quoting_${name}(v text) returns void language plpgsql as $f$ begin raise exception '${sentence}', ${argument}${using}; end $f$;`;

export const setUp = `
  create type quoting_enum as enum ('a', 'b');
  create domain quoting_domain as text check (length(value) < 1);
  create type quoting_row as (a int, b date);
  create sequence quoting_sequence;
  create table quoting (
    id serial, word text unique check (length(word) < 2), size int check (size < 10), parent int unique references quoting (parent),
    needed int not null default 1, short varchar(5)
  );
  ${dynamic("dynamic_table", "select 1 from %I")}
  ${dynamic("dynamic_drop", "drop table %I")}
  ${dynamic("dynamic_function", "select %I(1)")}
  ${dynamic("dynamic_column", "select quoting.%I from quoting")}
  ${dynamic("dynamic_literal", "select %L::int")}
  ${dynamic("dynamic_type", "select 1::%I")}
  ${dynamic("dynamic_role", "set local role %I")}
  ${dynamic("dynamic_schema", "create table %I.a ()")}
  ${dynamic("dynamic_setting", "set local work_mem = %L")}
  ${dynamic("dynamic_operator", "select a %s b")}
  ${dynamic("dynamic_made", "create temp table %1$I (a int) on commit drop; create temp table %1$I (a int)")}
  ${dynamic("dynamic_raw", "%s")}
  ${raise("raise_plain", "no % here")}
  ${raise("raise_marks", 'no "%" here', "reverse(v)")}
  ${raise("raise_apostrophes", "no ''%'' here", "reverse(v)")}
  ${raise("raise_upper", "no % here", "upper(v)")}
  ${raise("raise_slice", "no % here", "substr(v, 2, 5)")}
  ${raise("raise_glued", "no user_%, no key-% here", "v, lower(v)")}
  ${raise("raise_length", "no % here", "length(v) + 7654000")}
  ${raise("raise_reverse", 'no [%] "%"', "v, reverse(v)")}
  ${raise("raise_md5", "no % here", "md5(v)")}
  ${raise("raise_code", 'invalid value for parameter "%": "%"', "v, v", " using errcode = '22023'")}
  ${raise("raise_fields", "no %", "v", " using table = v, column = v, constraint = v, schema = v, datatype = v, hint = v, detail = v")}
  ${raise("raise_json", "no % here", "json_build_object('a', v)")}
  ${raise("raise_brackets", "(%) <%> {%}", "v, v, v")}
  create function quoting_assert_plain(v text) returns void language plpgsql as $f$ begin assert false, 'no ' || v; end $f$;
  create function quoting_cast_inside(v text) returns void language plpgsql as $f$ declare n int; begin n := v; end $f$;
  create function quoting_into_strict(v text) returns void language plpgsql as
    $f$ declare n int; begin select 1 into strict n from pg_class where relname = v || ' '; end $f$;
`;

export const tearDown = `
  drop table if exists quoting cascade;
  drop sequence if exists quoting_sequence;
  do $f$ declare f regprocedure; begin
    for f in select oid from pg_proc where proname like 'quoting\\_%' loop execute 'drop function ' || f; end loop;
  end $f$;
  drop type if exists quoting_enum, quoting_row;
  drop domain if exists quoting_domain;
`;
