/**
 * Reports statements that pin a connection of RDS Proxy, each reason once, by `warn`. What reads statements is loaded with the first of them:
 * only a development machine needs it.
 */
export function pinningReport(warn: (message: string) => void): (text: string) => void {
  let loading: Promise<(text: string) => void> | undefined;
  const load = async () => (await import("../aws/pinning.ts")).pinningReporter(warn);
  return (text) => {
    loading ??= load();
    // a report that fails must not fail the statement
    loading.then((report) => report(text)).catch(() => {});
  };
}
