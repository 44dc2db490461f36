import { PrismaClient } from "prisma-client";
import { atModuleScope, PrismaWarmline } from "warmline/prisma";
import type { Orm } from "../orm.ts";
import { prismaProgram, requestOf } from "./prisma-program.ts";

export const orm: Orm = {
  ...prismaProgram((db) => new PrismaWarmline(db)),
  atModuleScope(db) {
    const prisma = atModuleScope(new PrismaClient({ adapter: new PrismaWarmline(db) }));
    return () => requestOf(prisma);
  },
};
