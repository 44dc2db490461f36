import type { NextServer } from "./next-process.ts";

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Gives up after two minutes: a development server compiles a route when it is first asked for. */
export async function get(server: NextServer, path: string): Promise<Answer> {
  const response = await fetch(server.url + path, { signal: AbortSignal.timeout(120_000), redirect: "manual" });
  return { status: response.status, text: await response.text() };
}

/** The page and the two routes on Node; the proxy stands before each of them. */
export const paths: readonly string[] = ["/", "/api/products", "/api/orders"];

/** Routes of `variants/app` whose statement the server refuses, on Node and on the edge runtime. */
export const failingPaths: readonly string[] = ["/api/broken", "/api/broken-edge"];

const AT_ONCE = 10;

/** So many requests to all paths in turn, ten at once. Gives how often each status was answered. */
export async function visit(server: NextServer, requests: number): Promise<Readonly<Record<number, number>>> {
  const answers: Record<number, number> = {};
  let begun = 0;
  const visitor = async () => {
    for (let mine = begun++; mine < requests; mine = begun++) {
      const { status } = await get(server, paths[mine % paths.length] as string);
      answers[status] = (answers[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitor));
  return answers;
}
