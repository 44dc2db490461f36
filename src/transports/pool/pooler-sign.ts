/** The greatest process id there is. Source: Linux, PID_MAX_LIMIT; elsewhere they are smaller. */
const GREATEST_PROCESS_ID = 4_194_304;

/** Clients that were told of another application_name than they gave. */
const renamed = new WeakSet<object>();

/** What of a pg client tells of its name, which its types do not show. */
interface NamedClient {
  readonly connectionParameters: { readonly application_name?: unknown; readonly fallback_application_name?: unknown };
  readonly connection: {
    on(event: "parameterStatus", hear: Hear): unknown;
    off(event: "parameterStatus", hear: Hear): unknown;
    once(event: "readyForQuery", hear: () => void): unknown;
  };
}

type Hear = (status: { readonly parameterName: string; readonly parameterValue: string }) => void;

/**
 * Watches a client's login for the application_name that is told of: Postgres tells of the one it was given, before those of role and database, and
 * Supavisor of the one it is logged in with itself. Source: supabase/supavisor, `db_handler.ex`.
 */
export function watchName(client: object): void {
  const { connectionParameters, connection } = client as NamedClient;
  const given = connectionParameters.application_name || connectionParameters.fallback_application_name;
  if (!given) return;
  const hear: Hear = ({ parameterName, parameterValue }) => {
    if (parameterName === "application_name" && parameterValue !== given) renamed.add(client);
  };
  connection.on("parameterStatus", hear);
  connection.once("readyForQuery", () => connection.off("parameterStatus", hear));
}

/** Whether a client was told of another name than it gave, as Supavisor does. */
export function isRenamed(client: object): boolean {
  return renamed.has(client);
}

/** Whether a pooler let a client in: what it was given to cancel by is no process', or it was told of another name than it gave. */
export function showsPooler(client: object): boolean {
  const { processID } = client as { readonly processID?: number | null };
  return !(Number(processID) > 0 && Number(processID) <= GREATEST_PROCESS_ID) || isRenamed(client);
}
