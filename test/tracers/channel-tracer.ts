import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

/** A span a tracer has made, of whatever kind. */
export interface ChannelSpan {
  readonly name: string;
  readonly id: string;
  readonly parentId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly ended: boolean;
  readonly failed: boolean;
  /** All that is kept of it. */
  readonly kept: string;
}

/** A tracer that was told of our channels by `traceChannels`. */
export interface ChannelTracer {
  /** Runs `work` as one request, and gives its spans, the request's own first. */
  request(name: string, work: () => Promise<unknown>): Promise<readonly ChannelSpan[]>;
  stop(): Promise<void>;
}

/** Has the package find the tracer's copy of OpenTelemetry's API, as in an application that has one. To be called before either is loaded. */
export function shareApi(): void {
  const parentURL = pathToFileURL(`${process.env.TRACERS}/`).href;
  registerHooks({
    resolve: (specifier, context, next) => next(specifier, specifier === "@opentelemetry/api" ? { ...context, parentURL } : context),
  });
}
