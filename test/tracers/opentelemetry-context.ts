import { startOpenTelemetry } from "./otel.ts";

/** With all that writes to the server: a comment in every text, and a SET before every statement. */
export const start = () => startOpenTelemetry({ addSqlCommenterCommentToQueries: true, enableTraceContextPropagation: true });
