import { unstable_cache } from "next/cache";
import { Suspense } from "react";
import { count, name } from "../way";

const seeds = unstable_cache(() => count("seed"), [name], { revalidate: 3600 });

async function Count() {
  return <b>{await seeds()}</b>;
}

export default function Page() {
  return (
    <Suspense fallback={<i>Asking</i>}>
      <Count />
    </Suspense>
  );
}
