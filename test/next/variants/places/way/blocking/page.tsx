import { count } from "../way";

/** Without it a call outside of Suspense fails the build, whatever the driver. */
export const instant = false;

export default async function Page() {
  return <b>{await count("seed")}</b>;
}
