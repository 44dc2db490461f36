import type { Random } from "../../support/random.ts";

/** A text for the server and the guard. */
export interface SqlText {
  /** What it was made to be, for the report. */
  readonly kind: "control" | "ordinary" | "look-alike" | "mangled";
  readonly text: string;
}

/** What Postgres leaves out between words. */
const spaces = [
  ...[" ", " ", "\n", "\t", "\r", "\f", "\v", "\r\n"],
  ...["-- x\n", "-- x\r", "--\n", "-- commit\r", "-- ' \" $$ /*\n"],
  ...["/**/", "/***/", "/* begin */", "/* /* */ ; commit */", "/*/ ' */", "/* -- */", "/*\r$$*/"],
];
/** What some take for space, or for its end, and Postgres does not; and what begins something that nobody ends. */
const traps = [
  ...["\u00a0", "\ufeff", "\u2028", "\u3000", "\u0085", "-- x\u2028", "-- x\u0085", "é", "\ud800", "\0"],
  ...["-- x", "/* ", "*/", "/* /* */", "'a'", "'", '"', "$$;$$", "$$", "$a$;$b$;$a$", "(", ")", "\\", "e'\\'", "- -", "+--\n", "1", "$1"],
];

const control = [
  ...["commit", "end", "rollback", "abort", "commit work", "end transaction", "rollback work", "abort transaction", "commit and no chain"],
  ...["commit", "end", "rollback", "abort", "commit and chain", "rollback and chain"],
  ...["begin", "begin isolation level serializable", "start transaction", "start transaction read only"],
  ...["savepoint a", "release a", "release savepoint warmline_1", "rollback to a", "rollback to savepoint a"],
  ...["commit prepared 'x'", "rollback prepared 'x'", "prepare transaction 'GID'", "prepare transaction 'GID'"],
];
const ordinary = [
  ...["", "select 1", "values (1)", "table marker", "(select 1)", "with a as (select 1) table a", "explain select 1", "show work_mem"],
  ...["select 'commit'", 'select 1 as "commit"', "select 1 as commit, 2 as begin", "select $$; commit; $$", "select $a$ $$; commit $a$"],
  ...["select e'\\'; commit; --'", "select '\\'; commit; --'", "select '\\' || $$'; commit; --$$", "select 'a'\n'; commit; --'"],
  ...["select e'a'\n'\\'; commit; --'", "select n'\\'; commit; --'", "select U&'\\0061; commit'", "select b'1', x'f', '; commit'"],
  ...["set local work_mem = '1MB'", "set transaction read only", "set transaction isolation level serializable", "listen a", "notify a"],
  ...["set session characteristics as transaction isolation level read committed", "lock table twins in share mode"],
  ...[
    "do $$ begin commit; end $$",
    "do 'begin null; end'",
    "call commits()",
    "copy (select 1) to stdout",
    "vacuum",
    "discard all",
    "checkpoint",
  ],
  ...[
    "prepare pGID as select 1",
    "prepare transactions as select 1",
    'prepare "transaction" as select 1',
    "execute commit",
    "deallocate all",
  ],
  ...['create temp table tGID ("commit" int, begin int) on commit drop', "declare c cursor for select 1", "close all", "fetch c"],
];
const lookAlikes = [
  ...[
    "beginning",
    "commit$",
    "commit_",
    "commit1",
    "commité",
    "commıt",
    "ſavepoint a",
    "END\u00a0",
    "comm/**/it",
    '"commit"',
    'u&"commit"',
  ],
  ...["'commit'", "e'commit'", "1commit", "+commit", "--commit", "/*commit", "-/**/-\ncommit", "commit'x'", 'commit"x"', "(commit)"],
  ...[
    "commit--",
    "commit/*",
    "commit;--",
    "commit;/**/;",
    "begin atomic",
    "prepare",
    "prepare/**/p/**/as/**/select/**/1",
    "start",
    "start transactions",
  ],
  ...[
    "select 1; commit",
    "commit; select 1",
    "; select 1; commit",
    "select '\\'; commit",
    "select $$a$$; end",
    "commit; begin",
    "rollback;;begin",
  ],
  ...[
    "prepare transaction",
    "prepare p; commit",
    "; ; ;",
    "select;commit",
    "do $$ $$; commit",
    "end if",
    "begin; ",
    "commit\\",
    "commit\0",
    "\0commit",
  ],
];
const characters = [..."'\"$;\\-/*\n\r eEuUnNbB&_19é.:(+", "/*", "*/", "--", "$$", "''", "e'"];

