import { Suspense } from "react";
import { count } from "../way";

/** Keeps the prerender waiting for longer than the call beside it takes. */
async function slow() {
  "use cache";
  await new Promise((resolve) => setTimeout(resolve, 300));
  return await count("seed");
}

async function Slow() {
  return <b>{await slow()}</b>;
}

async function Count() {
  const first = await count("seed");
  return <i>{first + (await count("seed"))}</i>;
}

export default function Page() {
  return (
    <main>
      <Suspense fallback={<p>Asking</p>}>
        <Slow />
      </Suspense>
      <Suspense fallback={<p>Asking</p>}>
        <Count />
      </Suspense>
    </main>
  );
}
