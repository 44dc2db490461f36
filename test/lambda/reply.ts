import type { IncomingMessage } from "node:http";

/** An error of a function or of the platform, as the caller of the function is told it. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  /** Lines of the stack; there for errors of the handler. */
  readonly trace?: readonly string[];
}

/** What a handler answered. */
export interface Reply {
  readonly error: FunctionError | undefined;
  /** The reply's bytes; of a streamed one what follows its prelude. */
  readonly body: Buffer;
  /** There when the handler streams. */
  readonly stream: StreamHead | undefined;
}

/** What is said about a streamed reply before its body. */
export interface StreamHead {
  readonly contentType: string;
  /** Status, headers and cookies that `HttpResponseStream.from` put before the body; undefined without them. */
  readonly prelude: unknown;
}

/** Size from which on the platform refuses a buffered reply, bytes (AWS: "maximum allowed payload size"). */
export const maxReplyBytes = 6_291_556;

const errorTypeTrailer = "lambda-runtime-function-error-type";
const errorBodyTrailer = "lambda-runtime-function-error-body";
const preludeType = "application/vnd.awslambda.http-integration-response";
const delimiter = Buffer.alloc(8);

/** Reads a reply to its end. `onChunk` sees a streamed one's raw bytes as they come. Rejects when the request breaks off. */
export async function readReply(request: IncomingMessage, onChunk: (chunk: Buffer) => void): Promise<Reply> {
  const streamed = request.headers["lambda-runtime-function-response-mode"] === "streaming";
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (streamed) onChunk(chunk);
  }
  const body = Buffer.concat(chunks);
  if (streamed) return readStream(body, request);
  if (body.length <= maxReplyBytes) return { error: undefined, body, stream: undefined };
  const errorMessage = `Response payload size (${body.length} bytes) exceeded maximum allowed payload size (${maxReplyBytes} bytes).`;
  return { error: { errorType: "Function.ResponseSizeTooLarge", errorMessage }, body: Buffer.alloc(0), stream: undefined };
}

/** Reads an error the runtime reports. */
export async function readError(request: IncomingMessage): Promise<FunctionError> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return parseError(Buffer.concat(chunks).toString(), String(request.headers[errorTypeTrailer] ?? "Unhandled"));
}

function readStream(bytes: Buffer, { headers, trailers }: IncomingMessage): Reply {
  const contentType = headers["content-type"] ?? "";
  const end = contentType === preludeType ? bytes.indexOf(delimiter) : -1;
  const prelude: unknown = end === -1 ? undefined : JSON.parse(bytes.subarray(0, end).toString());
  const type = trailers[errorTypeTrailer];
  const error = type === undefined ? undefined : parseError(Buffer.from(trailers[errorBodyTrailer] ?? "", "base64").toString(), type);
  return { error, body: end === -1 ? bytes : bytes.subarray(end + delimiter.length), stream: { contentType, prelude } };
}

function parseError(text: string, errorType: string): FunctionError {
  try {
    return { errorType, errorMessage: "", ...(JSON.parse(text) as Partial<FunctionError>) };
  } catch {
    return { errorType, errorMessage: text };
  }
}
