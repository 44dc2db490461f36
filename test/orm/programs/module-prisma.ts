import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "prisma-client";
import { hyperdrive } from "warmline/hyperdrive";
import { sharedPool } from "warmline/pool";
import { atModuleScope } from "warmline/prisma";
import type { Service } from "../at-module-scope.ts";
import { prismaGathers } from "./prisma-gathers.ts";

const pool = sharedPool({ tcp: hyperdrive() });
// what reads relations is a transaction to Prisma, which waits 2 s for one by itself: less than fifty requests at once may take on a busy machine
const prisma = atModuleScope(new PrismaClient({ adapter: new PrismaPg(pool), transactionOptions: { maxWait: 60_000 } }));

export const orm: Service = {
  pool,
  async serve(id) {
    // at once, as the requests come in: several gather in one moment
    const everybody = await prisma.author.findUniqueOrThrow({ where: { id: 1 } });
    const { id: authorId } = await prisma.author.create({ data: { name: id } });
    await prisma.book.createMany({ data: ["Notes", "Sketch"].map((title) => ({ title, authorId })) });
    const undone = prisma.$transaction(async (tx) => {
      await tx.book.deleteMany({ where: { authorId } });
      throw new Error("stop");
    });
    await undone.catch(() => {});
    const found = (await prisma.author.findFirst({
      where: { name: id },
      select: { name: true, books: { select: { title: true }, orderBy: { id: "asc" } } },
    })) as object;
    await prismaGathers(prisma, { name: id, authorId, everybody });
    const left = await prisma.author.count({ where: { name: id } });
    // nobody waits for it: the request is over before Prisma's timer
    prisma.author.findUnique({ where: { id: 1 } }).catch(() => {});
    return { ...found, left };
  },
};
