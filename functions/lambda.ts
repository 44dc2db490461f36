import { type APIGatewayProxyResult, handle, type LambdaContext } from "hono/aws-lambda";
import { lambdaHandler } from "warmline/lambda";
import { createDatabase } from "warmline/tcp";
import { createApp } from "./app.ts";
import { assertHttpEvent } from "./lambda-event.ts";
import { withinReplyLimit } from "./lambda-reply.ts";
import { modulesOnDemand } from "./modules-on-demand.ts";

// Made once per execution environment: every invocation after the first finds the connection that is already open.
const db = createDatabase();
const answer = handle(createApp({ db, token: process.env.API_TOKEN, platform: "hosted", modules: modulesOnDemand }));

/**
 * The demo API as a Lambda function, behind a function URL, API Gateway, a load balancer or VPC Lattice. Reads DATABASE_URL and API_TOKEN.
 *
 * @throws LambdaEventError for an event that is no HTTP request; the next invocation is served as usual
 */
export const handler = lambdaHandler(db, async (event: unknown, context?: LambdaContext): Promise<APIGatewayProxyResult> => {
  assertHttpEvent(event);
  return withinReplyLimit(await answer(event, context));
});
