import { describe, expect, test } from "vitest";
import { arrayToJson, valueWriter } from "../../src/endpoint/json-values.ts";
import { parameterText } from "../../src/endpoint/parameters.ts";

describe("a parameter", () => {
  test.each([
    [null, null],
    [true, "true"],
    [42, "42"],
    [1.5, "1.5"],
    ['foo"', 'foo"'],
    ["", ""],
    [{ a: [1, "x"] }, '{"a":[1,"x"]}'],
    [[], "{}"],
    [[1, null, "NULL", true], '{1,NULL,"NULL",true}'],
    [['a"b', "c\\d", "line\nbreak", ""], '{"a\\"b","c\\\\d","line\nbreak",""}'],
    [[[1, 2], [3]], "{{1,2},{3}}"],
    [[{ a: 'q"' }], '{"{\\"a\\":\\"q\\\\\\"\\"}"}'],
  ])("%j becomes %j", (value, text) => {
    expect(parameterText(value)).toBe(text);
  });
});

describe("an array's text", () => {
  test.each([
    ["{}", []],
    ["{1,NULL,3}", ["1", null, "3"]],
    ['{"NULL",NULL,""}', ["NULL", null, ""]],
    ['{"a\\"b","c\\\\d","e,f","{g}"}', ['a"b', "c\\d", "e,f", "{g}"]],
    [
      "{{1,2},{3,4}}",
      [
        ["1", "2"],
        ["3", "4"],
      ],
    ],
    ["[0:1]={7,8}", ["7", "8"]],
    ["[1:1][-2:-1]={{7,8}}", [["7", "8"]]],
  ])("%s becomes %j", (text, json) => {
    expect(JSON.parse(arrayToJson(text, ",", JSON.stringify))).toEqual(json);
  });

  test("is split at the type's own delimiter", () => {
    expect(JSON.parse(arrayToJson("{(1,1),(0,0);(2,2),(1,1)}", ";", JSON.stringify))).toEqual(["(1,1),(0,0)", "(2,2),(1,1)"]);
  });
});

test("a float that is no number in JSON is a string", () => {
  const write = valueWriter(701, () => undefined);
  expect(["1.5", "-2e-07", "NaN", "Infinity", "-Infinity"].map(write)).toEqual(["1.5", "-2e-07", '"NaN"', '"Infinity"', '"-Infinity"']);
});
