import { createDatabase } from "warmline";
import type { Orm, Place } from "./orm.ts";
import { perform } from "./perform.ts";

/** Runs a program in this process, Node's or Bun's, and prints what it came to. */
export async function runOnNode(orm: Orm, place: Place): Promise<void> {
  const { url, transport, endpoint } = place;
  const options = { url, transport, ...(transport === "http" && { endpoint }) };
  const outcome = await perform(orm, place, (own) => createDatabase({ ...options, ...own }));
  console.log(JSON.stringify(outcome));
  // a socket that was left half-closed keeps no runtime alive
  process.exit(0);
}
