// of the tools, which the project is not developed with
declare module "better-auth";
declare module "better-auth/db/migration";
declare module "@mikro-orm/postgresql";
declare module "postgres-array";
