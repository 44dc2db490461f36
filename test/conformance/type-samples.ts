/** One value of a type: as Postgres writes it, and as the package gives and takes it. */
export interface TypeSample {
  readonly type: string;
  /** A literal of the type. */
  readonly text: string;
  /** What it reads as. */
  readonly value: unknown;
  /** What is sent to write it; default: `value`. */
  readonly sent?: unknown;
}

/** Types that fixtures.ts makes. */
export const ofFixtures: RegExp = /^((odd_)?moods?|pair|positive|label|tiny|day|numbers|area|spans?)\b/;

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);

/** What reads as the text it was written as. */
const plain = (type: string, text: string, written = text): TypeSample => ({ type, text, value: written, sent: text });

const local = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0, ms = 0): Date => {
  const date = new Date(2000, month - 1, day, hour, minute, second, ms);
  date.setFullYear(year, month - 1, day);
  return date;
};

const numbers: readonly TypeSample[] = [
  { type: "int2", text: "-32768", value: -32_768 },
  { type: "int4", text: "2147483647", value: 2_147_483_647 },
  { type: "int8", text: "9223372036854775807", value: "9223372036854775807", sent: 9_223_372_036_854_775_807n },
  { type: "oid", text: "4294967295", value: 4_294_967_295 },
  { type: "float4", text: "1.5", value: 1.5 },
  { type: "float4", text: "-Infinity", value: Number.NEGATIVE_INFINITY },
  { type: "float8", text: "1e-307", value: 1e-307 },
  { type: "float8", text: "0.1", value: 0.1 },
  { type: "float8", text: "-0", value: -0, sent: "-0" },
  { type: "float8", text: "NaN", value: Number.NaN },
  { type: "float8", text: "Infinity", value: Number.POSITIVE_INFINITY },
  plain("numeric", "12345678901234567890.123456789012345678901234567890"),
  { type: "numeric", text: "NaN", value: "NaN", sent: Number.NaN },
  { type: "numeric", text: "-Infinity", value: "-Infinity", sent: Number.NEGATIVE_INFINITY },
  { type: "numeric(10,2)", text: "1.5", value: "1.50", sent: 1.5 },
  plain("money", "1234.5", "$1,234.50"),
  { type: "bool", text: "t", value: true },
  { type: "bool", text: "f", value: false },
];

