import { ConfigError } from "../errors/errors.ts";
import type { Environment } from "./credentials.ts";

/** An RDS host ends in its region, which a global database's writer has not. Source: AWS documentation, "Connecting to a DB instance". */
const hostWithRegion = /\.([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})\.rds\.amazonaws\.[a-z.]+$/i;

/** So does one of Aurora DSQL; behind PrivateLink a letter or more stands with the service. Source: its documentation. */
const dsqlHost = /\.dsql(?:-\w+)?\.([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})\.on\.aws$/i;

/** The region of a host name of RDS or DSQL, in lower case; undefined where the name does not tell. */
function regionOfHost(host: string): string | undefined {
  return (hostWithRegion.exec(host) ?? dsqlHost.exec(host))?.[1]?.toLowerCase();
}

/**
 * The region a token for `host` has to be signed for: the host name's own, else the setting, else `AWS_REGION`, else `AWS_DEFAULT_REGION`.
 * @throws {ConfigError} `MISSING_SETTING` where nobody tells; `INVALID_SETTING` where the setting contradicts the host name.
 */
export function tokenRegion({
  host,
  region,
  env,
}: {
  readonly host: string;
  readonly region: string | null;
  readonly env: Environment;
}): string {
  const own = regionOfHost(host);
  if (own !== undefined && region !== null && region !== own) {
    throw new ConfigError(`The setting region must be ${own}, where the host is, or left out.`, {
      code: "INVALID_SETTING",
      setting: "region",
    });
  }
  const found = own ?? region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION);
  if (found) return found;
  throw new ConfigError("The setting region must be in the option region or AWS_REGION: the host name does not tell it.", {
    code: "MISSING_SETTING",
    setting: "region",
  });
}
