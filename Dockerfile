# One image for every process; the command says which. Debian's slim image: its glibc is what native add-ons are built for.
# Both base images are named in full, so that a build of today and one of next year start from the same Node.

# --- Production dependencies, and nothing else. Not `pnpm deploy`, which makes a tree for each app, four times the AWS SDK;
# --- and no bundle: Lua scripts and the pages' files are found beside the code that reads them.
FROM node:24.21.0-bookworm-slim AS manifests
WORKDIR /app
ENV CI=true npm_config_update_notifier=false
# First what the dependencies depend on, so that a change of the code keeps these layers.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY apps/cli/package.json apps/cli/
COPY apps/dashboard/package.json apps/dashboard/
COPY apps/scheduler/package.json apps/scheduler/
COPY apps/worker/package.json apps/worker/
COPY packages/alerts/package.json packages/alerts/
COPY packages/client/package.json packages/client/
COPY packages/shared/package.json packages/shared/
COPY packages/ses-local/package.json packages/ses-local/

FROM manifests AS dependencies
RUN --mount=type=cache,target=/root/.npm --mount=type=cache,target=/pnpm \
    npx --yes pnpm@12.21.0 install --frozen-lockfile --prod --store-dir /pnpm/store --package-import-method copy \
 # Nobody compiles or debugs in the image, and nothing of what pnpm remembers of the build is read again.
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && rm -f node_modules/.modules.yaml node_modules/.pnpm-workspace-state*.json node_modules/.pnpm/lock.yaml

# --- Compiled code.
FROM manifests AS build
RUN --mount=type=cache,target=/root/.npm --mount=type=cache,target=/pnpm \
    npx --yes pnpm@12.21.0 install --frozen-lockfile --store-dir /pnpm/store --package-import-method copy
COPY tsconfig.base.json ./
COPY apps apps
COPY packages packages
RUN node node_modules/typescript/bin/tsc -b apps/* packages/ses-local \
 && find apps packages -name node_modules -prune -o -type f \
      \( -path '*/testing/*' -o ! -path '*/dist/*.js' ! -path '*/src/*.lua' ! -path '*/src/*/assets/*' ! -path '*/src/*/browser/*' ! -name package.json \) -exec rm {} + \
 && find apps packages -name node_modules -prune -exec rm -r {} + \
 && find apps packages -type d -empty -delete

FROM dependencies AS app
COPY --from=build /app/apps apps
COPY --from=build /app/packages packages
COPY deploy/docker/healthcheck.mjs ./
# The same bytes at every build of a commit, whenever it is built: `SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)`.
# Moved, because a folder that is copied into keeps its own date, and one that comes along has this.
ARG SOURCE_DATE_EPOCH=0
RUN mkdir campaigns && rm package.json pnpm-lock.yaml pnpm-workspace.yaml \
 && chmod -R a+rX,go-w . && mkdir /out /state && cd / && mv /app /out/app \
 && find /out /state -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

# --- What runs.
FROM node:24.21.0-bookworm-slim
# HEALTH_*: a container is one process with a network of its own, so one port serves all kinds, and one health check.
ENV NODE_ENV=production HEALTH_HOST=0.0.0.0 WORKER_HEALTH_PORT=3002 SCHEDULER_HEALTH_PORT=3002 DASHBOARD_HEALTH_PORT=3002
# Root's, and read only: the process could not change its own code even on a file system that can be written.
COPY --from=app /out/ /
# What is remembered outside of Redis (STATE_DIR): a volume that is made here belongs to the process.
COPY --from=app --chown=node:node /state/ /var/lib/sendonce/
WORKDIR /app
USER node
# Processes stop on it within 9 s, and put back what they have not sent. Node is the process itself, without a shell between.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "healthcheck.mjs"]
CMD ["node", "--max-semi-space-size=32", "--heap-growing-percent=100", "--max-old-space-size=192", "apps/worker/dist/main.js"]
# Last, because it changes with every commit.
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Sendonce" \
      org.opencontainers.image.description="Scheduled e-mail campaigns through Amazon SES that reach every recipient once" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/node:24.21.0-bookworm-slim" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
