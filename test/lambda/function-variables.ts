import type { FunctionIdentity } from "./extensions-api.ts";

/** How an environment comes to be (`AWS_LAMBDA_INITIALIZATION_TYPE`). */
export type InitializationType = "on-demand" | "provisioned-concurrency" | "snap-start" | "lambda-managed-instances";

/** A function as its environments know it. */
export interface FunctionDescription extends FunctionIdentity {
  /** Folder of the bundle. */
  readonly taskRoot: string;
  readonly initializationType: InitializationType;
  readonly memoryMb: number;
  /** There on managed instances: invocations at a time, and worker threads. */
  readonly concurrency: { readonly max: number; readonly workers: number } | undefined;
  /** The function's own variables; they win. */
  readonly env: Readonly<Record<string, string>>;
}

/** All environment variables of a process, as the platform sets them (AWS: "Defined runtime environment variables"). */
export function describeVariables(description: FunctionDescription, runtimeApi: string): Readonly<Record<string, string>> {
  const { functionName, functionVersion, handler, taskRoot, concurrency } = description;
  return {
    PATH: process.env.PATH ?? "",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    AWS_DEFAULT_REGION: "eu-central-1",
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(description.memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: functionVersion,
    AWS_LAMBDA_INITIALIZATION_TYPE: description.initializationType,
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `2026/01/01/[${functionVersion}]0123456789abcdef0123456789abcdef`,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    AWS_REGION: "eu-central-1",
    LAMBDA_RUNTIME_DIR: "/var/runtime",
    LAMBDA_TASK_ROOT: taskRoot,
    _HANDLER: handler,
    ...(concurrency && {
      AWS_LAMBDA_MAX_CONCURRENCY: String(concurrency.max),
      AWS_LAMBDA_NODEJS_WORKER_COUNT: String(concurrency.workers),
    }),
    ...description.env,
  };
}
