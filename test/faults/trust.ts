import { fileURLToPath } from "node:url";

/**
 * File of the authorities that every client trusts: by its setting `ca` where it has one, by NODE_EXTRA_CA_CERTS where the platform verifies.
 */
export const trustedAuthorities = fileURLToPath(new URL("../support/tls/trusted.pem", import.meta.url));
