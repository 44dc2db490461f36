// what `prisma generate` makes of test/orm/prisma/schema.prisma, as far as the program uses it: bundled for its runtime under this name
declare module "prisma-client" {
  interface Model {
    create(args: object): Promise<{ id: number } & Record<string, unknown>>;
    createMany(args: object): Promise<unknown>;
    createManyAndReturn(args: object): Promise<unknown>;
    findUnique(args: object): Promise<unknown> & { books(args?: object): Promise<unknown> };
    findUniqueOrThrow(args: object): Promise<unknown>;
    findFirst(args: object): Promise<unknown>;
    findMany(args?: object): Promise<unknown>;
    update(args: object): Promise<unknown>;
    updateMany(args: object): Promise<unknown>;
    upsert(args: object): Promise<unknown>;
    delete(args: object): Promise<unknown>;
    deleteMany(args?: object): Promise<unknown>;
    count(args?: object): Promise<number>;
    aggregate(args: object): Promise<unknown>;
    groupBy(args: object): Promise<unknown>;
  }

  interface Queries {
    readonly author: Model;
    readonly book: Model;
    readonly review: Model;
    $queryRaw(strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<unknown>;
    $executeRaw(strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<number>;
  }

  export class PrismaClient implements Queries {
    constructor(options: { readonly adapter: object; readonly transactionOptions?: { readonly maxWait?: number } });
    readonly author: Model;
    readonly book: Model;
    readonly review: Model;
    $queryRaw: Queries["$queryRaw"];
    $executeRaw: Queries["$executeRaw"];
    $transaction<T>(work: (tx: PrismaClient) => Promise<T>, options?: object): Promise<T>;
    $transaction(work: readonly Promise<unknown>[], options?: object): Promise<unknown[]>;
    $extends(extension: object): PrismaClient;
    $disconnect(): Promise<void>;
  }
}

declare module "@prisma/adapter-pg" {
  export class PrismaPg {
    constructor(pool: string | import("pg").Pool);
  }
}
