/** Once in each process that serves, before its first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { mark } = await import("./lib/pool");
  await mark("instrumentation");
}
