import { createHandler } from "../serve-lambda.ts";
import { openSubject } from "../subjects/bare.ts";

/** The Lambda function of the contender `bare`. */
export const handler = createHandler(openSubject);
