import { mark, name } from "../way";

async function act(): Promise<void> {
  "use server";
  await mark(`action ${name}`);
}

export default function Page() {
  return (
    <form action={act}>
      <button type="submit">Mark</button>
    </form>
  );
}
