/** Requests to one worker that have to be answered, and how many of them are on their way at a time. */
export const REQUESTS = 1_000;
export const AT_ONCE = 50;
/** After as many that are answered, one is given up by its client, the very first among them. */
const ANSWERED_BETWEEN = 10;
/** The longest that one is given before it is given up, milliseconds: each a little longer than the one before, and round again. */
const GIVEN_UP_WITHIN_MS = 40;
/** After which a request counts as hanging, milliseconds; longer than any takes on a busy machine. */
const HANGS_AFTER_MS = 60_000;

/**
 * Sends requests to a worker: `REQUESTS` that `answered` is told the text of, which may be that of a failure, and others besides that are given up on
 * their way. What those began must keep nobody from an answer. Never rejects.
 */
export async function sendRequests(next: () => { readonly url: URL; readonly answered: (text: string) => void }): Promise<void> {
  let sent = 0;
  let givenUp = 0;
  const sendOnAndOn = async () => {
    while (sent + givenUp < REQUESTS + REQUESTS / ANSWERED_BETWEEN) {
      const { url, answered } = next();
      if (givenUp * ANSWERED_BETWEEN <= sent) await ask(url, givenUp++ % GIVEN_UP_WITHIN_MS);
      else {
        sent++;
        answered(await ask(url, HANGS_AFTER_MS));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendOnAndOn));
}

async function ask(url: URL, withinMs: number): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(withinMs) });
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return String(error);
  }
}
