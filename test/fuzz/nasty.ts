import type { Random } from "../support/random.ts";

/** Texts on which parsers stumble: empty, long, no Unicode, control characters, keys of every object, numbers that are none, other languages' syntax. */
export const nastyTexts: readonly string[] = [
  "",
  " ",
  "\0",
  "a\0b",
  "\r\n",
  "\r\nX-Injected: yes\r\n\r\n",
  "\u2028\u2029",
  "\ud800",
  "\udfff\ud800",
  "\ufeff",
  "\u202etxet",
  "😀🏳️‍🌈",
  "é́́́́́",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "then",
  "null",
  "undefined",
  "true",
  "NaN",
  "-0",
  "1e999",
  "-1",
  "9007199254740993",
  "2147483648",
  "0x10",
  "1,5",
  "%00",
  "%ff",
  "%",
  "%25%32%35",
  "../../etc/passwd",
  "..%2f..%2f",
  "//",
  "\\",
  "'",
  '"',
  "' or '1'='1",
  "'; drop table products; --",
  "$1",
  "#{7*7}",
  "{{7*7}}",
  "<script>alert(1)</script>",
  "[object Object]",
  "{}",
  "[]",
  "a".repeat(300),
  "é".repeat(5_000),
  "x".repeat(70_000),
];

/** Any JSON value, at most `depth` deep, out of the nasty texts and of numbers at the edges. */
export function nastyValue(random: Random, depth = 3): unknown {
  const leaf = () =>
    random.pick<unknown>([null, true, false, 0, -0, 1, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, random.pick(nastyTexts), random.pick(nastyTexts)]);
  if (depth === 0 || random.once(2)) return leaf();
  const size = random.between(0, 4);
  if (random.once(2)) return Array.from({ length: size }, () => nastyValue(random, depth - 1));
  return Object.fromEntries(Array.from({ length: size }, () => [random.pick(nastyTexts).slice(0, 300), nastyValue(random, depth - 1)]));
}

/** JSON text that is deeper than recursion goes, repeats itself, or has keys that JavaScript treats in ways of their own. */
export function nastyJson(random: Random): string {
  const levels = random.pick([50, 5_000, 30_000]);
  return random.pick([
    () => "[".repeat(levels) + "]".repeat(levels),
    () => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`,
    () => "[".repeat(levels),
    () => '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    () => `{${Array.from({ length: 200 }, (_, index) => `"k${index % 7}":${index}`).join(",")}}`,
    () => `{"n":${"9".repeat(400)}}`,
    () => JSON.stringify(nastyValue(random, 5)),
  ])();
}

/** The same bytes with a few of them changed, left out, doubled, or with something nasty between. */
export function mangle(bytes: Buffer, random: Random): Buffer {
  let mangled = bytes;
  for (let times = random.between(1, 4); times > 0; times -= 1) {
    const at = random.between(0, mangled.length);
    const to = Math.min(mangled.length, at + random.between(1, 12));
    const [before, piece, after] = [mangled.subarray(0, at), mangled.subarray(at, to), mangled.subarray(to)];
    mangled = random.pick([
      () => Buffer.concat([before, Buffer.from(piece.map((byte) => byte ^ (1 << random.between(0, 7)))), after]),
      () => Buffer.concat([before, after]),
      () => Buffer.concat([before, piece, piece, after]),
      () => Buffer.concat([before, Buffer.from(random.pick(nastyTexts).slice(0, 2_000)), piece, after]),
      () => Buffer.concat([before, Buffer.from(Array.from({ length: random.between(1, 8) }, () => random.between(0, 255))), piece, after]),
      () => before,
    ])();
  }
  return mangled;
}
