import { startOpenTelemetry } from "./otel.ts";

export const start = () => startOpenTelemetry();
