import { createInterface } from "node:readline";
import { type Block, runBlock } from "./block.ts";
import type { ClientOptions, OpenClient } from "./client.ts";

/** The first line a contestant is told. */
export interface Setup {
  /** A file of `clients/`. */
  readonly client: string;
  readonly options: ClientOptions;
}

// One client in a process of its own, so that the CPU of the process is the client's alone. It is told its setup, then a block to each line; it
// answers each with a line of figures, and ends when there are no more. Over its standard streams, for Bun and Node have the same ones.
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { client: file, options } = JSON.parse((await lines.next()).value ?? "") as Setup;
const { open } = (await import(`./clients/${file}.ts`)) as { readonly open: OpenClient };
const client = await open(options);
for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  console.log(JSON.stringify(await runBlock({ client, open, options }, JSON.parse(line) as Block)));
}
await client.close();
process.exit();
