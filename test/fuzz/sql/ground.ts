import { Client } from "pg";
import type { PostgresServer } from "../../support/postgres/server.ts";

/** A database of the fuzz, by how plain strings are read in it. */
export interface Ground {
  readonly url: string;
  readonly conforming: "on" | "off";
}

/** A row of the markers: which text left it, in which program, and whether it was written before the text (1) or after it (2). */
export interface Marker {
  readonly number: number;
  readonly program: number;
  readonly part: number;
}

/** Two new databases with what the texts need. */
export async function layGrounds(server: PostgresServer): Promise<readonly Ground[]> {
  const grounds: Ground[] = [];
  for (const conforming of ["on", "off"] as const) {
    const name = `fuzz_sql_${conforming}`;
    await run(server.url(), `drop database if exists ${name}`, `create database ${name}`);
    await run(
      server.url(name),
      `alter database ${name} set standard_conforming_strings = ${conforming}`,
      // a text may lock what a prepared transaction of another holds
      `alter database ${name} set lock_timeout = '1s'`,
      `create table marker (number int, program int, part int);
       create index on marker (number);
       create table late (id int unique deferrable initially deferred);
       insert into late values (1);
       create table twins (id int);
       insert into twins values (1), (1);
       create procedure commits(given int default 0) language plpgsql as $$
         begin insert into marker values (given, 0, 0); commit; raise 'late'; end $$`,
    );
    grounds.push({ url: server.url(name), conforming });
  }
  return grounds;
}

async function run(url: string, ...texts: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const text of texts) await client.query(text);
  await client.end();
}

/** Markers that are there now, for all numbers from `from` on, and takes them and the prepared transactions away. */
export async function takeMarkers(client: Client, from: number): Promise<ReadonlyMap<number, readonly Marker[]>> {
  const { rows: kept } = await client.query<{ gid: string }>("select gid from pg_prepared_xacts where database = current_database()");
  for (const { gid } of kept) await client.query(`rollback prepared ${client.escapeLiteral(gid)}`);
  const { rows } = await client.query<Marker>("select number, program, part from marker where number >= $1", [from]);
  const found = new Map<number, Marker[]>();
  for (const row of rows) found.set(row.number, [...(found.get(row.number) ?? []), row]);
  return found;
}
