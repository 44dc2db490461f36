import { createDatabase } from "warmline";
import { hyperdrive } from "warmline/hyperdrive";
import { createApp } from "./app";

/** Over the Hyperdrive binding: each request has connections of its own, which end with it. */
export default createApp(createDatabase({ tcp: hyperdrive() }));
