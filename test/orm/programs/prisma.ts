import { PrismaWarmline } from "warmline/prisma";
import { prismaProgram } from "./prisma-program.ts";

export const orm = prismaProgram((db) => new PrismaWarmline(db));
