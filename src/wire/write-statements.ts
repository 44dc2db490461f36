import type { ExchangeCall, Portal, Statement } from "../transports/transport.ts";
import type { Outbox } from "./encode.ts";
import type { NamedForm } from "./named-statements.ts";

/** What is written beside statements. */
export type PortalUse = Pick<ExchangeCall, "portal" | "closes">;

/** Writes statements without their Sync: one by its name, or each unnamed. Values and columns travel as text. */
export function writeStatements(
  outbox: Outbox,
  statements: readonly Statement[],
  { named, portal, closes = none }: PortalUse & { readonly named: NamedForm | undefined },
): void {
  for (const closed of closes) outbox.closePortal(closed);
  const inParts = portal && statements.at(-1);
  for (const statement of statements) {
    if (statement === inParts) writePart(outbox, statement, portal as Portal);
    else writeWhole(outbox, statement, named);
  }
}

function writeWhole(outbox: Outbox, { text, values, comment }: Statement, named: NamedForm | undefined): void {
  const name = named?.statement.name ?? "";
  if (named?.prepares) {
    for (const closed of named.closes) outbox.closeStatement(closed);
    outbox.parse(name, text);
    outbox.describeStatement(name);
  }
  if (named === undefined) outbox.parse(name, comment === undefined ? text : `${text} ${comment}`);
  outbox.bind(name, values);
  if (named === undefined) outbox.describePortal();
  outbox.execute();
}

/** Its columns are told with every part: they are few beside its rows, and nobody has to keep them. */
function writePart(outbox: Outbox, { text, values, comment }: Statement, { name, limit, isOpen }: Portal): void {
  if (!isOpen) {
    outbox.parse("", comment === undefined ? text : `${text} ${comment}`);
    outbox.bind("", values, name);
  }
  outbox.describePortal(name);
  outbox.execute(name, limit);
}

const none: readonly string[] = [];
