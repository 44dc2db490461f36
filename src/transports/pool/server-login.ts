import type { ClientConfig } from "pg";
import type { SessionAttrs } from "./session-attributes.ts";

/** What differs between the servers of one address: the place, how it is protected, who logs in by which token, and what it has to be. */
export interface ServerLogin extends Pick<ClientConfig, "host" | "port" | "ssl" | "sslnegotiation" | "enableChannelBinding" | "password"> {
  /** Told what the password function gave, when the server refused it (28000, 28P01). */
  readonly onPasswordRefused?: (password: string) => void;
  /** Any, if it is left out. */
  readonly targetSessionAttrs?: SessionAttrs | undefined;
}
