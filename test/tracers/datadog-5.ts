import { startDatadog } from "./datadog.ts";

export const start = () => startDatadog("dd-trace-5");
