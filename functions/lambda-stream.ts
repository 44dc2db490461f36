import { type LambdaContext, streamHandle } from "hono/aws-lambda";
import { lambdaHandler } from "warmline/lambda";
import { createDatabase } from "warmline/tcp";
import { createApp } from "./app.ts";
import { assertHttpEvent } from "./lambda-event.ts";
import { modulesOnDemand } from "./modules-on-demand.ts";

/** The global that Lambda's Node runtime sets before it loads a function. Source: AWS's runtime client, aws-lambda-ric. */
declare const awslambda: { streamifyResponse<Work extends StreamingHandler>(work: Work): Work };

/** What Lambda calls; hono's type of it is that of a handler with a callback. */
type StreamingHandler = (event: unknown, responseStream: unknown, context: LambdaContext) => Promise<void>;

const db = createDatabase();
const answer = streamHandle(
  createApp({ db, token: process.env.API_TOKEN, platform: "hosted", modules: modulesOnDemand }),
) as unknown as StreamingHandler;

/**
 * The demo API as a Lambda function that streams its answers: for a function URL whose invoke mode is RESPONSE_STREAM. A module of its own,
 * since it can be loaded only where the runtime offers streaming. Reads DATABASE_URL and API_TOKEN.
 *
 * @throws LambdaEventError for an event that is no HTTP request; the next invocation is served as usual
 */
export const handler = awslambda.streamifyResponse(
  lambdaHandler<Parameters<StreamingHandler>, void>(db, async (event, responseStream, context) => {
    assertHttpEvent(event);
    await answer(event, responseStream, context);
  }),
);