const texts: readonly TypeSample[] = [
  plain("text", "wörter, \"Zeichen\" 'und' \\ 🐘 日本語\n\t"),
  plain("text", ""),
  plain("varchar(5)", "abc"),
  plain("char(5)", "ab", "ab   "),
  plain("bpchar", "ab "),
  plain("name", "a_name"),
  plain('"char"', "x"),
  { type: "bytea", text: "\\x0001027f80ff", value: bytes(0, 1, 2, 127, 128, 255) },
  { type: "bytea", text: "", value: bytes() },
  plain("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
  plain("bit(3)", "101"),
  plain("varbit", "10110"),
  plain("tsvector", "'cat':1A 'dog':2,3"),
  plain("tsquery", "'cat' & ( 'dog' | !'bird' )"),
  plain("jsonpath", '$."a"[*]?(@ > 1)'),
];

const times: readonly TypeSample[] = [
  { type: "date", text: "2026-02-28", value: local(2026, 2, 28) },
  { type: "date", text: "0044-03-15 BC", value: local(-43, 3, 15) },
  { type: "date", text: "0001-01-01 BC", value: local(0, 1, 1) },
  { type: "date", text: "0099-12-31", value: local(99, 12, 31) },
  { type: "date", text: "0001-02-29 BC", value: local(0, 2, 29) },
  { type: "date", text: "0004-02-29", value: local(4, 2, 29) },
  { type: "date", text: "infinity", value: Number.POSITIVE_INFINITY },
  { type: "date", text: "-infinity", value: Number.NEGATIVE_INFINITY },
  { type: "timestamp", text: "2026-02-28 12:34:56.789", value: local(2026, 2, 28, 12, 34, 56, 789) },
  { type: "timestamp", text: "0044-03-15 01:02:03 BC", value: local(-43, 3, 15, 1, 2, 3) },
  { type: "timestamp", text: "0050-04-01 02:30:00.283", value: local(50, 4, 1, 2, 30, 0, 283) },
  { type: "timestamp", text: "infinity", value: Number.POSITIVE_INFINITY },
  { type: "timestamptz", text: "2026-02-28 12:34:56.789+05:30", value: new Date(Date.UTC(2026, 1, 28, 7, 4, 56, 789)) },
  { type: "timestamptz", text: "12026-02-28 00:00:00+00", value: new Date(Date.UTC(12_026, 1, 28)) },
  {
    type: "timestamptz",
    text: "0001-02-29 12:34:56.789+00:19:32 BC",
    value: new Date(Date.UTC(2000, 1, 29, 12, 15, 24, 789) - 5 * 146_097 * 86_400_000),
  },
  { type: "timestamptz", text: "1890-01-01 00:00:00+00:19:32", value: new Date(Date.UTC(1889, 11, 31, 23, 40, 28)) },
  { type: "timestamptz", text: "-infinity", value: Number.NEGATIVE_INFINITY },
  plain("time", "12:34:56.789012"),
  plain("time", "24:00:00"),
  plain("timetz", "12:34:56+02"),
  {
    type: "interval",
    text: "1 year 2 months 3 days 04:05:06.789",
    value: { years: 1, months: 2, days: 3, hours: 4, minutes: 5, seconds: 6, milliseconds: 789 },
    sent: "P1Y2M3DT4H5M6.789S",
  },
  { type: "interval", text: "-1 month -00:00:01", value: { months: -1, seconds: -1 }, sent: "-1 month -1 second" },
  { type: "interval", text: "0", value: {}, sent: "0" },
  {
    type: "interval",
    text: "-1 year -2 mons +3 days 100:00:00.000001",
    value: { years: -1, months: -2, days: 3, hours: 100, milliseconds: 0.001 },
    sent: "-1 year -2 mons +3 days 100:00:00.000001",
  },
  { type: "interval", text: "infinity", value: Number.POSITIVE_INFINITY },
  { type: "interval", text: "-infinity", value: Number.NEGATIVE_INFINITY },
];

const documents: readonly TypeSample[] = [
  { type: "json", text: '{"b": 1, "a": [true, null, "x"]}', value: { b: 1, a: [true, null, "x"] } },
  { type: "json", text: "null", value: null, sent: "null" },
  { type: "json", text: '"text"', value: "text", sent: '"text"' },
  { type: "jsonb", text: '{"a": {"b": [1, 2.5, "ü"]}}', value: { a: { b: [1, 2.5, "ü"] } } },
  { type: "jsonb", text: "[1, 2]", value: [1, 2], sent: "[1,2]" },
  { type: "jsonb", text: "12.50", value: 12.5, sent: 12.5 },
];

const places: readonly TypeSample[] = [
  plain("inet", "192.168.0.1/24"),
  plain("inet", "2001:db8::1"),
  plain("cidr", "10.1.0.0/16"),
  plain("macaddr", "08:00:2b:01:02:03"),
  plain("macaddr8", "08:00:2b:01:02:03:04:05"),
  { type: "point", text: "(1.5,-2)", value: { x: 1.5, y: -2 }, sent: "(1.5,-2)" },
  plain("line", "{1,2,3}"),
  plain("lseg", "[(1,2),(3,4)]"),
  plain("box", "(3,4),(1,2)"),
  plain("path", "[(1,2),(3,4)]"),
  plain("polygon", "((1,2),(3,4),(5,6))"),
  { type: "circle", text: "<(1,2),3>", value: { x: 1, y: 2, radius: 3 }, sent: "<(1,2),3>" },
];

const ranges: readonly TypeSample[] = [
  plain("int4range", "[1,5]", "[1,6)"),
  plain("int4range", "empty"),
  plain("int8range", "(,9000000000)"),
  plain("numrange", "[1.5,2.5)"),
  plain("daterange", "[2026-01-01,2026-02-01)"),
  plain("tsrange", '["2026-01-01 00:00:00",infinity]'),
  plain("tstzrange", '["2026-01-01 00:00:00+00",)'),
  plain("int4multirange", "{[1,3),[5,7)}"),
  plain("nummultirange", "{[1.5,2.5)}"),
  plain("datemultirange", "{}"),
  plain("tsmultirange", '{["2026-01-01 00:00:00","2026-01-02 00:00:00")}'),
];

const internals: readonly TypeSample[] = [
  plain("pg_lsn", "16/B374D848"),
  plain("pg_snapshot", "10:20:10,14"),
  plain("xid", "5"),
  plain("xid8", "5000000000"),
  plain("cid", "7"),
  plain("tid", "(0,1)"),
  plain("regclass", "pg_catalog.pg_class", "pg_class"),
  plain("regtype", "int4", "integer"),
  plain("regproc", "now"),
  plain("regrole", "pg_monitor"),
  plain("regnamespace", "pg_catalog"),
  plain("int2vector", "1 2 3"),
  plain("oidvector", "23 25"),
  plain("refcursor", "a_cursor"),
];

const own: readonly TypeSample[] = [
  plain("mood", "so-so"),
  plain("pair", '(1,"two words")'),
  { type: "positive", text: "5", value: 5 },
  plain("label", "a label"),
];

const arrays: readonly TypeSample[] = [
  { type: "int2[]", text: "{1,-2,NULL}", value: [1, -2, null] },
  { type: "int4[]", text: "{}", value: [] },
  {
    type: "int4[]",
    text: "{{1,2},{3,4}}",
    value: [
      [1, 2],
      [3, 4],
    ],
  },
  { type: "int4[]", text: "[0:1]={1,2}", value: [1, 2], sent: "[0:1]={1,2}" },
  { type: "int8[]", text: "{9007199254740993}", value: ["9007199254740993"] },
  { type: "oid[]", text: "{1,4294967295}", value: [1, 4_294_967_295] },
  { type: "float4[]", text: "{1.5,NaN}", value: [1.5, Number.NaN] },
  { type: "float8[]", text: "{0.1,Infinity,NULL}", value: [0.1, Number.POSITIVE_INFINITY, null] },
  { type: "numeric[]", text: "{1.5,2}", value: [1.5, 2] },
  { type: "bool[]", text: "{t,f,NULL}", value: [true, false, null] },
  {
    type: "text[]",
    text: '{a,"b,c","d\\"e","f\\\\g","",NULL,"NULL","{x}","ü 🐘"}',
    value: ["a", "b,c", 'd"e', "f\\g", "", null, "NULL", "{x}", "ü 🐘"],
  },
  { type: "varchar[]", text: '{"two words"}', value: ["two words"] },
  { type: "char(2)[]", text: "{a}", value: ["a "] },
  { type: "bytea[]", text: '{"\\\\x00ff",NULL}', value: [bytes(0, 255), null] },
  { type: "date[]", text: "{2026-01-02,NULL}", value: [local(2026, 1, 2), null] },
  { type: "timestamp[]", text: '{"2026-01-02 03:04:05"}', value: [local(2026, 1, 2, 3, 4, 5)] },
  { type: "timestamptz[]", text: '{"2026-01-02 03:04:05+00"}', value: [new Date(Date.UTC(2026, 0, 2, 3, 4, 5))] },
  { type: "time[]", text: "{12:34:56}", value: ["12:34:56"] },
  { type: "timetz[]", text: "{12:34:56+02}", value: ["12:34:56+02"] },
  { type: "interval[]", text: '{"1 day",NULL}', value: [{ days: 1 }, null], sent: ["1 day", null] },
  { type: "json[]", text: '{"{\\"a\\": 1}",NULL}', value: [{ a: 1 }, null] },
  { type: "jsonb[]", text: '{"[1, 2]","\\"x\\""}', value: [[1, 2], "x"], sent: ["[1,2]", '"x"'] },
  { type: "uuid[]", text: "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", value: ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"] },
  { type: "inet[]", text: "{10.0.0.1,::1}", value: ["10.0.0.1", "::1"] },
  { type: "cidr[]", text: "{10.0.0.0/8}", value: ["10.0.0.0/8"] },
  { type: "macaddr[]", text: "{08:00:2b:01:02:03}", value: ["08:00:2b:01:02:03"] },
  { type: "money[]", text: '{$1.50,"$1,000.00"}', value: ["$1.50", "$1,000.00"] },
  { type: "numrange[]", text: '{"[1.5,2.5)"}', value: ["[1.5,2.5)"] },
  { type: "point[]", text: '{"(1,2)"}', value: [{ x: 1, y: 2 }], sent: ["(1,2)"] },
  plain("bit(2)[]", "{10,01}"),
  plain("int4range[]", '{"[1,3)","[5,7)"}'),
  plain("tsvector[]", "{'a','b'}"),
  { type: "mood[]", text: "{happy,NULL,so-so}", value: ["happy", null, "so-so"] },
  { type: "mood[]", text: "{{sad},{happy}}", value: [["sad"], ["happy"]] },
  { type: "mood[]", text: "[0:1]={sad,happy}", value: ["sad", "happy"] },
  { type: "mood[]", text: "{}", value: [] },
  {
    type: "odd_mood[]",
    text: '{"a,b","c \\"d\\"","NULL",NULL,"","e\\\\f","{x}"}',
    value: ["a,b", 'c "d"', "NULL", null, "", "e\\f", "{x}"],
  },
  { type: "pair[]", text: '{"(1,a)","(2,\\"b c\\")"}', value: ["(1,a)", '(2,"b c")'] },
  { type: "positive[]", text: "{1,NULL,3}", value: [1, null, 3] },
  { type: "tiny[]", text: "{5}", value: [5] },
  { type: "day[]", text: "{2026-01-02,NULL}", value: [local(2026, 1, 2), null], sent: ["2026-01-02", null] },
  { type: "moods", text: "{sad,happy}", value: ["sad", "happy"] },
  { type: "moods[]", text: '{"{sad,happy}",NULL}', value: [["sad", "happy"], null], sent: ["{sad,happy}", null] },
  { type: "numbers[]", text: '{"{1,2}","{3}"}', value: [[1, 2], [3]], sent: ["{1,2}", "{3}"] },
  { type: "area[]", text: "{(1,1),(0,0);(2,2),(1,1)}", value: ["(1,1),(0,0)", "(2,2),(1,1)"], sent: "{(1,1),(0,0);(2,2),(1,1)}" },
  { type: "span[]", text: '{"[1,2)",empty}', value: ["[1,2)", "empty"] },
  plain("spans", "{[1,2),[3,4)}"),
  plain("span", "[1,2)"),
];

/** Values of every built-in type, of arrays, and of types of one's own (fixtures.ts). */
export const typeSamples: readonly TypeSample[] = [
  ...numbers,
  ...texts,
  ...times,
  ...documents,
  ...places,
  ...ranges,
  ...internals,
  ...own,
  ...arrays,
];
