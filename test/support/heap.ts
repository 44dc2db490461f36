import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What the heap holds when all that nobody needs is gone, bytes. */
export function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
