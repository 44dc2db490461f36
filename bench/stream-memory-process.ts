// The memory row of streams in a process of its own: prints what `stream-memory.ts` found as JSON.
import { streamMemory } from "./stream-memory.ts";

console.log(JSON.stringify(await streamMemory(process.argv[2] as string)));
