import { describe, expect, test } from "vitest";
import { sqlTokens } from "../../src/syntax/sql-tokens.ts";

const nbsp = "\u00a0";

/** Tokens with the first letter of their kind: w(ord), n(ame), l(iteral), s(ign). */
const read = (text: string, backslashes = false) => sqlTokens(text, { backslashes }).map((token) => `${token.kind[0]}:${token.text}`);

describe("a text is read as Postgres reads it", () => {
  test.each<[string, readonly string[]]>([
    [" \t\n\r\f\v;", ["s:;"]],
    [`${nbsp}begin`, [`w:${nbsp}begin`]],
    ["\ufeffselect", ["w:\ufeffselect"]],
    ["-- x\ncommit", ["w:commit"]],
    ["-- x\rcommit", ["w:commit"]],
    ["-- x\u2028commit", []],
    ["/* a /* b */ c */ commit", ["w:commit"]],
    ["/* a /* b */ commit", []],
    ["/**/commit/***/", ["w:commit"]],
    ["/*/ commit */ x", ["w:x"]],
    ["a+--b\nc", ["w:a", "s:+", "w:c"]],
    ["a@/*b*/c", ["w:a", "s:@", "w:c"]],
    ["a*/**/b", ["w:a", "s:*", "w:b"]],
    ["'it''s' x", ["l:'it''s'", "w:x"]],
    ["'a\\' x", ["l:'a\\'", "w:x"]],
    ["e'a\\' x", ["l:e'a\\' x"]],
    ["E'\\\\' x", ["l:E'\\\\'", "w:x"]],
    ["e'a'\n'\\' x'y", ["l:e'a'\n'\\' x'", "w:y"]],
    ["'a' -- b ' c\n  'd' e", ["l:'a' -- b ' c\n  'd'", "w:e"]],
    ["'a' /**/\n 'b'", ["l:'a'", "l:'b'"]],
    ["'a' 'b'", ["l:'a'", "l:'b'"]],
    ["'a'\r'b'", ["l:'a'\r'b'"]],
    ["'a'\n-b", ["l:'a'", "s:-", "w:b"]],
    ["n'a' b'1' X'f' U&'\\0061' u&\"b\"", ["l:n'a'", "l:b'1'", "l:X'f'", "l:U&'\\0061'", 'n:u&"b"']],
    ["b'1''0'", ["l:b'1'", "l:'0'"]],
    ["u & 'a'", ["w:u", "s:&", "l:'a'"]],
    ["ae'\\'", ["w:ae", "l:'\\'"]],
    ['"a""b" c', ['n:"a""b"', "w:c"]],
    ['"a', ['n:"a']],
    ["$$a$b$$c", ["l:$$a$b$$", "w:c"]],
    ["$a$ $aa$ $b$a$ c", ["l:$a$ $aa$ $b$a$", "w:c"]],
    ["$é1$;$é1$", ["l:$é1$;$é1$"]],
    ["$1$$;$$", ["s:$1", "l:$$;$$"]],
    ["$a b", ["s:$", "w:a", "w:b"]],
    ["a$$b$$", ["w:a$$b$$"]],
    ["1$$b$$", ["l:1", "l:$$b$$"]],
    ["1..10", ["l:1", "s:.", "l:.10"]],
    ["1.5e-3 .5 1. 0x_fF 1_000 0b12", ["l:1.5e-3", "l:.5", "l:1.", "l:0x_fF", "l:1_000", "l:0b1", "l:2"]],
    ["1e'\\' x", ["l:1", "l:e'\\' x"]],
    ["1select 0x 1e+ a1", ["l:1", "w:select", "l:0", "w:x", "l:1", "w:e", "s:+", "w:a1"]],
    ["a::int[1]", ["w:a", "s::", "s::", "w:int", "s:[", "l:1", "s:]"]],
  ])("%j", (text, tokens) => {
    expect(read(text)).toEqual(tokens);
  });

  test.each<[string, readonly string[]]>([
    ["'a\\' x", ["l:'a\\' x"]],
    ["n'\\' x'y", ["l:n'\\' x'", "w:y"]],
    ["b'\\' x", ["l:b'\\'", "w:x"]],
    ["x'\\'\n'\\' y", ["l:x'\\'\n'\\'", "w:y"]],
    ['"a\\" x', ['n:"a\\"', "w:x"]],
    ["$$\\$$ x", ["l:$$\\$$", "w:x"]],
  ])("%j with standard_conforming_strings off", (text, tokens) => {
    expect(read(text, true)).toEqual(tokens);
  });
});

test("says whether space or a comment stands before a token", () => {
  expect(sqlTokens("a b,/**/c--\nd").map(({ spaced }) => spaced)).toEqual([false, true, false, true, true]);
});

describe("a megabyte is read in time", () => {
  const pieces = [
    "'",
    '"',
    "$",
    "/*",
    "*/",
    "--",
    "-",
    "e'\\",
    "$a",
    "$a$",
    "''",
    "'\n",
    "'--\n",
    "'\n-",
    "\n",
    "\r",
    "1",
    "1_",
    "1.",
    "1e",
    "0x",
    "_",
    "u&",
  ];
  const all = pieces.flatMap((piece) => [piece, `${piece}'`, `'${piece}`]);
  test.each(all)("of %j", (piece) => {
    const begun = performance.now();
    expect(read(piece.repeat(1_000_000 / piece.length)).length).toBeGreaterThanOrEqual(0);
    // what is quadratic takes minutes
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
