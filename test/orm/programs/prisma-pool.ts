import { PrismaPg } from "@prisma/adapter-pg";
import { poolHere } from "./pool-here.ts";
import { prismaProgram } from "./prisma-program.ts";

export const orm = prismaProgram((_, { url }) => new PrismaPg(poolHere(url)), "own");
