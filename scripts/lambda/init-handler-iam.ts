import { iamLogin } from "../../src/entry/iam-login.ts";

export { handler } from "../../functions/lambda.ts";

/** The demo's function, and the token its first login needs. */
await iamLogin({
  service: "rds-db",
  host: "demo.proxy-warmline.eu-central-1.rds.amazonaws.com",
  port: 5432,
  user: "warmline_app",
  region: null,
  env: () => process.env,
  now: Date.now,
}).token();
