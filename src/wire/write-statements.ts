import type { Statement } from "../transports/transport.ts";
import type { Outbox } from "./encode.ts";
import type { NamedForm } from "./named-statements.ts";

/** Writes statements without their Sync: one by its name, or each unnamed. Values and columns travel as text. */
export function writeStatements(outbox: Outbox, statements: readonly Statement[], named: NamedForm | undefined): void {
  for (const { text, values } of statements) {
    const name = named?.statement.name ?? "";
    if (named?.prepares) {
      for (const closed of named.closes) outbox.closeStatement(closed);
      outbox.parse(name, text);
      outbox.describeStatement(name);
    }
    if (named === undefined) outbox.parse(name, text);
    outbox.bind(name, values);
    if (named === undefined) outbox.describePortal();
    outbox.execute();
  }
}
