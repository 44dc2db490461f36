import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "prisma-client";
import { hyperdrive } from "warmline/hyperdrive";
import { sharedPool } from "warmline/pool";
import type { Service } from "../at-module-scope.ts";

const pool = sharedPool({ tcp: hyperdrive() });
const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });

export const orm: Service = {
  pool,
  async serve(id) {
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
    return { ...found, left: await prisma.author.count({ where: { name: id } }) };
  },
};