/** One text. Half of them control a transaction. */
export function sqlText(random: Random, number: number): SqlText {
  const kind = random.pick<SqlText["kind"]>(["control", "control", "control", "control", "ordinary", "look-alike", "mangled"]);
  const statements = { control, ordinary, "look-alike": lookAlikes, mangled: random.pick([control, ordinary, lookAlikes]) }[kind];
  const statement = dress(random, random.pick(statements).replace("GID", String(number)));
  const lead = Array.from({ length: random.between(0, 4) }, () => random.pick(random.once(3) ? [";"] : random.once(20) ? traps : spaces));
  const tail = random.pick(["", "", "", ";", " ", " -- x", "/* x */", ";;", " ; /**/ ;", "\r", "; select 1", random.pick(traps)]);
  const text = lead.join("") + statement + tail;
  return { kind, text: kind === "mangled" ? mangle(random, text) : text };
}

/** The same words in another case, with other space between them; what is quoted stays. */
function dress(random: Random, statement: string): string {
  if (/['"$]/.test(statement.replace(/'\d+'/, "")) || random.once(4)) return statement;
  const space = () => random.pick(spaces) + (random.once(3) ? random.pick(spaces) : "");
  const dressed = statement.replaceAll(" ", space);
  return random.pick([
    dressed,
    dressed.toUpperCase(),
    dressed.replace(/[a-z]/g, (letter) => (random.once(2) ? letter.toUpperCase() : letter)),
  ]);
}

function mangle(random: Random, text: string): string {
  let mangled = text;
  for (let times = random.between(1, 3); times > 0; times--) {
    const at = random.between(0, mangled.length);
    mangled = mangled.slice(0, at) + random.pick([...characters, ""]) + mangled.slice(at + random.between(0, 2));
  }
  return mangled;
}

/** A text of one to four statements that leaves rows under `number` when it does. */
export function sqlScript(random: Random, number: number): string {
  const insert = `insert into marker values (${number}, 0, 0)`;
  const statements = [
    ...[
      insert,
      insert,
      insert,
      "select 1 / 0",
      "select 1 / 0",
      "insert into late values (1)",
      "update marker set part = part where number = 0",
    ],
    ...["commit", "end", "commit and chain", "begin", "rollback", "savepoint a", "rollback to a", `prepare transaction '${number}'`, ";"],
    ...[`call commits(${number})`, `do $$ begin ${insert}; commit; raise 'late'; end $$`, `do $$ begin ${insert}; raise 'late'; end $$`],
    ...[
      "select '\\'; commit; --'",
      "select e'\\'; commit; --'",
      "select '\\' || $$'; commit; --$$",
      "select $$; commit$$",
      "select 'a'\n'\\'; commit; --'",
    ],
    ...[
      `create function f${number}() returns int begin atomic select 1; select case when true then 1 end as end; end`,
      "select (1",
      "vacuum",
    ],
    ...["copy marker to program 'false'", "create table late (id int)", "create unique index concurrently on twins (id)", "execute nobody"],
  ];
  const ended = [
    insert,
    random.pick(["commit", "end", "select 1", "rollback", "commit and chain"]),
    random.pick(statements),
    "select 1 / 0",
  ];
  const anything = Array.from({ length: random.between(1, 5) }, () => random.pick(statements));
  const strings = ordinary.filter((statement) => /^select|^$/.test(statement));
  const harmless = Array.from({ length: random.between(1, 5) }, () => random.pick(strings));
  const chosen = random.pick([ended, ended, anything, anything, harmless]).map((statement) => dress(random, statement));
  const text = chosen.map((statement) => random.pick(spaces) + statement + (random.once(6) ? random.pick(spaces) : "")).join(";");
  const mangled = random.once(8) ? mangle(random, text) : text;
  // rows and transactions are known by it
  const numbers = (given: string) =>
    given
      .match(/\d+/g)
      ?.filter((digits) => Number(digits) > 1)
      .join();
  return numbers(mangled) === numbers(text) ? mangled : text;
}
