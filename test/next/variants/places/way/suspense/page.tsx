import { Suspense } from "react";
import { count } from "../way";

async function Count() {
  return <b>{await count("seed")}</b>;
}

export default function Page() {
  return (
    <main>
      <h1>Shell</h1>
      <Suspense fallback={<i>Asking</i>}>
        <Count />
      </Suspense>
    </main>
  );
}
