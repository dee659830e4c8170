# Builds with all that npm brings, and keeps what a running server needs.
FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-slim
WORKDIR /app
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/bin ./bin
COPY --from=build /src/dist ./dist
COPY --from=build /src/node_modules ./node_modules
RUN ln -s /app/bin/filejobs.js /usr/local/bin/filejobs && install -d -o node -g node -m 700 /data
# Not a loopback host, so that signup and SQL queries are closed unless a variable opens them.
ENV NODE_ENV=production FILEJOBS_HOST=0.0.0.0 FILEJOBS_PORT=8080 FILEJOBS_DATA=/data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["filejobs", "serve"]
