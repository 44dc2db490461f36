"use client";

import { useEffect, useState } from "react";
import { createDatabase, isWarmlineError } from "warmline";

/** What happens to a database in a client component. */
export default function Page() {
  const [said, say] = useState("nothing yet");
  useEffect(() => {
    try {
      createDatabase("postgres://someone@127.0.0.1/shop");
      say("It was made.");
    } catch (error) {
      say(isWarmlineError(error) ? `${error.name} ${error.code}: ${error.message}` : String(error));
    }
  }, []);
  return <p id="said">{said}</p>;
}
