import { Unreadable } from "../errors/decode-failure.ts";

/**
 * A parser of arrays whose items are written with this delimiter; `item` reads each that is not NULL. Bounds (`[0:1]={…}`) are dropped.
 * Source: PostgreSQL documentation, "Array Input and Output Syntax".
 */
export function arrayParser(item: (text: string) => unknown, delimiter: string): (text: string) => unknown[] {
  return (text) => {
    /** The arrays that are open, from outside. */
    const open: unknown[][] = [];
    let at = text.startsWith("[") ? text.indexOf("=") + 1 : 0;
    for (;;) {
      const char = text[at++];
      const list = open.at(-1);
      if (char === "{") {
        const inner: unknown[] = [];
        list?.push(inner);
        open.push(inner);
      } else if (list === undefined) throw noArray();
      else if (char === "}") {
        open.pop();
        if (open.length > 0) continue;
        if (at === text.length) return list;
        throw noArray();
      } else if (char === '"') {
        const end = closingQuote(text, at);
        list.push(item(text.slice(at, end).replace(/\\(.)/gs, "$1")));
        at = end + 1;
      } else if (char !== delimiter) {
        const end = itemEnd(text, at, delimiter);
        const word = text.slice(at - 1, end);
        list.push(word === "NULL" ? null : item(word));
        at = end;
      }
    }
  };
}

function closingQuote(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  if (at < text.length) return at;
  throw noArray();
}

function itemEnd(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== "}") at++;
  if (at < text.length) return at;
  throw noArray();
}

function noArray(): Unreadable {
  return new Unreadable("its type was an array's when it was looked up. Make the database handle anew if the server was exchanged.");
}
