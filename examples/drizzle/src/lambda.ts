import { handle } from "hono/aws-lambda";
import { createDatabase } from "warmline";
import { lambdaHandler } from "warmline/lambda";
import { createApp } from "./app";

// once per environment: every invocation after the first finds the connection open
const db = createDatabase();

/** Behind a function URL or API Gateway. Reads DATABASE_URL. */
export const handler = lambdaHandler(db, handle(createApp(db)));
