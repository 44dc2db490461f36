import { pathToFileURL } from "node:url";
import { type Request, serve } from "./serve.ts";
import type { OpenSubject } from "./subject.ts";

const { openSubject } = (await import(pathToFileURL(process.argv[2] ?? "").href)) as { readonly openSubject: OpenSubject };
const answer = serve(openSubject);

let unhandled = 0;
process.on("unhandledRejection", (reason) => {
  unhandled += 1;
  console.error("unhandled rejection:", reason);
});
process.on("disconnect", () => process.exit());
process.on("message", async ({ id, request }: { readonly id: number; readonly request: Request }) => {
  try {
    const answered = await answer(request);
    // what nobody listens to is reported at the end of the turn
    await new Promise((resolve) => setImmediate(resolve));
    process.send?.({ id, answer: answered, unhandled });
  } catch (error) {
    process.send?.({ id, broken: error instanceof Error ? error.stack : String(error), unhandled });
  }
});
process.send?.({ ready: true });
