/** The greatest process id there is. Source: Linux, PID_MAX_LIMIT; elsewhere they are smaller. */
const GREATEST_PROCESS_ID = 4_194_304;

/** Whether what a logged-in client was given to cancel by is no process': a pooler's own, which makes numbers up. */
export function showsPooler(client: object): boolean {
  const { processID } = client as { readonly processID?: number | null };
  return !(Number(processID) > 0 && Number(processID) <= GREATEST_PROCESS_ID);
}
