/** Brackets inside of brackets: programs that people write have some ten. */
const DEEPEST = 500;
/** Operators and dots in one expression. */
const LONGEST_CHAIN = 20_000;

const opening = new Set("([{".split(""));
const closing = new Set(")]}".split(""));
const ending = new Set(";,{}".split(""));
const joining = new Set(".+-!~*?:&|=<>/%^".split(""));

/** Whether a text is nested so deeply that a parser, which goes down by calling itself, could end the process. Strings are not told apart. */
export function isNestedTooDeeply(text: string): boolean {
  let depth = 0;
  let chain = 0;
  for (const sign of text) {
    if (opening.has(sign)) depth += 1;
    else if (closing.has(sign)) depth = Math.max(0, depth - 1);
    if (ending.has(sign)) chain = 0;
    else if (joining.has(sign)) chain += 1;
    if (depth > DEEPEST || chain > LONGEST_CHAIN) return true;
  }
  return false;
}
