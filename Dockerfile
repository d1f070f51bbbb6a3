FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY tools ./tools
RUN npm ci --loglevel=error
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/without-crash-points.mjs ./scripts/
COPY src ./src
RUN node_modules/.bin/tsc -p tsconfig.build.json && node scripts/without-crash-points.mjs dist

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY tools ./tools
RUN npm ci --omit=dev --loglevel=error

# Writes nothing to its file system, so it runs with a read-only root.
FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY drizzle ./drizzle
COPY package.json ./
USER 10001:10001
EXPOSE 3080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT || process.env.PORT || 3080}/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# A heap that doubles at most before it is collected, by one thread, and in which what is made is young: docs/operations.md.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--heap-growing-percent=100", "--no-parallel-scavenge", "--no-allocation-site-pretenuring", "dist/main.js"]
