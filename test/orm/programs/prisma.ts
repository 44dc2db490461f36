import { PrismaClient } from "prisma-client";
import { PrismaWarmline } from "warmline/prisma";
import type { Orm } from "../orm.ts";
import { prismaProgram, requestOf } from "./prisma-program.ts";

export const orm: Orm = {
  ...prismaProgram((db) => new PrismaWarmline(db)),
  // a client for each request: one that several share answers a findUnique or a batch of one request within another
  atModuleScope: (db) => () => requestOf(new PrismaClient({ adapter: new PrismaWarmline(db) })),
};
