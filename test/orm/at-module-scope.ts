import type { sharedPool } from "warmline/pool";

/** An ORM at module scope, and what it does in each request: three statements and a transaction that is undone. */
export interface Service {
  readonly pool: ReturnType<typeof sharedPool>;
  readonly serve: (id: string) => Promise<unknown>;
}

interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

/** What a service works with; one author is everybody's, and the first. */
export const serviceTables = `
  create table "Author" (id int generated always as identity primary key, name text not null unique);
  create table "Book" (id int generated always as identity primary key, title text not null, "authorId" int not null references "Author");
  insert into "Author" (name) values ('Everybody');`;

/** What it answers, whichever ORM it is. */
export const answerOf = (id: string): unknown => ({ name: id, books: [{ title: "Notes" }, { title: "Sketch" }], left: 1 });

/** A worker that has each of its requests served, in a scope of its own. */
export function workerAtModuleScope({ pool, serve }: Service) {
  return {
    async fetch(request: Request, _: unknown, context: Context): Promise<Response> {
      const { pathname } = new URL(request.url);
      try {
        return Response.json(await pool.scope(context, () => serve(pathname.slice(1))));
      } catch (error) {
        return new Response(String(error), { status: 500 });
      }
    },
  };
}
