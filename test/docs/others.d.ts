// Packages that no lock file of this project holds, or only that of another step of CI, where what the documents say of them is run.
declare module "@mikro-orm/postgresql";
declare module "@opennextjs/cloudflare";
declare module "@prisma/adapter-pg";
declare module "@prisma/adapter-neon";
declare module "@netlify/neon";
declare module "aws-cdk-lib/aws-lambda";
declare module "aws-cdk-lib/aws-lambda-nodejs";
declare module "better-auth";
declare module "postgres-array" {
  export function parse(text: string): unknown;
}
declare module "*/generated/client.ts" {
  export const PrismaClient: new (options: { readonly adapter: unknown }) => PrismaClientLike;
  /** What the documents call of a client. */
  interface PrismaClientLike {
    readonly user: {
      findMany(query?: object): Promise<readonly { readonly id: number; readonly name: string }[]>;
    };
    $transaction<T>(work: (tx: PrismaClientLike) => Promise<T>): Promise<T>;
    $disconnect(): Promise<void>;
  }
}
declare module "*/schema" {
  export const users: import("drizzle-orm/pg-core").PgTable;
}

/** Of Cloudflare's, what the documents touch: the package's own declarations of it hold no more than what it uses itself. */
declare module "cloudflare:workers" {
  export const env: {
    readonly DATABASE_URL_WITHOUT_PASSWORD: string;
    readonly MYSQL_URL: string;
    readonly DB_PASSWORD: { get(): Promise<string> };
  };
  export function waitUntil(promise: Promise<unknown>): void;
  export class DurableObject {
    readonly ctx: { waitUntil(promise: Promise<unknown>): void };
  }
}
