import type { IamPassword, IamPasswordOptions } from "../aws/iam-token.ts";
import { tokenRegion } from "../aws/region.ts";

/** What tokens are made from, the region as the setting has it: null leaves it to the host name and the environment. */
export interface IamLoginOptions extends Omit<IamPasswordOptions, "region"> {
  readonly region: string | null;
}

/**
 * Passwords that are IAM tokens. What signs them is loaded by the first login: a function that logs in with a password pays nothing for it
 * when it starts.
 * @throws {ConfigError} where nobody tells the region: before the first login, as for any other setting.
 */
export function iamLogin(options: IamLoginOptions): IamPassword {
  const region = tokenRegion({ ...options, env: options.env() });
  let made: IamPassword | undefined;
  let loading: Promise<IamPassword> | undefined;
  const load = async () => {
    const { iamPassword } = await import("../aws/iam-token.ts");
    made = iamPassword({ ...options, region });
    return made;
  };
  return {
    async token() {
      loading ??= load();
      return (await loading).token();
    },
    refused: (token) => made?.refused(token),
  };
}
