import { createHandler } from "../serve-lambda.ts";
import { openSubject } from "../subjects/warmline.ts";

/** The Lambda function of the contender `warmline`. */
export const handler = createHandler(openSubject);
